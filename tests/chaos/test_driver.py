"""The driver itself killed or interrupted, and the run finished by another, under another granularity."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.scans import part_bytes

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

CODE = "import sys; from gnosis_ray.cli.main import run; sys.exit(run(sys.argv[1:]))"
COUNT = 16
"""Enough that hosts have not finished them all by the time the first is seen."""
SYMBOLS = ",".join(f"SYN{number:02d}" for number in range(COUNT))


def scan(out: Path, *more: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"GNOSIS_RAY__RUN__BATCH_SIZE": "1", "GNOSIS_RAY_HOME": str(out.parent)}
    command = [sys.executable, "-c", CODE, "scan", "--out", str(out), "--format", "json", *more]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def commits(out: Path) -> list[Path]:
    return [path for path in out.glob("commits/*/*/batch-*") if path.is_file()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of an undisturbed run."""
    out = tmp_path_factory.mktemp("undisturbed") / "whole"
    undisturbed = scan(out, "--symbols", SYMBOLS, "--granularity", "inline")
    stderr = undisturbed.communicate(timeout=120)[1].decode()
    assert undisturbed.returncode == 0, stderr
    return out


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_run_whose_driver_ended_can_be_resumed(how: signal.Signals, code: int, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    driver = scan(out, "--symbols", SYMBOLS, "--granularity", "shard")
    deadline = time.monotonic() + 120.0
    while not commits(out) and driver.poll() is None:
        assert time.monotonic() < deadline, "no batch was finished"
        time.sleep(0.01)
    driver.send_signal(how)
    stderr = driver.communicate(timeout=60)[1].decode()
    assert driver.returncode == code, stderr
    finished = len(commits(out))
    assert 1 <= finished < COUNT

    (folder,) = (out / "commits").glob("*/*")
    run_id = folder.name.removeprefix("run_id=")
    resumed = scan(out, "--resume", run_id, "--granularity", "inline")
    stderr = resumed.communicate(timeout=120)[1].decode()
    assert resumed.returncode == 0, stderr
    assert len(commits(out)) == COUNT

    assert list(part_bytes(out).values()) == list(part_bytes(whole).values())
