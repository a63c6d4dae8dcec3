"""One run's partition of a ledger: its file names, and the steps by which a batch is committed to it.

Names are relative to the ledger's root, with ``/`` between their segments:
``<table>/run_date=<run_date>/run_id=<run_id>/batch-00007.parquet``. The marker of a complete batch is
``commits/<partition>/batch-00007``, written last; readers take the batches that have one.

Folders and buckets give the same guarantee: any number of attempts, in any number of processes, may write the same
batch, with equal content or not, and any of them may be killed or come back late; the batch is then absent, or
complete and one attempt's. The protocols are in :mod:`gnosis_ray.ledger.in_folder` and
:mod:`gnosis_ray.ledger.in_bucket`.
"""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date

import polars as pl
from pydantic import ValidationError

from gnosis_ray.errors import IntegrityError, LedgerError, ResourceError, is_exhausted
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from gnosis_ray.storage.backend import StorageBackend
from gnosis_ray.storage.digests import require_digest, with_own_digest, without_own_digest
from gnosis_ray.storage.files import unique
from gnosis_ray.storage.parquet import parquet_frame

COMMITS = "commits"
MARKER = re.compile(r"batch-(\d+)")
CLAIMED = re.compile(r"\.batch-(\d+)")
STAGED = re.compile(r"\.batch-(\d+)\.\w+")


