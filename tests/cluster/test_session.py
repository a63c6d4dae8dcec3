"""What can be said of sessions without starting Ray; the rest is in tests/actors and tests/chaos."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import session
from cluster.session import connect, ensure_token
from gnosis_ray.errors import ClusterError


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def not_ray() -> Iterator[int]:
    """The port of a listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: _swallow(server), daemon=True).start()
        yield server.getsockname()[1]


def _swallow(server: socket.socket) -> None:
    kept = []
    while True:
        try:
            kept.append(server.accept())
        except OSError:
            break
    for connection, _ in kept:
        connection.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_made_private_and_kept(own_home: Path) -> None:
    path = ensure_token()
    assert path == own_home / ".ray" / "auth_token"
    token = path.read_text()
    assert len(token) == 64
    assert mode(path) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["auth_token"]
    assert ensure_token() == path
    assert path.read_text() == token


def test_a_token_that_others_can_read_is_closed_to_them(own_home: Path) -> None:
    path = own_home / ".ray" / "auth_token"
    path.parent.mkdir()
    path.write_text("theirs")
    path.chmod(0o644)
    ensure_token()
    assert (path.read_text(), mode(path)) == ("theirs", 0o600)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RAY_AUTH_TOKEN", "x"), ("RAY_AUTH_TOKEN_PATH", "/some/file"), ("RAY_AUTH_MODE", "disabled")],
)
def test_a_users_own_choice_of_token_stands(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert ensure_token() is None
    assert not (own_home / ".ray").exists()


def test_a_home_that_cannot_be_written_says_what_to_set(own_home: Path) -> None:
    (own_home / ".ray").touch()
    with pytest.raises(ClusterError, match="RAY_AUTH_TOKEN_PATH"):
        ensure_token()


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "http://head:8265", "head:", ":6379"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match="HOST:PORT"):
        session._check_answers(address)


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ClusterError, match=r"Nothing answers at '127.0.0.1:1'.*ray start --head") as caught:
        session._check_answers("127.0.0.1:1")
    assert time.monotonic() - started < 2.0
    assert caught.value.exit_code == 5


def test_a_listener_that_is_no_ray_is_refused_in_bounded_time(not_ray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ANSWER_SECONDS", 2.0)
    started = time.monotonic()
    with pytest.raises(ClusterError, match="No Ray answers at"):
        session._check_answers(f"127.0.0.1:{not_ray}")
    assert time.monotonic() - started < 6.0


def test_cores_are_not_asked_of_a_cluster() -> None:
    with pytest.raises(ClusterError, match="a cluster has its own"):
        session._join("head:6379", 2, {})


def test_a_closed_session_offers_nothing() -> None:
    with pytest.raises(ClusterError, match="closed"):
        session.Session(None, is_open=False).budget()


def test_connect_reports_an_unreachable_address() -> None:
    with pytest.raises(ClusterError, match="HOST:PORT"), connect("nowhere", None):
        raise AssertionError
