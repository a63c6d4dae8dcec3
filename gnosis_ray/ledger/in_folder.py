"""A ledger in a folder, and the protocol by which a batch enters it whole, exactly once.

A batch is one part in each table and a commit marker. Any number of attempts, in any number of processes, may
write the same batch, with equal content or not, and any of them may be killed or come back from the dead:

1. **Stage.** An attempt writes all its parts and its receipt, synced, into a folder of its own,
   ``commits/<partition>/.batch-00007.<unique>``.
2. **Claim.** It renames that folder to ``.batch-00007``. Renaming onto a folder that is not empty fails, so exactly
   one attempt ever succeeds; the others throw their stage away. The claimed folder keeps one empty file for ever:
   a zombie that comes years later still loses.
3. **Publish.** The parts are renamed out of the claimed folder to their places, the folders are synced, and the
   receipt is renamed to the marker, ``commits/<partition>/batch-00007``, last. Each step can be repeated by
   anybody: where the winner died, the next attempt (or ``recover``) finishes what the winner began.

Only the claimed folder feeds the published names, so parts of two attempts never mix, and nothing is written once
the marker is there. Readers take the batches that have a marker. Needs a file system whose renames are atomic.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.partition import COMMITS, STAGED, Place, R, RunPartition, T, parse_folder
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.schemas.run_schemas import BatchReceipt
from gnosis_ray.storage.files import make_folder, read_parquet, replace_file, sync_folder, write_synced

_RECEIPT = "receipt.json"
_CLAIM = "claim"
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@dataclass(frozen=True)
class FolderPlace(Place):
    """A ledger in a folder of a file system."""

    root: Path

    def partition(self, run_date: date, run_id: str) -> FolderPartition:
        """One run's part of this folder."""
        return FolderPartition(run_date, run_id, self.root)

    def partitions(self, table: str, file: str | None = None) -> list[RunPartition]:
        """The partitions of a table; with ``file``, those that hold such a one."""
        folders = [path.as_posix() for path in self.root.glob(f"{table}/*/*") if not file or (path / file).is_file()]
        return [self.partition(*parse_folder(folder)) for folder in folders]

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.root / name).read_bytes()

    def frame(self, name: str) -> pl.DataFrame:
        """A Parquet file."""
        return read_parquet(self.root / name, str(self.root / name))

    def replace(self, name: str, body: bytes) -> None:
        """Give a file new content by a rename, synced."""
        path = self.root / name
        make_folder(path.parent)
        replace_file(path, body)

    def establish(self, name: str, body: bytes) -> bytes:
        """Write a file unless it is there; what it then holds."""
        if not self.exists(name):
            self.replace(name, body)
        return self.read(name)

    def each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """One after the other: the disk keeps nobody waiting."""
        return [function(item) for item in items]


@dataclass(frozen=True)
class FolderPartition(RunPartition):
    """One run's part of a ledger in a folder."""

    root: Path

    @property
    def place(self) -> FolderPlace:
        """The ledger's folder."""
        return FolderPlace(self.root)

    def create(self) -> None:
        """Make the partition's folders."""
        for table in (*BATCH_TABLES, COMMITS):
            make_folder(self.root / self.folder(table))

    def is_claimed(self, index: int) -> bool:
        """True once a stage was renamed to the batch's name."""
        return (self.root / self.claimed(index)).is_dir()

    @contextmanager
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> Iterator[str]:
        """Step 1: the parts, synced, in a folder that only this attempt knows."""
        name = self.stage(index)
        stage = self.root / name
        stage.mkdir()
        try:
            for table in BATCH_TABLES:
                write_synced(stage / f"{table}.parquet", parts[table])
            (stage / _CLAIM).touch()
            yield name
        finally:
            _discard(stage)

    def claim(self, stage: str, receipt: BatchReceipt) -> bool:
        """Step 2: rename the stage to the batch's name."""
        folder = self.root / stage
        write_synced(folder / _RECEIPT, receipt.model_dump_json().encode())
        sync_folder(folder)
        try:
            os.rename(folder, self.root / self.claimed(receipt.batch))  # noqa: PTH104  a place to cut the power in tests
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return False
        sync_folder(self.root / self.folder(COMMITS))
        return True

    def publish(self, index: int) -> None:
        """Step 3: move the claimed parts to their places, then the marker."""
        if self.is_committed(index):
            return
        claimed = self.root / self.claimed(index)
        for table in BATCH_TABLES:
            _move(claimed / f"{table}.parquet", self.root / self.part(table, index))
        for table in BATCH_TABLES:
            sync_folder(self.root / self.folder(table))
        _move(claimed / _RECEIPT, self.root / self.marker(index))
        sync_folder(self.root / self.folder(COMMITS))

    def sweep(self) -> None:
        """Throw away the stages of attempts that have lost."""
        for path in (self.root / self.folder(COMMITS)).iterdir():
            staged = STAGED.fullmatch(path.name)
            if staged and self.is_claimed(int(staged[1])):
                _discard(path)

    def commit_names(self) -> list[str]:
        """The names in the folder of commits; none where it is not there."""
        folder = self.root / self.folder(COMMITS)
        return os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  names are all that is needed


def _discard(stage: Path) -> None:
    """Throw a stage away; a claimed one is no longer there. Rubbish that resists does no harm."""
    shutil.rmtree(stage, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Rename, unless somebody who publishes the same batch has already done so."""
    try:
        os.rename(source, target)  # noqa: PTH104  one place where tests can cut the power
    except FileNotFoundError:
        if not target.is_file():
            raise LedgerError(f"Claimed batch lost its content: neither {source} nor {target} exists") from None
