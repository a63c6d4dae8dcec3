"""What answers at an address, looked at from outside: Ray's own client may wait long, or end the process, there."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys

from gnosis_ray.errors import ClusterError

CONNECT_SECONDS = 5.0
"""For the first packet to come back from an address."""
ANSWER_SECONDS = 20.0
"""For a Ray head to answer at that address."""
ADVICE = "Check host and port (6379 unless set), that `ray start --head` runs there, and the firewall between"
HOW_TO_BRING_IT = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to a file that only you can read, with the cluster's token in it."
)
_ABOUT_TOKENS = re.compile(r"auth\w* token|AuthenticationError|InvalidAuthToken", re.IGNORECASE)


def check_answers(address: str) -> None:
    """See that a Ray head answers at ``HOST:PORT`` and takes this process's token.

    Raises :class:`ClusterError` within some 25 seconds, saying whether the form of the address, the network, the
    token or Ray is at fault, and what to do.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ClusterError(f"Expected an address HOST:PORT or 'auto', was '{address}'")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"Nothing answers at '{address}': {error}. {ADVICE}.") from error
    seen = _ask(address, {})
    if seen.returncode == 0:
        return
    if _ABOUT_TOKENS.search(seen.stderr):
        raise ClusterError(f"Ray at '{address}' asks for a token: this process has none, or another. {HOW_TO_BRING_IT}")
    said = " ".join((seen.stderr or seen.stdout).split())[-400:]
    raise ClusterError(f"Ray at '{address}' refuses: {said}. {ADVICE}.")


def asks_for_token(address: str) -> bool:
    """Whether the Ray head at an address that answers turns away who brings a made-up token."""
    return _ask(address, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}).returncode != 0


def _ask(address: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Ray's health check of a head, in a process of its own."""
    probe = [sys.executable, "-P", "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        return subprocess.run(  # noqa: S603 - our own interpreter; the address was checked
            probe,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"No Ray answers at '{address}' within {ANSWER_SECONDS:g} s. {ADVICE}.") from error
