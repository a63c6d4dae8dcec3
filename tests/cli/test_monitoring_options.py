"""``--ray-dashboard`` and ``--log-level``: refusals and messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from cluster.session import Session
from gnosis_ray.api import cluster_options
from gnosis_ray.api.cluster_options import directions
from gnosis_ray.cli.logs import show_logs
from tests.cli.conftest import Call

SCAN = ("scan", "--symbols", "AAPL", "--ray-dashboard")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    show_logs("warning")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--granularity", "inline"), "Without Ray there is no dashboard"),
        (("--address", "10.0.0.1:6379"), "A cluster has a dashboard of its own"),
    ],
)
def test_a_dashboard_that_cannot_be_is_refused(call: Call, arguments: tuple[str, ...], message: str) -> None:
    refused = call(*SCAN, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert message in refused.err


def test_without_its_packages_a_dashboard_is_refused_with_what_to_install(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_options, "find_spec", lambda _name: None)
    refused = call(*SCAN)
    assert refused.code == 2
    assert "pip install 'gnosis-ray[ray-dashboard]'" in refused.err


def test_the_old_flag_is_refused_with_the_new_one(call: Call) -> None:
    refused = call("scan", "--symbols", "AAPL", "--dashboard")
    assert (refused.code, refused.out) == (2, "")
    assert "--ray-dashboard" in refused.err


def test_directions_name_the_address_the_token_and_the_way_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/some/token")
    text = "\n".join(directions(Session(None, dashboard="http://127.0.0.1:8266")))
    assert "until the scan has ended: http://127.0.0.1:8266" in text
    assert "the content of /some/token" in text
    assert "ssh -L 8266:127.0.0.1:8266" in text


def test_the_token_itself_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "deadbeef")
    text = "\n".join(directions(Session(None, dashboard="http://127.0.0.1:8265")))
    assert "RAY_AUTH_TOKEN" in text
    assert "deadbeef" not in text


def test_without_authentication_no_token_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert not any("token" in line for line in directions(Session(None, dashboard="http://127.0.0.1:8265")))


def test_a_dashboard_that_did_not_start_is_reported() -> None:
    (text,) = directions(Session(None, dashboard=None))
    assert "without its dashboard" in text


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_log_shows_what_was_asked_for(
    call: Call, capsys: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    assert call("--log-level", level, "universe", "list").code == 0
    logger = logging.getLogger("gnosis_ray.app.jobs.scan")
    for log in (logger.debug, logger.info, logger.warning):
        log("AAPL has no result")
    logging.getLogger("ray").info("AAPL has no result, says Ray")
    assert capsys.readouterr().err.count("AAPL has no result") == shown


def test_the_environment_sets_the_level(
    call: Call, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_LOG", "info")
    assert call("universe", "list").code == 0
    logging.getLogger("actors.fanout").info("restarted")
    assert "restarted" in capsys.readouterr().err


def test_an_unknown_level_is_refused(call: Call) -> None:
    assert call("--log-level", "loud", "universe", "list").code == 2
