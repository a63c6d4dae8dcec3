"""``--dashboard`` and ``--log-level``: what is refused, and what is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from cluster.session import Session
from gnosis_ray.cli import cluster_options as where
from gnosis_ray.cli.cluster_options import directions
from gnosis_ray.cli.logs import show_logs
from tests.cli.conftest import Call

SCAN = ("scan", "--symbols", "AAPL", "--dashboard")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    show_logs("warning")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--granularity", "inline"), "Without Ray there is no dashboard"),
        (("--address", "10.0.0.1:6379"), "A cluster has a dashboard of its own"),
    ],
)
def test_a_dashboard_that_cannot_be_is_refused(call: Call, arguments: tuple[str, ...], told: str) -> None:
    refused = call(*SCAN, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err


def test_without_its_packages_a_dashboard_is_refused_with_what_to_install(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "find_spec", lambda _name: None)
    refused = call(*SCAN)
    assert refused.code == 2
    assert "pip install 'gnosis-ray[dashboard]'" in refused.err


def test_directions_name_the_address_the_token_and_the_way_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/some/token")
    said = "\n".join(directions(Session(None, dashboard="http://127.0.0.1:8266")))
    assert "until the scan has ended: http://127.0.0.1:8266" in said
    assert "the content of /some/token" in said
    assert "ssh -L 8266:127.0.0.1:8266" in said


def test_the_token_itself_is_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "deadbeef")
    said = "\n".join(directions(Session(None, dashboard="http://127.0.0.1:8265")))
    assert "RAY_AUTH_TOKEN" in said
    assert "deadbeef" not in said


def test_without_authentication_no_token_is_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert not any("token" in line for line in directions(Session(None, dashboard="http://127.0.0.1:8265")))


def test_a_dashboard_that_did_not_start_is_said_not_to_have() -> None:
    (said,) = directions(Session(None, dashboard=None))
    assert "without its dashboard" in said


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_log_shows_what_was_asked_for(
    call: Call, capsys: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    assert call("--log-level", level, "universe", "list").code == 0
    logger = logging.getLogger("gnosis_ray.app.jobs.scan")
    for said in (logger.debug, logger.info, logger.warning):
        said("AAPL has no result")
    logging.getLogger("ray").info("AAPL has no result, says Ray")
    assert capsys.readouterr().err.count("AAPL has no result") == shown


def test_the_environment_sets_the_level(
    call: Call, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_LOG", "info")
    assert call("universe", "list").code == 0
    logging.getLogger("actors.fanout").info("said")
    assert "said" in capsys.readouterr().err


def test_an_unknown_level_is_refused(call: Call) -> None:
    assert call("--log-level", "loud", "universe", "list").code == 2
