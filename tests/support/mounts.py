"""Small file systems of their own, where this user may mount them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of this size in a new folder; skips the test where there is no right to mount one."""
    folder.mkdir()
    if _run("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)) != 0:
        pytest.skip("no right to mount a small disk")
    try:
        yield folder
    finally:
        assert _run("umount", "-l", str(folder)) == 0


def grow(folder: Path, kilobytes: int) -> None:
    """Give a small disk another size."""
    assert _run("mount", "-o", f"remount,size={kilobytes}k", str(folder)) == 0


def _run(*command: str) -> int:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 127
