"""The folder of a session with Ray: where it may be, who may enter it, and that it goes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import ray_folder
from cluster.ray_folder import (
    LONGEST_BASE,
    LONGEST_SOCKET,
    base_folder,
    remove_leftovers,
    require_private,
    session_folder,
    unfit,
    writable_by_others,
)
from gnosis_ray.errors import ClusterError

HOLDS_A_FOLDER = """
import sys, tempfile
from cluster import ray_folder
tempfile.tempdir, ray_folder.LONGEST_BASE = sys.argv[1], 200
with ray_folder.session_folder() as folder:
    (folder / "kept").write_text("ours")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files with a short path, as a user's own; the others are not looked at."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr(ray_folder, "BASES", ())
    monkeypatch.setattr(ray_folder, "LONGEST_BASE", len(str(folder)))
    return folder


def test_only_its_owner_may_enter_it_and_it_goes_with_all_that_is_in_it(short: Path) -> None:
    with session_folder() as folder:
        assert folder.parent == short
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "below").mkdir(mode=0o777)
        (folder / "below" / "file").touch()
    assert list(short.iterdir()) == []


def test_what_a_killed_process_left_goes_at_the_next_start_and_what_a_living_one_has_stays(short: Path) -> None:
    living, dying = (
        subprocess.Popen(
            [sys.executable, "-c", HOLDS_A_FOLDER, str(short)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(2)
    )
    with living, dying:
        kept, left = (Path(process.stdout.readline().strip()) for process in (living, dying) if process.stdout)
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        assert left.is_dir()
        with session_folder() as own:
            assert {path.name for path in short.iterdir()} == {kept.name, own.name}
        assert (kept / "kept").read_text() == "ours"
    assert list(short.iterdir()) == []


def test_folders_that_are_not_ours_stay(short: Path) -> None:
    (short / "gnosis-ray-open").mkdir(mode=0o755)
    (short / "gnosis-ray-open" / "lock").touch()
    (short / "gnosis-ray-starting").mkdir(mode=0o700)
    (short / "gnosis-ray-link").symlink_to(short / "elsewhere")
    (short / "elsewhere").mkdir(mode=0o700)
    (short / "elsewhere" / "lock").touch()
    assert remove_leftovers(short) == []
    assert len(list(short.iterdir())) == 4


def test_a_base_that_others_may_write_to_is_not_used_unless_it_is_sticky(short: Path) -> None:
    short.chmod(0o777)
    assert "others" in (unfit(short) or "")
    with pytest.raises(ClusterError, match=r"can be swapped by others.*Set TMPDIR"):
        base_folder()
    short.chmod(0o1777)
    assert base_folder() == short


def test_a_base_below_one_that_others_may_write_to_is_not_used(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = short / "b"
    below.mkdir(mode=0o700)
    short.chmod(0o777)
    monkeypatch.setattr(ray_folder, "LONGEST_BASE", 200)
    assert str(short) in (unfit(below) or "")


def test_another_is_used_where_the_path_is_too_long_for_rays_sockets(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = short / "deep"
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(ClusterError, match=r"has a path of \d+ bytes.*Set TMPDIR to a folder of yours with a path"):
        base_folder()
    monkeypatch.setattr(ray_folder, "BASES", (str(short),))
    assert base_folder() == short


def test_the_longest_base_leaves_room_for_the_longest_socket() -> None:
    base = "/" + "b" * (LONGEST_BASE - 1)
    session = "session_2026-07-10_20-00-00_123456_4194304"  # 2**22: the largest process id of Linux
    assert len(f"{base}/gnosis-ray-abcdefgh/r/{session}/sockets/plasma_store.1") <= LONGEST_SOCKET


def test_a_folder_is_private_only_if_it_is_a_folder_and_closed(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    require_private(tmp_path / "closed")
    (tmp_path / "link").symlink_to(tmp_path / "closed")
    (tmp_path / "open").mkdir(mode=0o711)
    for name in ("link", "open"):
        with pytest.raises(ClusterError, match="this user's alone"):
            require_private(tmp_path / name)


def test_others_may_write_where_they_may_come(tmp_path: Path) -> None:
    private, shared = tmp_path / "private", tmp_path / "shared"
    for folder, mode in ((private, 0o700), (shared, 0o755)):
        (folder / "ray" / "session").mkdir(parents=True)
        (folder / "ray").chmod(0o777)
        (folder / "ray" / "session").chmod(0o755)
        folder.chmod(mode)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == tmp_path.owner() and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    assert writable_by_others(private / "ray" / "session") is None
    assert writable_by_others(shared / "ray" / "session") == shared / "ray"
