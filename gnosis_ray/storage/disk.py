"""What a file system does for us, one call at a time: everything under a folder of ours goes through a :class:`Disk`.

The operating system is one. The tests have another, which keeps apart what is synced and what a power cut may take.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol, TypeVar

from gnosis_ray.storage.parallel import map_parallel

T = TypeVar("T")
R = TypeVar("R")


class OpenFile(Protocol):
    """A file that is being written."""

    def write(self, body: bytes) -> None:
        """Append bytes; a crash can leave any part of what was not synced."""

    def sync(self) -> None:
        """Make its bytes durable. Its name is once its folder is synced."""


class Disk(Protocol):
    """The calls of a file system. What is changed is seen at once, and durable once it was synced.

    A rename is atomic, also in a power cut. Every call raises :class:`OSError` as the operating system does.
    """

    @property
    def durable_folders(self) -> set[Path]:
        """Folders whose names, and those of the folders above them, this process has seen synced."""

    def create(self, path: Path) -> AbstractContextManager[OpenFile]:
        """A new file, or an emptied one."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""

    def make_folder(self, folder: Path) -> None:
        """Create a folder in one that exists; nothing happens where it exists."""

    def rename(self, source: Path, target: Path) -> None:
        """Move a file, or a folder, which replaces an empty folder alone."""

    def replace(self, source: Path, target: Path) -> None:
        """Move a file onto another one, or where none is."""

    def link(self, source: Path, target: Path) -> None:
        """A second name of a file; :class:`FileExistsError` where the name is taken."""

    def unlink(self, path: Path) -> None:
        """Delete a file; nothing happens where there is none."""

    def remove_tree(self, folder: Path) -> None:
        """Delete a folder with all that is in it, as far as that is possible."""

    def is_file(self, path: Path) -> bool:
        """Whether there is a file of that name."""

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder of that name."""

    def size(self, path: Path) -> int:
        """A file's bytes."""

    def version(self, path: Path) -> tuple[int, int, int]:
        """What differs once a file is another or was changed: size, time of change and inode."""

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file's content, in hexadecimal digits."""

    def read(self, path: Path) -> bytes:
        """A file's content."""

    def read_tail(self, path: Path, length: int) -> bytes:
        """The last bytes of a file, all of it where it is shorter."""

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, in any order."""

    def walk(self, folder: Path) -> Iterator[Path]:
        """Every file below a folder; what vanishes meanwhile, or is no folder, has none."""

    def scan_sources(self, paths: Sequence[Path]) -> list[str] | list[IO[bytes]]:
        """What ``polars.scan_parquet`` reads files from."""

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``function`` of every item where it mostly waits for the disk, several at once; in the order of the items."""


@dataclass(frozen=True)
class OperatingSystemDisk:
    """The file system of the operating system."""

    @property
    def durable_folders(self) -> set[Path]:
        """Of this process."""
        return _DURABLE_FOLDERS

    @contextmanager
    def create(self, path: Path) -> Iterator[OpenFile]:
        """A new file, or an emptied one."""
        with path.open("wb") as file:
            yield _SystemFile(file)

    def sync_folder(self, folder: Path) -> None:
        """Windows has no folder handles to sync."""
        if os.name == "nt":
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, folder: Path) -> None:
        """Create a folder."""
        folder.mkdir(exist_ok=True)

    def rename(self, source: Path, target: Path) -> None:
        """Move a file or a folder."""
        source.rename(target)

    def replace(self, source: Path, target: Path) -> None:
        """Move a file onto another one."""
        source.replace(target)

    def link(self, source: Path, target: Path) -> None:
        """A hard link."""
        target.hardlink_to(source)

    def unlink(self, path: Path) -> None:
        """Delete a file."""
        path.unlink(missing_ok=True)

    def remove_tree(self, folder: Path) -> None:
        """Delete a folder."""
        shutil.rmtree(folder, ignore_errors=True)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file of that name."""
        return path.is_file()

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder of that name."""
        return path.is_dir()

    def size(self, path: Path) -> int:
        """A file's bytes."""
        return path.stat().st_size

    def version(self, path: Path) -> tuple[int, int, int]:
        """Size, time of change and inode."""
        status = path.stat()
        return status.st_size, status.st_mtime_ns, status.st_ino

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file's content."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, path: Path) -> bytes:
        """A file's content."""
        return path.read_bytes()

    def read_tail(self, path: Path, length: int) -> bytes:
        """The last bytes of a file."""
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - length))
            return file.read()

    def names(self, folder: Path) -> list[str]:
        """The names in a folder."""
        return os.listdir(folder)  # noqa: PTH208  a path for each name would take most of the time

    def walk(self, folder: Path) -> Iterator[Path]:
        """Every file below a folder."""
        for inner, _, names in os.walk(folder, onerror=_raise_unless_gone):
            yield from (Path(inner) / name for name in names)

    def scan_sources(self, paths: Sequence[Path]) -> list[str] | list[IO[bytes]]:
        """The paths: Polars maps the files into memory."""
        return [str(path) for path in paths]

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """In threads."""
        return map_parallel(function, items)


_DURABLE_FOLDERS: set[Path] = set()

OS_DISK = OperatingSystemDisk()


@dataclass(frozen=True)
class _SystemFile:
    file: BinaryIO

    def write(self, body: bytes) -> None:
        self.file.write(body)

    def sync(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
