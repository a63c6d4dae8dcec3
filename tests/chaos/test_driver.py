"""The driver, or Ray under it, killed or told to end, and the run finished by another, under another granularity."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.chaos.driver_processes import commits, finished, processes_of, scan, wait_for
from tests.support.scans import part_bytes

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

COUNT = 16
"""Enough that hosts have not finished them all by the time the first is seen."""
SYMBOLS = ",".join(f"SYN{number:02d}" for number in range(COUNT))
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of an undisturbed run."""
    out = tmp_path_factory.mktemp("undisturbed") / "whole"
    undisturbed = scan(out, "--symbols", SYMBOLS, "--granularity", "inline")
    stderr = finished(undisturbed)
    assert undisturbed.returncode == 0, stderr
    return out


def at_work(out: Path) -> subprocess.Popen[str]:
    """A scan on Ray whose first batch is finished."""
    driver = scan(out, "--symbols", SYMBOLS, "--granularity", "shard")
    wait_for(driver, lambda: bool(commits(out)))
    return driver


def resumed_is(whole: Path, out: Path) -> None:
    """The run in ``out``, resumed without Ray, is the undisturbed one."""
    done = len(commits(out))
    assert 1 <= done < COUNT
    (folder,) = (out / "commits").glob("*/*")
    resumed = scan(out, "--resume", folder.name.removeprefix("run_id="), "--granularity", "inline")
    stderr = finished(resumed)
    assert resumed.returncode == 0, stderr
    assert len(commits(out)) == COUNT
    assert list(part_bytes(out).values()) == list(part_bytes(whole).values())


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_run_whose_driver_ended_can_be_resumed(how: signal.Signals, code: int, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    driver = at_work(out)
    driver.send_signal(how)
    stderr = finished(driver, WITHIN_S)
    assert driver.returncode == code, stderr
    assert how is signal.SIGKILL or "gnosis-ray scan --resume" in stderr
    assert "stack" not in stderr.lower()
    resumed_is(whole, out)


@pytest.mark.parametrize("kind", ["agent"])
def test_a_run_whose_ray_failed_says_how_it_is_resumed(kind: str, whole: Path, tmp_path: Path) -> None:
    """The others of Ray's processes: ``make chaos``."""
    out = tmp_path / "cut"
    driver = at_work(out)
    os.kill(processes_of(driver, kind)[0], signal.SIGKILL)
    stderr = finished(driver, WITHIN_S)
    assert driver.returncode == 5, stderr
    assert "gnosis-ray scan --resume" in stderr
    resumed_is(whole, out)
