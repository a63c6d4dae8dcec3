"""A disk that keeps apart what is seen and what is durable, as strictly as POSIX allows.

A file's bytes are durable once the file was synced, a name once its folder was. A power cut keeps any subset of the
other names' changes, and of other bytes nothing, all, or a torn beginning, with or without zeros after it. A rename is
one change, kept in both folders or in none.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO, TypeVar

from gnosis_ray.storage.disk import OpenFile
from tests.simulation.world import FaultKind, World

T = TypeVar("T")
R = TypeVar("R")

_WRITES: tuple[FaultKind, ...] = ("disk full", "quota used up", "I/O error", "I/O errors that last")
_READS: tuple[FaultKind, ...] = ("I/O error", "I/O errors that last")
_ERRORS: dict[FaultKind, int] = {"disk full": errno.ENOSPC, "quota used up": errno.EDQUOT}


_versions = count()
"""Of files, of all seeds of this process: nobody takes one for another."""


@dataclass(eq=False)
class _File:
    seen: bytes = b""
    durable: bytes = b""
    synced: bool = False
    cursed: bool = False
    """A sync failed: what was written since may never reach the disk, whatever later syncs answer."""
    version: int = field(default_factory=_versions.__next__)


@dataclass(eq=False)
class _Folder:
    seen: dict[str, _Node] = field(default_factory=dict)
    durable: dict[str, _Node] = field(default_factory=dict)


_Node = _File | _Folder


@dataclass(frozen=True)
class _Edit:
    """A name that gets another node, or none."""

    folder: _Folder
    name: str
    node: _Node | None

    def same_name(self, other: _Edit) -> bool:
        return self.folder is other.folder and self.name == other.name


class SimulatedDisk:
    """A :class:`gnosis_ray.storage.disk.Disk` in memory, whose steps a :class:`World` counts and disturbs."""

    def __init__(self, world: World, home: Path) -> None:
        """``home``: a folder that is there, durably."""
        self.world = world
        self._home = home
        self._top = node = _Folder()
        for name in home.parts[1:]:
            inner = _Folder()
            node.seen[name] = node.durable[name] = inner
            node = inner
        self._pending: list[list[_Edit]] = []
        """Changes of names that are seen and not durable, in their order; each is kept whole or not at all."""

    @property
    def durable_folders(self) -> set[Path]:
        return self.world.current.durable_folders

    @contextmanager
    def create(self, path: Path) -> Iterator[OpenFile]:
        self._step("create", _WRITES, path)
        folder, node = self._parent(path), self._find(path)
        if not isinstance(node, _File):
            node = _File()
            self._change([_Edit(folder, path.name, node)])
        node.seen, node.synced, node.version = b"", False, next(_versions)
        yield _SimulatedFile(self, node, path)

    def sync_folder(self, folder: Path) -> None:
        self._step("sync folder", _WRITES, folder)
        self._persist(self._folder(folder))

    def make_folder(self, folder: Path) -> None:
        self._step("make folder", _WRITES, folder)
        if isinstance(self._find(folder), _File):
            raise _error(errno.EEXIST, folder)
        if self._find(folder) is None:
            self._change([_Edit(self._parent(folder), folder.name, _Folder())])

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename", _WRITES, target)
        node, there = self._node(source), self._find(target)
        if isinstance(node, _Folder) and isinstance(there, _Folder) and there.seen:
            raise _error(errno.ENOTEMPTY, target)
        if there is not None and isinstance(node, _Folder) != isinstance(there, _Folder):
            raise _error(errno.EISDIR if isinstance(there, _Folder) else errno.ENOTDIR, target)
        gone = _Edit(self._parent(source), source.name, None)
        self._change([gone, _Edit(self._parent(target), target.name, node)])

    def replace(self, source: Path, target: Path) -> None:
        self.rename(source, target)

    def link(self, source: Path, target: Path) -> None:
        self._step("link", _WRITES, target)
        node = self._node(source)
        if self._find(target) is not None:
            raise _error(errno.EEXIST, target)
        self._change([_Edit(self._parent(target), target.name, node)])

    def unlink(self, path: Path) -> None:
        self._step("unlink", _READS, path)
        if self._find(path) is not None:
            self._change([_Edit(self._parent(path), path.name, None)])

    def remove_tree(self, folder: Path) -> None:
        try:
            self._step("remove tree", _READS, folder)
            for name in sorted(self._folder(folder).seen):
                self.unlink(folder / name)
            self._step("remove tree", _READS, folder)
        except OSError:
            return
        self._change([_Edit(self._parent(folder), folder.name, None)])

    def is_file(self, path: Path) -> bool:
        return isinstance(self._find(path), _File)

    def is_folder(self, path: Path) -> bool:
        return isinstance(self._find(path), _Folder)

    def size(self, path: Path) -> int:
        return len(self._file(path).seen)

    def version(self, path: Path) -> tuple[int, int, int]:
        file = self._file(path)
        return len(file.seen), file.version, 0

    def digest(self, path: Path) -> str:
        return hashlib.sha256(self.read(path)).hexdigest()

    def read(self, path: Path) -> bytes:
        self._step("read", _READS, path)
        return self._file(path).seen

    def read_tail(self, path: Path, length: int) -> bytes:
        return self.read(path)[-length:]

    def names(self, folder: Path) -> list[str]:
        self._step("names", _READS, folder)
        names = list(self._folder(folder).seen)
        self.world.chance.shuffle(names)
        return names

    def walk(self, folder: Path) -> Iterator[Path]:
        node = self._find(folder)
        if isinstance(node, _Folder):
            for name, inner in list(node.seen.items()):
                if isinstance(inner, _File):
                    yield folder / name
                else:
                    yield from self.walk(folder / name)

    def scan_sources(self, paths: Sequence[Path]) -> list[str] | list[IO[bytes]]:
        return list[IO[bytes]](BytesIO(self.read(path)) for path in paths)

    def map_waiting(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        return in_any_order(self.world, function, items)

    def cut_power(self) -> None:
        """Lose what was not durable, but for what happened to be written already. No process may be left."""
        chance = self.world.chance
        likely = chance.choice((0.0, 0.3, 0.7, 1.0))
        for change in self._pending:
            if chance.random() < likely:
                _apply(change)
        self._pending.clear()
        self._restart(self._top)

    def contents(self) -> dict[str, bytes]:
        """All files, as they are seen."""
        return {str(path): self._file(path).seen for path in self.walk(self._home)}

    def flip_bit(self, below: str) -> str | None:
        """Change one bit of a file that holds any, with a path that begins so; its path, None where there is none."""
        paths = sorted(name for name, body in self.contents().items() if body and name.startswith(below))
        if not paths:
            return None
        path = self.world.chance.choice(paths)
        file = self._file(Path(path))
        file.seen = file.durable = flipped(self.world, file.seen)
        file.version = next(_versions)  # the next process looks at every file anew
        return path

    def _restart(self, folder: _Folder) -> None:
        folder.seen = dict(folder.durable)
        for node in folder.seen.values():
            if isinstance(node, _Folder):
                self._restart(node)
            elif not node.synced:
                node.seen = node.durable = torn(self.world, node.durable, node.seen)
                node.synced, node.version = True, next(_versions)

    def _step(self, what: str, fitting: tuple[FaultKind, ...], path: Path) -> None:
        kind = self.world.step(what, path, fitting)
        if kind is not None:
            named = None if what in ("write", "sync", "sync folder") else path  # calls on descriptors name no path
            raise _error(_ERRORS.get(kind, errno.EIO), named)

    def _change(self, edits: list[_Edit]) -> None:
        for edit in edits:
            _set(edit.folder.seen, edit)
        self._pending.append(edits)

    def _persist(self, folder: _Folder) -> None:
        for change in [edits for edits in self._pending if any(edit.folder is folder for edit in edits)]:
            at = next(number for number, edits in enumerate(self._pending) if edits is change)
            _apply(change)
            # what was done to the same names before is over
            earlier = [
                [e for e in edits if not any(e.same_name(new) for new in change)] for edits in self._pending[:at]
            ]
            self._pending = [edits for edits in earlier if edits] + self._pending[at + 1 :]

    def _find(self, path: Path) -> _Node | None:
        node: _Node = self._top
        for name in path.parts[1:]:
            found = node.seen.get(name) if isinstance(node, _Folder) else None
            if found is None:
                return None
            node = found
        return node

    def _node(self, path: Path) -> _Node:
        node = self._find(path)
        if node is None:
            raise _error(errno.ENOENT, path)
        return node

    def _file(self, path: Path) -> _File:
        node = self._node(path)
        if isinstance(node, _Folder):
            raise _error(errno.EISDIR, path)
        return node

    def _folder(self, path: Path) -> _Folder:
        node = self._node(path)
        if isinstance(node, _File):
            raise _error(errno.ENOTDIR, path)
        return node

    def _parent(self, path: Path) -> _Folder:
        return self._folder(path.parent)


@dataclass(frozen=True)
class _SimulatedFile:
    disk: SimulatedDisk
    file: _File
    path: Path

    def write(self, body: bytes) -> None:
        try:
            self.disk._step("write", _WRITES, self.path)
        except OSError:
            self.file.seen += body[: int(self.disk.world.chance.random() * len(body))]
            raise
        self.file.seen += body

    def sync(self) -> None:
        try:
            self.disk._step("sync", _WRITES, self.path)
        except OSError:
            self.file.cursed = True
            raise
        if not self.file.cursed:
            self.file.durable, self.file.synced = self.file.seen, True


def torn(world: World, durable: bytes, seen: bytes) -> bytes:
    """What a power cut can leave of bytes that were not synced."""
    beginning = seen[: int(world.chance.random() * len(seen))]
    return world.chance.choice((durable, seen, beginning, beginning + bytes(len(seen) - len(beginning))))


def flipped(world: World, body: bytes) -> bytes:
    """The bytes with one bit changed."""
    at = world.chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << world.chance.randrange(8))]) + body[at + 1 :]


def in_any_order(world: World, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What threads would do: all of it, in any order; the first item's error is raised in the end."""
    given = list(items)
    results: dict[int, R] = {}
    errors: dict[int, Exception] = {}
    for number in world.chance.sample(range(len(given)), len(given)):
        try:
            results[number] = function(given[number])
        except Exception as error:  # noqa: BLE001  raised below
            errors[number] = error
    if errors:
        raise errors[min(errors)]
    return [results[number] for number in range(len(given))]


def _apply(change: list[_Edit]) -> None:
    for edit in change:
        _set(edit.folder.durable, edit)


def _set(names: dict[str, _Node], edit: _Edit) -> None:
    if edit.node is None:
        names.pop(edit.name, None)
    else:
        names[edit.name] = edit.node


def _error(number: int, path: Path | None) -> OSError:
    return OSError(number, os.strerror(number), *(() if path is None else (str(path),)))
