"""An address is checked in bounded time, and the message names what is at fault."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from cluster import address
from gnosis_ray.errors import ClusterError


@pytest.fixture
def not_ray() -> Iterator[int]:
    """The port of a listener that accepts connections and never answers."""
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


@pytest.mark.parametrize("text", ["ray://head:10001", "head", "http://head:8265", "head:", ":6379"])
def test_an_address_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match="HOST:PORT"):
        address.check_answers(text)


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ClusterError, match=r"Nothing answers at '127.0.0.1:1'.*ray start --head") as caught:
        address.check_answers("127.0.0.1:1")
    assert time.monotonic() - started < 2.0
    assert caught.value.exit_code == 5


def test_a_listener_that_is_no_ray_is_refused_in_bounded_time(not_ray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ANSWER_SECONDS", 2.0)
    started = time.monotonic()
    with pytest.raises(ClusterError, match="No Ray answers at"):
        address.check_answers(f"127.0.0.1:{not_ray}")
    assert time.monotonic() - started < 6.0


def answer(code: int, error: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, stdout="", stderr=error)


@pytest.mark.parametrize(
    "output",
    [
        "ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken: Authentication token is missing or incorrect",
        "Token authentication is enabled but no authentication token was found",
    ],
)
def test_a_rejected_token_has_a_message_of_our_own(output: str, not_ray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_health_check", lambda *_: answer(1, output))
    with pytest.raises(ClusterError, match=r"asks for a token.*RAY_AUTH_TOKEN_PATH") as caught:
        address.check_answers(f"127.0.0.1:{not_ray}")
    assert "RPC" not in str(caught.value)


def test_another_refusal_keeps_rays_message(not_ray: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_health_check", lambda *_: answer(1, "version\n mismatch"))
    with pytest.raises(ClusterError, match="refuses: version mismatch") as caught:
        address.check_answers(f"127.0.0.1:{not_ray}")
    assert "token" not in str(caught.value)


def test_a_head_that_takes_any_token_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[dict[str, str]] = []

    def ask(_: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        brought.append(environment)
        return answer(len(brought) - 1, "")

    monkeypatch.setattr(address, "_health_check", ask)
    assert not address.asks_for_token("head:6379")
    assert address.asks_for_token("head:6379")
    assert brought[0]["RAY_AUTH_TOKEN"] != brought[1]["RAY_AUTH_TOKEN"]
    assert all(each["RAY_AUTH_MODE"] == "token" for each in brought)
