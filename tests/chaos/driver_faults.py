"""Scans as commands, each with a Ray of its own: a process of that Ray is killed, or the driver is, or told to end.

What is right: an end within a minute with a code that the documents name, on stderr the command that resumes the run
once it has begun, and after that the ledger of an undisturbed run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.chaos.driver_processes import commits, finished, processes_of, run_id_in, scan, wait_for
from tests.support.scans import part_bytes

SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT, "SIGKILL": signal.SIGKILL}
"""To the driver."""
KINDS = ("agent", "raylet", "gcs", *SIGNALS)
EXPECTED = {"SIGTERM": 143, "SIGINT": 130, "SIGKILL": -signal.SIGKILL}
"""The exit code, unless the run was finished before; where a process of Ray's is killed, 5."""
LATEST_S = 4.0
"""A fault comes at most so many seconds after the first batch is finished, or after Ray starts."""
WITHIN_S = 60.0
COUNT = 32
SYMBOLS = ",".join(f"SYN{number:02d}" for number in range(COUNT))


@dataclass(frozen=True)
class DriverOutcome:
    """How a driver ended: its exit ``code``, ``seconds`` after the fault, with ``done`` of ``batches`` finished.

    ``told``: whether it said how the run is resumed. ``equal``: whether the ledger, resumed where it had to be, is the
    undisturbed one; None where no run had begun.
    """

    kind: str
    code: int | None
    seconds: float
    done: int
    told: bool
    equal: bool | None
    began: bool

    @property
    def right(self) -> bool:
        """See the module."""
        if self.code == 0:
            return self.equal is True
        named = self.code == EXPECTED.get(self.kind, 5) and self.seconds <= WITHIN_S
        told = self.told or self.kind == "SIGKILL" or not self.began
        return named and told and self.equal is not False


def run_driver_fault(kind: str, after_s: float, batch_size: int, early: bool | None = None) -> DriverOutcome:
    """One scan with a fault ``after_s`` seconds after its first batch, or with ``early`` after its Ray starts.

    ``early`` None: one in four, by the time itself, so that a seed repeats it.
    """
    folder = Path(tempfile.mkdtemp(prefix="driver-"))
    out = folder / "ledger"
    driver = scan(out, "--symbols", SYMBOLS, "--granularity", "shard", batch_size=batch_size)
    starting = after_s < LATEST_S / 4 if early is None else early
    kind_seen = kind if kind not in SIGNALS else "gcs"
    wait_for(driver, lambda: bool(processes_of(driver, kind_seen) if starting else commits(out)))
    time.sleep(after_s)
    _strike(driver, kind)
    began = time.monotonic()
    try:
        said, code = finished(driver, 2 * WITHIN_S), driver.returncode
    except subprocess.TimeoutExpired:
        said, code = "", None
    seconds, done = time.monotonic() - began, len(commits(out))
    outcome = DriverOutcome(kind, code, seconds, done, "--resume" in said, None, run_id_in(out) is not None)
    equal = _resumed_is_undisturbed(out, batch_size, code) if outcome.began else None
    shutil.rmtree(folder)
    return DriverOutcome(kind, code, seconds, done, outcome.told, equal, outcome.began)


def _strike(driver: subprocess.Popen[str], kind: str) -> None:
    if kind in SIGNALS:
        driver.send_signal(SIGNALS[kind])
        return
    for process in processes_of(driver, kind)[:1]:
        os.kill(process, signal.SIGKILL)


def _resumed_is_undisturbed(out: Path, batch_size: int, code: int | None) -> bool:
    run_id = run_id_in(out)
    if code != 0 and run_id is not None:
        resumed = scan(out, "--resume", run_id, "--granularity", "inline")
        said = finished(resumed)
        if resumed.returncode != 0:
            raise RuntimeError(f"the run cannot be resumed: {said}")
    return tuple(part_bytes(out).values()) == _undisturbed(batch_size)


@cache
def _undisturbed(batch_size: int) -> tuple[bytes, ...]:
    """The parts of an undisturbed run in one process."""
    folder = Path(tempfile.mkdtemp(prefix="undisturbed-"))
    driver = scan(folder / "ledger", "--symbols", SYMBOLS, "--granularity", "inline", batch_size=batch_size)
    said = finished(driver)
    if driver.returncode != 0:
        raise RuntimeError(f"an undisturbed run failed: {said}")
    parts = tuple(part_bytes(folder / "ledger").values())
    shutil.rmtree(folder)
    return parts


def table_of_drivers(outcomes: Mapping[str, list[DriverOutcome]]) -> str:
    """What became of each kind of fault, in Markdown."""
    lines = [
        "| killed, or sent | runs | ledgers equal | exit codes | longest wait for the end, s |",
        "|---|---|---|---|---|",
    ]
    for kind in [kind for kind in KINDS if kind in outcomes]:
        seen = outcomes[kind]
        codes = Counter("no end" if one.code is None else str(one.code) for one in seen)
        told = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
        equal = sum(one.equal is not False for one in seen)
        lines.append(f"| {kind} | {len(seen)} | {equal} | {told} | {max(one.seconds for one in seen):.0f} |")
    return "\n".join(lines)
