"""One way to keep files: the same operations on whole files, in a folder and under a prefix of a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from gnosis_ray.storage.disk import OS_DISK, Disk
from gnosis_ray.storage.folder import FolderBackend
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.object_store import BucketBackend, ObjectStore

T = TypeVar("T")
R = TypeVar("R")


class StorageBackend(Protocol):
    """Files below a root, by relative names with ``/`` between their segments.

    Every write is whole or absent, also after a crash, and durable when the call returns. A name is one file, never a
    pattern. A backend holds no open file and no connection: it can be pickled and used by many threads and processes.
    Operations raise :class:`OSError` where the file system or the store refuses, and :class:`FileNotFoundError` where
    a file to be read does not exist.
    """

    @property
    def root(self) -> Location:
        """The folder or prefix."""

    def root_exists(self) -> bool:
        """Whether the folder exists; a prefix of a bucket always does."""

    def get(self, name: str) -> bytes:
        """A file's bytes."""

    def get_tail(self, name: str, length: int) -> bytes:
        """The last ``length`` bytes of a file; all of it where it is shorter."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def put(self, name: str, body: bytes) -> None:
        """Write or replace a file: readers see the earlier content or this one, never a mixture."""

    def put_if_absent(self, name: str, body: bytes) -> bool:
        """Create a file unless it exists; True where its content is now ``body``.

        Of several callers with different bodies, at any time and in any process, exactly one gets True.
        """

    def require_put_if_absent(self, name: str, body: bytes) -> None:
        """Raise :class:`OSError` where the store would create a file twice.

        ``name`` must exist and hold ``body``. Some S3-compatible stores ignore the condition of a write.
        """

    def delete(self, names: Sequence[str]) -> None:
        """Delete files; those that do not exist are skipped."""

    def make_durable(self, folder: str = "") -> None:
        """Make what is seen in a folder durable, whoever wrote it: its writer may have died before it could."""

    def names(self, folder: str = "") -> list[str]:
        """The names of all files below a folder, relative to it, sorted; none where there is no such folder."""

    def sizes(self, folder: str = "") -> dict[str, int]:
        """The size in bytes of every file below a folder, by names relative to it."""

    def children(self, folder: str = "") -> list[str]:
        """The names directly in a folder, of files and of folders, sorted; none where there is no such folder."""

    def browse(self, folder: str = "") -> Callable[[str], list[str]]:
        """:meth:`children` of what lies below ``folder``, by names relative to it, to walk through several levels.

        A folder is listed when asked for; a bucket once, in advance, since each request takes tens of milliseconds.
        """

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``function`` of every item, in their order; in parallel where latency dominates."""

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """As :meth:`map_each`, for functions that write: a disk makes them wait too."""

    def scan_sources(self, names: Sequence[str]) -> list[str] | list[IO[bytes]]:
        """What ``polars.scan_parquet`` reads files from."""

    def scan_arguments(self) -> dict[str, Any]:
        """The arguments with which ``polars.scan_parquet`` reads files of this backend."""

    def error_text(self, error: BaseException) -> str:
        """The text of an error that another library raised while it read files of this backend, without secrets."""


def open_backend(root: Location) -> FolderBackend | BucketBackend:
    """The backend of a folder or a bucket; nothing is read or written yet."""
    if isinstance(root, Path):
        return FolderBackend(root, disk_of(root))
    return BucketBackend(root, _mounted_stores.get(root.bucket))


_mounted_disks: dict[Path, Disk] = {}
_mounted_stores: dict[str, ObjectStore] = {}


@contextmanager
def mount_disk(folder: Path, disk: Disk) -> Iterator[None]:
    """Keep what this process reads and writes below a folder on another disk than the operating system's."""
    _mounted_disks[folder] = disk
    try:
        yield
    finally:
        del _mounted_disks[folder]


@contextmanager
def mount_store(bucket: str, store: ObjectStore) -> Iterator[None]:
    """Keep what this process reads and writes in a bucket in another object store than the environment's."""
    _mounted_stores[bucket] = store
    try:
        yield
    finally:
        del _mounted_stores[bucket]


def disk_of(root: Path) -> Disk:
    """The disk that a folder or a file is on."""
    if not _mounted_disks:
        return OS_DISK
    return next((_mounted_disks[place] for place in (root, *root.parents) if place in _mounted_disks), OS_DISK)
