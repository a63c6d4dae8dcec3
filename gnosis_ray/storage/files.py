"""Files and folders that survive a power cut: written whole or not at all, then synced, content and name."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnosis_ray.storage.disk import OS_DISK, Disk

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without hard links answer."""

_NOT_OURS = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.EROFS}
"""What a folder answers in which we can write nothing: nothing of ours in it needs a sync."""


def make_folder(folder: Path, disk: Disk = OS_DISK) -> None:
    """Create a folder and its parents where they do not exist, each one durable.

    One that exists may have been made by a process that died before it could sync the name: so the names of all
    folders down to this one are synced, once a process.
    """
    exists = disk.is_folder(folder)
    if folder == folder.parent or (exists and folder in disk.durable_folders):
        return
    make_folder(folder.parent, disk)
    if exists:
        _sync_seen(folder.parent, disk)
    else:
        disk.make_folder(folder)
        disk.sync_folder(folder.parent)
    disk.durable_folders.add(folder)


def make_durable(folder: Path, disk: Disk = OS_DISK) -> None:
    """Make what is seen in a folder durable, whoever wrote it; nothing happens where there is no such folder."""
    if disk.is_folder(folder):
        make_folder(folder, disk)
        _sync_seen(folder, disk)


def write_synced(path: Path, body: bytes, disk: Disk = OS_DISK) -> None:
    """Write a file's bytes to the disk, in place. Its name is durable once its folder is synced."""
    with disk.create(path) as file:
        file.write(body)
        file.sync()


def write_file(path: Path, body: bytes, disk: Disk = OS_DISK) -> None:
    """Write or replace a file, whole or not at all, durably; its folder is made where it does not exist."""
    with _staged(path, body, disk) as temporary:
        disk.replace(temporary, path)
    disk.sync_folder(path.parent)


def create_file(path: Path, body: bytes, disk: Disk = OS_DISK) -> bool:
    """As :func:`write_file`, unless the file exists; False where it does. Of callers at the same time one gets True.

    On a file system without hard links this holds for callers one after the other only: of two at the same time
    the last one's content stays.
    """
    if disk.is_file(path):
        return False
    with _staged(path, body, disk) as temporary:
        try:
            disk.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            disk.replace(temporary, path)
    disk.sync_folder(path.parent)
    return True


def unique() -> str:
    """A name that nobody else uses; for temporary files only."""
    return uuid.uuid4().hex


def is_temporary(name: str) -> bool:
    """Whether a file of this name is still being written, or was when its writer died."""
    return name.startswith(".") and name.endswith(".tmp")


def _sync_seen(folder: Path, disk: Disk) -> None:
    try:
        disk.sync_folder(folder)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise


@contextmanager
def _staged(path: Path, body: bytes, disk: Disk) -> Iterator[Path]:
    """The content, synced, in a temporary file beside ``path``, which is removed at the end."""
    make_folder(path.parent, disk)
    temporary = path.with_name(f".{path.name}.{unique()}.tmp")
    try:
        write_synced(temporary, body, disk)
        yield temporary
    finally:
        disk.unlink(temporary)
