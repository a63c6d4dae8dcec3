"""Disks for tests: the operating system's, with something in its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gnosis_ray.storage.disk import OpenFile, OperatingSystemDisk


class PowerCutError(Exception):
    """The process is gone."""


@dataclass(frozen=True)
class WatchedDisk(OperatingSystemDisk):
    """Calls ``before`` with the name of each step that changes something, and with its place; it may raise.

    ``tidy``: whether what is temporary is removed after an error, as it is not after a kill.
    """

    before: Callable[[str, Path], None]
    tidy: bool = True

    @contextmanager
    def create(self, path: Path) -> Iterator[OpenFile]:
        self.before("create", path)
        with super().create(path) as file:
            yield _WatchedFile(file, path, self.before)

    def sync_folder(self, folder: Path) -> None:
        self.before("sync folder", folder)
        super().sync_folder(folder)

    def make_folder(self, folder: Path) -> None:
        self.before("make folder", folder)
        super().make_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        self.before("rename", target)
        super().rename(source, target)

    def replace(self, source: Path, target: Path) -> None:
        self.before("replace", target)
        super().replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        self.before("link", target)
        super().link(source, target)

    def unlink(self, path: Path) -> None:
        if self.tidy:
            super().unlink(path)

    def remove_tree(self, folder: Path) -> None:
        if self.tidy:
            super().remove_tree(folder)


@dataclass(frozen=True)
class _WatchedFile:
    file: OpenFile
    path: Path
    before: Callable[[str, Path], None]

    def write(self, body: bytes) -> None:
        self.before("write", self.path)
        self.file.write(body)

    def sync(self) -> None:
        self.before("sync file", self.path)
        self.file.sync()


class Power:
    """Counts steps, and fails at the n-th and all after it, as after a crash."""

    def __init__(self, cut: int | None = None) -> None:
        """``cut``: the step at which to fail; None: at none."""
        self.calls = 0
        self.cut = cut

    def step(self, what: str, *_: object) -> None:
        """Another step; tidying up after an error is none."""
        if what == "delete":
            return
        self.calls += 1
        if self.cut is not None and self.calls >= self.cut:
            raise PowerCutError
