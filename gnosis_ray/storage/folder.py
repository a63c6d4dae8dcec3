"""Files in a folder of a file system, as a :class:`gnosis_ray.storage.backend.StorageBackend`.

Needs a file system whose renames are atomic. What is being written has a hidden temporary name, which no listing
shows; a crash can leave one behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gnosis_ray.storage.files import create_file, is_temporary, sync_folder, write_file

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class FolderBackend:
    """The files below a folder."""

    root: Path

    def root_exists(self) -> bool:
        """Whether the folder exists."""
        return self.root.is_dir()

    def get(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.root / name).read_bytes()

    def get_tail(self, name: str, length: int) -> bytes:
        """The last bytes of a file."""
        with (self.root / name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - length))
            return file.read()

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def put(self, name: str, body: bytes) -> None:
        """Write or replace a file by a rename; file, name and new folders are synced."""
        write_file(self.root / name, body)

    def put_if_absent(self, name: str, body: bytes) -> bool:
        """Create a file by a hard link, which fails where the name exists; the name is synced, whoever made it."""
        path = self.root / name
        if create_file(path, body):
            return True
        sync_folder(path.parent)
        return path.read_bytes() == body

    def require_put_if_absent(self, name: str, body: bytes) -> None:
        """A file system refuses a second link of the same name."""

    def delete(self, names: Sequence[str]) -> None:
        """Delete files."""
        for name in names:
            (self.root / name).unlink(missing_ok=True)

    def names(self, folder: str = "") -> list[str]:
        """The names of all files below a folder."""
        top = self.root / folder
        return sorted(path.relative_to(top).as_posix() for path in _files(top))

    def sizes(self, folder: str = "") -> dict[str, int]:
        """The size of every file below a folder."""
        top, found = self.root / folder, {}
        for path in _files(top):
            with suppress(FileNotFoundError):  # deleted since it was listed
                found[path.relative_to(top).as_posix()] = path.stat().st_size
        return found

    def children(self, folder: str = "") -> list[str]:
        """The names directly in a folder."""
        try:
            names = os.listdir(self.root / folder)  # noqa: PTH208  a path for each name would take most of the time
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if not is_temporary(name))

    def browse(self, folder: str = "") -> Callable[[str], list[str]]:
        """:meth:`children` of what lies below ``folder``, each listed when asked for."""
        return FolderBackend(self.root / folder).children

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """One item after the other: a disk has no latency to hide."""
        return [function(item) for item in items]

    def scan_arguments(self) -> dict[str, Any]:
        """None are needed."""
        return {}

    def error_text(self, error: BaseException) -> str:
        """The text as it is: it names paths, and no credentials exist."""
        return str(error)


def _files(top: Path) -> Iterator[Path]:
    """Every file below a folder but temporary ones; a folder that vanishes meanwhile has none."""
    for folder, _, names in os.walk(top, onerror=_raise_unless_gone):
        yield from (Path(folder) / name for name in names if not is_temporary(name))


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
