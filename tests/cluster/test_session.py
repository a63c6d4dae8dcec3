"""Sessions without starting Ray; the rest is in tests/actors and tests/chaos."""

from __future__ import annotations

import stat
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


def test_cores_are_not_asked_of_a_cluster() -> None:
    with pytest.raises(ClusterError, match="a cluster has its own"):
        session._join("head:6379", 2, {})


def test_a_closed_session_offers_nothing() -> None:
    with pytest.raises(ClusterError, match="closed"):
        session.Session(None, is_open=False).budget()


def test_connect_reports_an_unreachable_address() -> None:
    with pytest.raises(ClusterError, match="HOST:PORT"), connect("nowhere", None):
        raise AssertionError
