"""Scans as a user starts them, in processes of their own, and the processes of Ray below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.chaos_harness import descendants, title_of

CHECKOUT = Path(__file__).parents[2]
PROCESSES = {
    "agent": re.compile(r"ray::(DashboardAgent|RuntimeEnvAgent)"),
    "raylet": re.compile(r"\S*/raylet/raylet "),
    "gcs": re.compile(r"\S*/gcs_server "),
    "host": re.compile(r"ray::(\S+:)?Worker\.work"),
}
"""How the titles begin of what belongs to a scan on a local Ray."""


def scan(out: Path, *more: str, batch_size: int = 1, **environment: str) -> subprocess.Popen[str]:
    """A scan into ``out`` by ``python -m gnosis_ray``, with a home of its own beside it."""
    own = {"GNOSIS_RAY__RUN__BATCH_SIZE": str(batch_size), "GNOSIS_RAY_HOME": str(out.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "gnosis_ray", "scan", "--out", str(out), "--format", "json", *more],
        env=os.environ | own | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        start_new_session=True,
    )


def finished(driver: subprocess.Popen[str], timeout_s: float = 120.0) -> str:
    """What a driver said on stderr until it had ended; one that does not end is killed and TimeoutExpired raised."""
    try:
        return driver.communicate(timeout=timeout_s)[1]
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.communicate()
        raise


def commits(out: Path) -> list[Path]:
    """The receipts of batches in a ledger."""
    return [path for path in out.glob("commits/*/*/batch-*") if path.is_file()]


def wait_for(driver: subprocess.Popen[str], what: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Return once ``what`` is so, or the driver has ended. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not what() and driver.poll() is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing seen of {driver.args!r} within {timeout_s:g} s")
        time.sleep(0.01)


def processes_of(driver: subprocess.Popen[str], kind: str) -> list[int]:
    """The processes of a kind below a driver."""
    return [pid for pid in descendants(driver.pid) if PROCESSES[kind].match(f"{title_of(pid)} ")]


def run_id_in(out: Path) -> str | None:
    """The one run of a ledger, if it has begun."""
    found = sorted(out.glob("manifests/*/run_id=*/manifest.json"))
    return found[0].parent.name.removeprefix("run_id=") if found else None