@dataclass(frozen=True)
class RunPartition(ABC):
    """One run's part of every table, and the three steps by which a batch is committed to it.

    Small and stateless: made anew wherever it is needed.
    """

    run_date: date
    run_id: str
    backend: StorageBackend
    tables: tuple[str, ...]
    """The tables in which every batch of the run has a part."""

    @abstractmethod
    def create(self) -> None:
        """Prepare for writing."""

    @abstractmethod
    def is_claimed(self, index: int) -> bool:
        """True once some attempt has won the batch, published or not."""

    @abstractmethod
    def staged(self, parts: Mapping[str, bytes], index: int | None = None) -> AbstractContextManager[str]:
        """Step 1: the parts (table -> file content), durable, in a folder that only this attempt knows: its name.

        Thrown away at the end, unless it was claimed.
        """

    @abstractmethod
    def claim(self, stage: str, receipt: BatchReceipt) -> bool:
        """Step 2: make the stage the one content of batch ``receipt.batch``; False where another attempt did."""

    @abstractmethod
    def publish(self, index: int) -> None:
        """Step 3: publish the claimed parts under their names, then the marker. Idempotent, whoever calls it."""

    @abstractmethod
    def has_lost(self, stage: str, index: int) -> bool:
        """Whether a stage of batch ``index`` can no longer become its content, nor is needed to publish it."""

    @abstractmethod
    def release(self, index: int) -> None:
        """Forget which attempt has won a batch, so that it can be written anew: for a repair alone."""

    @abstractmethod
    def discard(self, stage: str) -> None:
        """Delete a stage, as far as that is possible: leftovers do no harm."""

    def sweep(self) -> None:
        """Delete the stages of attempts that have lost. Those that could still win are kept."""
        for name in self.commit_names():
            staged, stage = STAGED.fullmatch(name), f"{self.folder(COMMITS)}/{name}"
            if staged and self.has_lost(stage, int(staged[1])):
                self.discard(stage)

    def commit_names(self) -> list[str]:
        """The names directly in the folder of commits, stages too."""
        return self.backend.children(self.folder(COMMITS))

    @property
    def label(self) -> str:
        """Its folder in every table: ``run_date=2026-07-12/run_id=<run_id>``."""
        return f"run_date={self.run_date.isoformat()}/run_id={self.run_id}"

    def folder(self, table: str) -> str:
        """This partition's folder in a table."""
        return f"{table}/{self.label}"

    def part(self, table: str, index: int) -> str:
        """A batch's Parquet file in a table."""
        return f"{self.folder(table)}/{batch_name(index)}.parquet"

    def marker(self, index: int) -> str:
        """The marker of a complete batch; it holds the receipt."""
        return f"{self.folder(COMMITS)}/{batch_name(index)}"

    def claimed(self, index: int) -> str:
        """The claim of a batch: its winner is decided."""
        return f"{self.folder(COMMITS)}/.{batch_name(index)}"

    def stage(self, index: int | None) -> str:
        """A new name for a stage; an attempt may not know its batch's number yet."""
        return f"{self.folder(COMMITS)}/.{'batch-next' if index is None else batch_name(index)}.{unique()}"

    def frame(self, table: str, receipt: BatchReceipt) -> pl.DataFrame:
        """A batch's rows of a table.

        Raises :class:`IntegrityError` where they are not what the batch's receipt says was written.
        """
        name = self.part(table, receipt.batch)
        frame = self.read_frame(name, receipt.digests.get(table))
        stated = receipt.rows.get(table, frame.height)  # those of older versions do not count every table
        if frame.height != stated:
            raise self.damaged(name, f"Expected {stated} rows, as its receipt says, was {frame.height}")
        return frame

    def read_frame(self, name: str, digest: str | None = None) -> pl.DataFrame:
        """A Parquet file of the ledger, named by the error where it cannot be read.

        ``digest``: of the file, where it is known. Raises :class:`IntegrityError` where there is none, or it is not
        what was written, :class:`LedgerError` where there is no way to it.
        """
        try:
            body = self.backend.get(name)
            if digest is not None:
                require_digest(body, digest, self.backend.root / name)
            return parquet_frame(body)
        except FileNotFoundError as error:
            raise self.damaged(name, "there is no such file") from error
        except OSError as error:
            text = f"Cannot read {self.backend.root / name}: {error}"
            raise LedgerError(text, stage="ledger", cause=type(error).__name__) from error
        except IntegrityError as error:
            raise self.damaged(name, error.message) from error
        except pl.exceptions.PolarsError as error:
            raise self.damaged(name, str(error)) from error

    def damaged(self, name: str, reason: str) -> IntegrityError:
        """The error for a file of the run that is not what was written: it says what shows the whole damage."""
        where = f"gnosis-ray runs verify {self.run_id} --out {shlex.quote(str(self.backend.root))}"
        path = self.backend.root / name
        text = reason if str(path) in reason else f"Cannot read {path}: {reason}"
        return IntegrityError(f"{text}. What else is damaged: `{where}`", stage="ledger")

    def locate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of this partition with the columns that its folders' names stand for."""
        return rows.with_columns(pl.lit(self.run_date).alias("run_date"), pl.lit(self.run_id).alias("run_id"))

    def is_committed(self, index: int) -> bool:
        """True once the batch is whole and readable."""
        return self.backend.exists(self.marker(index))

    def committed_batches(self) -> list[int]:
        """The numbers of the readable batches, ascending."""
        return self._numbers(MARKER)

    def receipts(self) -> dict[int, BatchReceipt]:
        """The receipts in the markers of the committed batches, by number."""
        numbers = self.committed_batches()
        return dict(zip(numbers, self.backend.map_each(self.receipt, numbers), strict=True))

    def receipt(self, index: int) -> BatchReceipt:
        """The receipt in the marker of a committed batch.

        Raises :class:`IntegrityError` where it is not what was written, :class:`FileNotFoundError` where there is none.
        """
        name = self.marker(index)
        try:
            body, _ = without_own_digest(self.backend.get(name), self.backend.root / name)
            receipt = BatchReceipt.model_validate_json(body)
        except IntegrityError as error:
            raise self.damaged(name, error.message) from error
        except ValidationError as error:
            raise self.damaged(name, "it holds no receipt") from error
        if receipt.batch != index:
            raise self.damaged(name, f"it holds the receipt of {batch_name(receipt.batch)}")
        return receipt

    def next_free(self) -> int:
        """A batch number that nobody has claimed yet."""
        return max(self._numbers(CLAIMED), default=-1) + 1

    def make_durable(self, *tables: str) -> None:
        """Make what is seen of the run in tables durable: who wrote it may have died before its names were synced."""
        for table in tables:
            self.backend.make_durable(self.folder(table))

    def recover(self) -> None:
        """Publish the batches that were claimed by attempts which did not live to publish them."""
        for index in self.claimed_batches():
            self.publish(index)

    def claimed_batches(self) -> list[int]:
        """The numbers of the batches that an attempt has won, ascending."""
        return self._numbers(CLAIMED)

    def _numbers(self, pattern: re.Pattern[str]) -> list[int]:
        return sorted(int(match[1]) for match in map(pattern.fullmatch, self.commit_names()) if match)


def batch_name(index: int) -> str:
    """``batch-00007``."""
    return Batch(index=index, symbols=()).name


def receipt_bytes(receipt: BatchReceipt) -> bytes:
    """The content of a marker: the receipt as JSON, with a digest of its own."""
    return with_own_digest(receipt.model_dump_json().encode())


@contextmanager
def ledger_errors(task: str, *, begun: bool = False) -> Iterator[None]:
    """Raise an :class:`OSError`, or what memory that gave out raises, as an error that says what was being done.

    A :class:`ResourceError` where the disk, a quota or memory gave out, or where the run has ``begun``: its ledger took
    what was written before, so the cause can be removed and the run resumed. Else a :class:`LedgerError`.
    """
    try:
        yield
    except (OSError, MemoryError) as error:
        kind = ResourceError if begun or is_exhausted(error) else LedgerError
        raise kind(f"Cannot {task}: {error}", stage="ledger", cause=type(error).__name__) from error
