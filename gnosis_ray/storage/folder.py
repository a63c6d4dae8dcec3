"""Files in a folder of a file system, as a :class:`gnosis_ray.storage.backend.StorageBackend`.

Needs a file system whose renames are atomic. What is being written has a hidden temporary name, which no listing
shows; a crash can leave one behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from gnosis_ray.storage.disk import OS_DISK, Disk
from gnosis_ray.storage.files import create_file, is_temporary, make_durable, write_file

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class FolderBackend:
    """The files below a folder."""

    root: Path
    disk: Disk = OS_DISK

    def root_exists(self) -> bool:
        """Whether the folder exists."""
        return self.disk.is_folder(self.root)

    def get(self, name: str) -> bytes:
        """A file's bytes."""
        return self.disk.read(self.root / name)

    def get_tail(self, name: str, length: int) -> bytes:
        """The last bytes of a file."""
        return self.disk.read_tail(self.root / name, length)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.disk.is_file(self.root / name)

    def put(self, name: str, body: bytes) -> None:
        """Write or replace a file by a rename; file, name and new folders are synced."""
        write_file(self.root / name, body, self.disk)

    def put_if_absent(self, name: str, body: bytes) -> bool:
        """Create a file by a hard link, which fails where the name exists; the name is synced, whoever made it."""
        path = self.root / name
        if create_file(path, body, self.disk):
            return True
        make_durable(path.parent, self.disk)
        return self.disk.read(path) == body

    def require_put_if_absent(self, name: str, body: bytes) -> None:
        """A file system refuses a second link of the same name."""

    def delete(self, names: Sequence[str]) -> None:
        """Delete files."""
        for name in names:
            self.disk.unlink(self.root / name)

    def make_durable(self, folder: str = "") -> None:
        """Sync the names in a folder and those of the folders above it, whoever made them."""
        make_durable(self.root / folder, self.disk)

    def names(self, folder: str = "") -> list[str]:
        """The names of all files below a folder."""
        top = self.root / folder
        return sorted(path.relative_to(top).as_posix() for path in self._files(top))

    def sizes(self, folder: str = "") -> dict[str, int]:
        """The size of every file below a folder."""
        top, found = self.root / folder, {}
        for path in self._files(top):
            with suppress(FileNotFoundError):  # deleted since it was listed
                found[path.relative_to(top).as_posix()] = self.disk.size(path)
        return found

    def children(self, folder: str = "") -> list[str]:
        """The names directly in a folder."""
        try:
            names = self.disk.names(self.root / folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if not is_temporary(name))

    def browse(self, folder: str = "") -> Callable[[str], list[str]]:
        """:meth:`children` of what lies below ``folder``, each listed when asked for."""
        return replace(self, root=self.root / folder).children

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """One item after the other: a disk has no latency to hide."""
        return [function(item) for item in items]

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """In parallel: a sync waits for the disk."""
        return self.disk.map_waiting(function, items)

    def scan_sources(self, names: Sequence[str]) -> list[str] | list[IO[bytes]]:
        """The files' paths."""
        return self.disk.scan_sources([self.root / name for name in names])

    def scan_arguments(self) -> dict[str, Any]:
        """None are needed."""
        return {}

    def error_text(self, error: BaseException) -> str:
        """The text as it is: it names paths, and no credentials exist."""
        return str(error)

    def _files(self, top: Path) -> Iterator[Path]:
        """Every file below a folder but temporary ones."""
        return (path for path in self.disk.walk(top) if not is_temporary(path.name))
