"""The process that a user sees ends as its child says, or says what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

GUARDED = """
import os, signal, sys, time
from gnosis_ray import last_words
from gnosis_ray.cli.guard import guarded

def command():
    print(os.getpid(), flush=True)
    {body}

sys.exit(guarded(command))
"""
AT_WORK = 'with last_words.if_cut_off("ray is checked so"), last_words.if_cut_off("resume it so"):\n        '


def started(body: str, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    code = GUARDED.format(body=body)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        preexec_fn=before,
    )


def child_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ended(body: str) -> tuple[int, str]:
    process = started(body)
    _, stderr = process.communicate(timeout=30)
    return process.returncode, stderr


@pytest.mark.parametrize("code", [0, 3, 5])
def test_a_child_that_comes_to_its_end_has_its_own_code(code: int) -> None:
    assert ended(f"{AT_WORK}pass\n    return {code}") == (code, "")


@pytest.mark.parametrize("end", ["os._exit(1)", "os.abort()", "os.kill(os.getpid(), signal.SIGSEGV)"])
def test_a_child_that_ray_cut_off_is_spoken_for(end: str) -> None:
    code, stderr = ended(f"{AT_WORK}{end}")
    assert code == 5
    assert stderr.splitlines()[-3:] == [
        "error: Ray failed: one of its own processes has ended, and its client has ended this one.",
        "ray is checked so",
        "resume it so",
    ]


def test_what_was_left_behind_is_no_longer_said() -> None:
    assert ended(f"{AT_WORK}pass\n    os._exit(1)") == (1, "")


def test_an_end_after_the_commands_own_does_not_change_its_code() -> None:
    """Ray's clean-up when the interpreter exits, for one."""
    assert ended(f"import atexit; atexit.register(os._exit, 1)\n    {AT_WORK}pass\n    return 3") == (3, "")


def test_a_killed_child_is_reported_as_killed() -> None:
    code, stderr = ended(f"{AT_WORK}os.kill(os.getpid(), signal.SIGKILL)")
    assert code == 137
    assert "memory is short" in stderr
    assert "resume it so" in stderr


def test_signals_are_passed_on() -> None:
    body = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(99)); print('ready', flush=True); time.sleep(30)"
    process = started(body.replace("sys.exit(99)", "(last_words.end(143), os._exit(0))"))
    child_of(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143


def test_a_child_that_terminates_in_foreign_code_has_the_code_of_sigterm() -> None:
    code, stderr = ended(f"{AT_WORK}os.kill(os.getpid(), signal.SIGTERM)")
    assert (code, stderr.splitlines()[0]) == (143, "error: Terminated.")
    assert "resume it so" in stderr


def test_the_child_ends_with_the_process_that_the_user_sees() -> None:
    process = started("time.sleep(60)")
    child = child_of(process)
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 10.0
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """As a shell wants it for SIGINT of what it starts in the background."""
    process = started("time.sleep(1.0)\n    return 0", before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    child = child_of(process)
    for pid in (process.pid, child):
        os.kill(pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_session_that_was_cut_off_leaves_no_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("t")
    body = f"""import tempfile; from cluster import ray_folder
    tempfile.tempdir, ray_folder.LONGEST_BASE = {str(place)!r}, 200
    with last_words.if_cut_off("resume it so"), ray_folder.session_folder() as folder:
        os._exit(1)"""
    process = started(body, lambda: os.environ.update(TMPDIR=str(place)))
    process.communicate(timeout=30)
    assert process.returncode == 5
    assert list(place.iterdir()) == []


def test_the_command_is_imported_in_the_child_alone() -> None:
    """Libraries start threads, and a fork after that could hang."""
    code = "import gnosis_ray.cli.guard, sys; print(sorted({'polars', 'numpy', 'ray', 'click'} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
