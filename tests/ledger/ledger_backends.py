"""Reading and damaging the files of a ledger, in a folder and in a bucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest

from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.support.object_stores import BUCKET


class PowerCutError(Exception):
    """The process is gone."""


class LedgerBackend(Protocol):
    """A folder or a bucket with a ledger."""

    cuts: ClassVar[int]
    """Calls of one write that change files."""

    @property
    def root(self) -> Location:
        """Its location."""

    def sibling(self, name: str) -> LedgerBackend:
        """Another one of the same kind, empty."""

    def files(self, under: str = "") -> dict[str, bytes]:
        """Every file below a folder, hidden ones too, by name."""

    def remove(self, name: str) -> None:
        """Delete a file."""

    def corrupt(self, name: str, body: bytes) -> None:
        """Replace the content of a file."""

    def power(self, monkeypatch: pytest.MonkeyPatch, *, tidy: bool) -> Power:
        """A switch for the calls that change files."""


class Power:
    """Counts the calls that change something, and fails at the n-th and all after it, as after a crash."""

    def __init__(self) -> None:
        self.calls = 0
        self.last: int | None = None

    def cut_at(self, call: int | None) -> None:
        self.calls, self.last = 0, call

    def watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.last is not None and self.calls >= self.last:
                raise PowerCutError
            return real(*args, **kwargs)

        return call


@dataclass(frozen=True)
class FolderLedger:
    """A folder."""

    root: Path
    cuts: ClassVar[int] = 21
    """14 syncs of files and folders, 7 renames."""

    def sibling(self, name: str) -> FolderLedger:
        return FolderLedger(self.root.parent / name)

    def files(self, under: str = "") -> dict[str, bytes]:
        found = sorted((self.root / under).rglob("*"))
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found if path.is_file()}

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def corrupt(self, name: str, body: bytes) -> None:
        (self.root / name).write_bytes(body)

    def power(self, monkeypatch: pytest.MonkeyPatch, *, tidy: bool) -> Power:
        power = Power()
        for name in ("rename", "replace", "link", "fsync"):
            monkeypatch.setattr(os, name, power.watched(getattr(os, name)))
        if not tidy:
            monkeypatch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)
        return power


@dataclass(frozen=True)
class BucketLedger:
    """A prefix of a bucket."""

    root: S3Url
    cuts: ClassVar[int] = 12
    """5 parts and the claim written, 5 parts copied, the marker written."""
    distinct_cuts: ClassVar[tuple[int, ...]] = (1, 4, 5, 6, 7, 10, 11, 12)
    """Parts are written, and copied, at once: one more or less of them is the same to the protocol."""

    @classmethod
    def at(cls, folder: Path) -> BucketLedger:
        """One with a folder's name and all kinds of characters that a key may hold."""
        return cls(S3Url(BUCKET, f"{folder.name}/a b%20ü#/ledger"))

    def sibling(self, name: str) -> BucketLedger:
        return BucketLedger(self.root.parent / name)

    def files(self, under: str = "") -> dict[str, bytes]:
        objects = BucketBackend(self.root / under if under else self.root)
        prefix = f"{under}/" if under else ""
        return {f"{prefix}{name}": objects.get(name) for name in objects.names("")}

    def remove(self, name: str) -> None:
        BucketBackend(self.root).delete([name])

    def corrupt(self, name: str, body: bytes) -> None:
        BucketBackend(self.root).put(name, body)

    def power(self, monkeypatch: pytest.MonkeyPatch, *, tidy: bool) -> Power:
        power = Power()
        for name in ("put", "put_if_absent", "copy"):
            monkeypatch.setattr(BucketBackend, name, power.watched(getattr(BucketBackend, name)))
        if not tidy:
            monkeypatch.setattr(BucketBackend, "delete", lambda *args, **kwargs: None)
        return power
