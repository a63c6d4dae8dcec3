"""Reading and damaging the files of a ledger, in a folder and in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from gnosis_ray.storage.backend import mount_disk, mount_store
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import BucketBackend
from tests.support.disks import Power, WatchedDisk
from tests.support.object_stores import BUCKET, WatchedStore


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

    def power(self, cut: int | None = None, *, tidy: bool) -> AbstractContextManager[Power]:
        """A switch for the calls that change files; ``cut``: the one at which they begin to fail."""


@dataclass(frozen=True)
class FolderLedger:
    """A folder."""

    root: Path
    cuts: ClassVar[int] = 35
    """A folder and 7 files made, 6 of them written, 14 syncs of files and folders, 7 renames."""

    def sibling(self, name: str) -> FolderLedger:
        return FolderLedger(self.root.parent / name)

    def files(self, under: str = "") -> dict[str, bytes]:
        found = sorted((self.root / under).rglob("*"))
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found if path.is_file()}

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def corrupt(self, name: str, body: bytes) -> None:
        (self.root / name).write_bytes(body)

    @contextmanager
    def power(self, cut: int | None = None, *, tidy: bool) -> Iterator[Power]:
        power = Power(cut)
        with mount_disk(self.root, WatchedDisk(power.step, tidy)):
            yield power


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

    @contextmanager
    def power(self, cut: int | None = None, *, tidy: bool) -> Iterator[Power]:
        power = Power(cut)
        with mount_store(self.root.bucket, WatchedStore(self.root.bucket, power.step, tidy)):
            yield power
