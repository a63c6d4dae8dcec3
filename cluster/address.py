"""Checks an address in a process of its own: Ray's client may wait long, or end the process, if nothing answers."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys

from gnosis_ray.errors import ClusterError

CONNECT_SECONDS = 5.0
"""Time limit for a connection."""
ANSWER_SECONDS = 20.0
"""Time limit for the answer of a Ray head."""
ADVICE = "Check host and port (6379 unless set), that `ray start --head` runs there, and the firewall between"
HOW_TO_BRING_IT = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to a file that only you can read, with the cluster's token in it."
)
_ABOUT_TOKENS = re.compile(r"auth\w* token|AuthenticationError|InvalidAuthToken", re.IGNORECASE)


def check_answers(address: str) -> None:
    """Check that a Ray head answers at ``HOST:PORT`` and accepts this process's token.

    Raises :class:`ClusterError` within some 25 seconds. The message names whether the form of the address, the network,
    the token or Ray is at fault, and what to do.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ClusterError(f"Expected an address HOST:PORT or 'auto', was '{address}'")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"Nothing answers at '{address}': {error}. {ADVICE}.") from error
    result = _health_check(address, {})
    if result.returncode == 0:
        return
    if _ABOUT_TOKENS.search(result.stderr):
        raise ClusterError(f"Ray at '{address}' asks for a token: this process has none, or another. {HOW_TO_BRING_IT}")
    output = " ".join((result.stderr or result.stdout).split())[-400:]
    raise ClusterError(f"Ray at '{address}' refuses: {output}. {ADVICE}.")


def asks_for_token(address: str) -> bool:
    """Whether the Ray head at ``address`` rejects an invalid token."""
    return _health_check(address, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}).returncode != 0


def _health_check(address: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Ray's health check of a head, in a process of its own."""
    command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        return subprocess.run(  # noqa: S603 - our own interpreter; the address was checked
            command,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"No Ray answers at '{address}' within {ANSWER_SECONDS:g} s. {ADVICE}.") from error
