"""The folder of one session with Ray: private, short enough for Ray's sockets, gone afterwards.

Ray makes its folders writable by everyone, and workers import what is unpacked there. Inside a folder that only its
owner may enter, that harms nobody: no other user can reach what is below.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnosis_ray.errors import ClusterError

PREFIX = "gnosis-ray-"
BASES = ("/tmp", "/var/tmp")  # noqa: S108 - a folder of a random name is made there, for its owner alone
"""Where the folder is made if the folder for temporary files is of no use."""
LONGEST_SOCKET = 107 if sys.platform.startswith("linux") else 103
"""Bytes that the path of a unix socket may have."""
OWN_NAME = len(f"/{PREFIX}12345678/r")
RAYS_NAMES = len("/session_2026-07-10_20-00-00_123456_1234567/sockets/plasma_store.1")
LONGEST_BASE = LONGEST_SOCKET - OWN_NAME - RAYS_NAMES
"""Bytes that the path may have of the folder in which ours is made."""

_LOCK = "lock"
_UNLOCKED_S = 3600.0
"""A folder that has no lock yet is left alone for so long: another process may just be making it."""
_REMOVE_S = 5.0
"""How long to wait for Ray's last processes to stop writing."""


@contextmanager
def session_folder() -> Iterator[Path]:
    """A new folder that only this user may enter, removed at the end, with all that is in it.

    Leftovers of sessions whose process is dead are removed too. Raises :class:`ClusterError` where no folder for
    temporary files will do. Side effects: makes and removes folders named ``gnosis-ray-*`` there.
    """
    base = base_folder()
    remove_all_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    require_private(folder)
    lock = _locked(folder)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def base_folder() -> Path:
    """The folder for temporary files in which a session's folder is made: ``$TMPDIR``, else another that will do.

    Raises :class:`ClusterError` naming each, and what is wrong with it.
    """
    reasons = {place: unfit(place) for place in _candidates()}
    for place, reason in reasons.items():
        if reason is None:
            return place
    found = "; ".join(f"{place} {reason}" for place, reason in reasons.items())
    raise ClusterError(
        f"No folder for Ray's temporary files: {found}. Set TMPDIR to a folder of yours with a path of at most "
        f"{LONGEST_BASE} bytes, which nobody else may write to."
    )


def _candidates() -> list[Path]:
    return list(dict.fromkeys(Path(place).resolve() for place in (tempfile.gettempdir(), *BASES)))


def unfit(base: Path) -> str | None:
    """Why a session's folder may not be made in ``base``, a path without symbolic links; None where it may."""
    size = len(os.fsencode(base))
    if size > LONGEST_BASE:
        return f"has a path of {size} bytes: with more than {LONGEST_BASE}, Ray's sockets have no room"
    if not base.is_dir() or not os.access(base, os.W_OK | os.X_OK):
        return "is no folder that this user may write to"
    mighty = {0, os.geteuid(), Path("/").stat().st_uid}
    for place in (base, *base.parents):
        seen = place.stat()
        if seen.st_uid not in mighty:
            return f"can be swapped by user {seen.st_uid}, who owns {place}"
        if _others_may_write(seen.st_mode):
            return f"can be swapped by others, who may write to {place} (mode {stat.S_IMODE(seen.st_mode):04o})"
    return None


def require_private(folder: Path) -> None:
    """Raises :class:`ClusterError` unless ``folder`` is a folder, no link, this user's, and closed to all others."""
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        found = f"{folder} (mode {stat.S_IMODE(seen.st_mode):04o}, owner {seen.st_uid})"
        raise ClusterError(f"Expected a folder of this user's alone, was {found}. Somebody else may have made it.")


def writable_by_others(folder: Path) -> Path | None:
    """The first of ``folder`` and the folders above it in which another user may swap what is below; None if none.

    Whether others can come there counts: a folder that they may not enter protects all that it holds.
    """
    found = None
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode
        if not mode & (stat.S_IXGRP | stat.S_IXOTH):
            return None
        if _others_may_write(mode):
            found = place
    return found


def _others_may_write(mode: int) -> bool:
    return bool(mode & (stat.S_IWGRP | stat.S_IWOTH)) and not mode & stat.S_ISVTX


def remove_all_leftovers() -> None:
    """Remove this user's folders of sessions whose process is dead, wherever :func:`session_folder` makes them."""
    for base in _candidates():
        remove_leftovers(base)


def remove_leftovers(base: Path) -> list[Path]:
    """Remove this user's folders of sessions in ``base`` whose process is dead; those that were removed."""
    return [folder for folder in sorted(base.glob(f"{PREFIX}*")) if _remove_if_dead(folder)]


def _remove_if_dead(folder: Path) -> bool:
    try:
        require_private(folder)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _age_s(folder) > _UNLOCKED_S and _remove(folder)
    except (ClusterError, OSError):  # not ours: another user's, or no folder
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # its process lives
        return False
    else:
        return _remove(folder)
    finally:
        os.close(lock)


def _age_s(folder: Path) -> float:
    with suppress(OSError):
        return time.time() - folder.stat().st_mtime
    return 0.0


def _locked(folder: Path) -> int:
    """A lock on ``folder`` that ends with this process, however it ends; taken before it can be seen."""
    draft = folder / f"{_LOCK}.new"
    lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(folder / _LOCK)
    return lock


def _remove(folder: Path) -> bool:
    """Whether it is gone: Ray's processes may write for a moment after they were told to end."""
    deadline = time.monotonic() + _REMOVE_S
    shutil.rmtree(folder, ignore_errors=True)
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
