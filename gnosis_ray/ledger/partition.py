"""One run's partition of every table, and the protocol by which a batch enters it whole, exactly once.

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
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.files import make_folder, sync_folder, unique, write_synced
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

COMMITS = "commits"
_RECEIPT = "receipt.json"
_CLAIM = "claim"
_MARKER = re.compile(r"batch-(\d+)")
_CLAIMED = re.compile(r"\.batch-(\d+)")
_STAGED = re.compile(r"\.batch-(\d+)\.\w+")
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


@dataclass(frozen=True)
class Partition:
    """Where one run's parts lie: ``<root>/<table>/run_date=<run_date>/run_id=<run_id>``."""

    root: Path
    run_date: date
    run_id: str

    def folder(self, table: str) -> Path:
        """This partition's folder in a table."""
        return self.root / table / f"run_date={self.run_date.isoformat()}" / f"run_id={self.run_id}"

    def part(self, table: str, index: int) -> Path:
        """A batch's Parquet file in a table."""
        return self.folder(table) / f"{_name(index)}.parquet"

    def locate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of this partition with the columns that its folders' names stand for."""
        return rows.with_columns(pl.lit(self.run_date).alias("run_date"), pl.lit(self.run_id).alias("run_id"))

    def create(self) -> None:
        """Make the partition's folders."""
        for table in (*BATCH_TABLES, COMMITS):
            make_folder(self.folder(table))

    def is_committed(self, index: int) -> bool:
        """True once the batch is whole and readable."""
        return self._marker(index).is_file()

    def is_claimed(self, index: int) -> bool:
        """True once some attempt has won the batch, published or not."""
        return self._claimed(index).is_dir()

    def committed_batches(self) -> list[int]:
        """The numbers of the readable batches, ascending."""
        return self._numbers(_MARKER)

    def receipt(self, index: int) -> BatchReceipt:
        """What the marker of a committed batch says."""
        return BatchReceipt.model_validate_json(self._marker(index).read_bytes())

    def next_free(self) -> int:
        """A batch number that nobody has claimed yet."""
        return max(self._numbers(_CLAIMED), default=-1) + 1

    def recover(self) -> None:
        """Publish the batches that were claimed by attempts which did not live to publish them."""
        for index in self._numbers(_CLAIMED):
            self.publish(index)

    @contextmanager
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> Iterator[Path]:
        """Step 1: the parts (table -> file content), synced, in a folder that only this attempt knows.

        Thrown away at the end, unless it was claimed.
        """
        name = "batch-next" if index is None else _name(index)
        stage = self.folder(COMMITS) / f".{name}.{unique()}"
        stage.mkdir()
        try:
            for table in BATCH_TABLES:
                write_synced(stage / f"{table}.parquet", parts[table])
            (stage / _CLAIM).touch()
            yield stage
        finally:
            _discard(stage)

    def claim(self, stage: Path, receipt: BatchReceipt) -> bool:
        """Step 2: make the stage the one content of batch ``receipt.batch``; False where another attempt did."""
        write_synced(stage / _RECEIPT, receipt.model_dump_json().encode())
        sync_folder(stage)
        try:
            os.rename(stage, self._claimed(receipt.batch))  # noqa: PTH104  one place where tests can cut the power
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            return False
        sync_folder(self.folder(COMMITS))
        return True

    def publish(self, index: int) -> None:
        """Step 3: move the claimed parts to their places, then the marker. Whoever calls it, the result is the same."""
        if self.is_committed(index):
            return
        claimed = self._claimed(index)
        for table in BATCH_TABLES:
            _move(claimed / f"{table}.parquet", self.part(table, index))
        for table in BATCH_TABLES:
            sync_folder(self.folder(table))
        _move(claimed / _RECEIPT, self._marker(index))
        sync_folder(self.folder(COMMITS))

    def sweep(self) -> None:
        """Throw away the stages of attempts that have lost. Those that could still win are left alone."""
        for path in self.folder(COMMITS).iterdir():
            staged = _STAGED.fullmatch(path.name)
            if staged and self.is_claimed(int(staged[1])):
                _discard(path)

    def _marker(self, index: int) -> Path:
        return self.folder(COMMITS) / _name(index)

    def _claimed(self, index: int) -> Path:
        return self.folder(COMMITS) / f".{_name(index)}"

    def _numbers(self, pattern: re.Pattern[str]) -> list[int]:
        folder = self.folder(COMMITS)
        names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  names are all that is needed
        return sorted(int(match[1]) for match in map(pattern.fullmatch, names) if match)


def _name(index: int) -> str:
    return Batch(index=index, symbols=()).name


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
