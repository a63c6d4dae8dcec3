"""``python -m gnosis_ray`` is the command line, wherever it is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gnosis_ray

REPOSITORY = Path(gnosis_ray.__file__).parents[1]


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, in ``folder``."""
    command = [sys.executable, "-m", "gnosis_ray", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_module_is_the_command_line(tmp_path: Path) -> None:
    help_ = started(tmp_path, "--help")
    assert (help_.returncode, help_.stderr) == (0, "")
    assert help_.stdout.startswith("Usage: gnosis-ray ")


def test_exit_codes_pass_through(tmp_path: Path) -> None:
    assert started(tmp_path, "runs", "show", "nothing").returncode == 2


def test_modules_of_the_working_folder_do_not_replace_ours(tmp_path: Path) -> None:
    for name in ("actors", "cluster", "polars"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)\n")
    done = started(tmp_path, "scan", "--symbols", "AAPL", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_it_runs_from_the_checkout_too() -> None:
    assert started(REPOSITORY, "scan", "--help").returncode == 0
