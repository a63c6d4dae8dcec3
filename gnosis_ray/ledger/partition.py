"""What a ledger needs of the place it lies in, and how one run's part of it is laid out there.

Names are relative to the ledger's root, with ``/`` between their segments:
``<table>/run_date=<run_date>/run_id=<run_id>/batch-00007.parquet``. The marker of a whole batch is
``commits/<partition>/batch-00007``, written last; readers take the batches that have one.

Every place keeps the same promise: any number of attempts, in any number of processes, may write the same batch,
with equal content or not, and any of them may be killed or come back from the dead; the batch is then absent, or
whole and one attempt's. How is told in :mod:`gnosis_ray.ledger.in_folder` and :mod:`gnosis_ray.ledger.in_bucket`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import polars as pl

from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt
from gnosis_ray.storage.files import unique
from gnosis_ray.storage.location import Location

T = TypeVar("T")
R = TypeVar("R")

COMMITS = "commits"
MARKER = re.compile(r"batch-(\d+)")
CLAIMED = re.compile(r"\.batch-(\d+)")
STAGED = re.compile(r"\.batch-(\d+)\.\w+")


class Place(ABC):
    """Where a ledger lies. Small and stateless: made anew wherever it is needed."""

    root: Location

    @abstractmethod
    def partition(self, run_date: date, run_id: str) -> RunPartition:
        """One run's part of this place."""

    @abstractmethod
    def partitions(self, table: str, file: str | None = None) -> list[RunPartition]:
        """The partitions that a table has, in no order; with ``file``, those that hold such a one."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A file's bytes. Raises :class:`FileNotFoundError` where there is none."""

    @abstractmethod
    def frame(self, name: str) -> pl.DataFrame:
        """A Parquet file. Raises :class:`LedgerError`, naming it, where it cannot be read."""

    @abstractmethod
    def replace(self, name: str, body: bytes) -> None:
        """Give a file new content, whole or not at all, durably."""

    @abstractmethod
    def establish(self, name: str, body: bytes) -> bytes:
        """Write what never changes, unless it is there; what stands.

        Raises :class:`OSError` where the place cannot keep the promise above.
        """

    @abstractmethod
    def each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``function`` of every item, in their order; at once where waiting is what takes the time."""


@dataclass(frozen=True)
class RunPartition(ABC):
    """One run's part of every table, and the three steps by which a batch enters it."""

    run_date: date
    run_id: str

    @property
    @abstractmethod
    def place(self) -> Place:
        """Where this partition lies."""

    @abstractmethod
    def create(self) -> None:
        """Make ready for writing."""

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
        """Step 3: put the claimed parts in their places, then the marker. Whoever calls it, the result is the same."""

    @abstractmethod
    def sweep(self) -> None:
        """Throw away the stages of attempts that have lost. Those that could still win are left alone."""

    @abstractmethod
    def commit_names(self) -> list[str]:
        """The names of what lies directly in the folder of commits, in no order."""

    def folder(self, table: str) -> str:
        """This partition's folder in a table."""
        return f"{table}/run_date={self.run_date.isoformat()}/run_id={self.run_id}"

    def part(self, table: str, index: int) -> str:
        """A batch's Parquet file in a table."""
        return f"{self.folder(table)}/{batch_name(index)}.parquet"

    def marker(self, index: int) -> str:
        """What says that a batch is whole; it holds the receipt."""
        return f"{self.folder(COMMITS)}/{batch_name(index)}"

    def claimed(self, index: int) -> str:
        """What says that a batch has its winner."""
        return f"{self.folder(COMMITS)}/.{batch_name(index)}"

    def stage(self, index: int | None) -> str:
        """A new name for a stage; an attempt may not know its batch's number yet."""
        return f"{self.folder(COMMITS)}/.{'batch-next' if index is None else batch_name(index)}.{unique()}"

    def frame(self, table: str, index: int) -> pl.DataFrame:
        """A batch's rows of a table."""
        return self.place.frame(self.part(table, index))

    def locate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of this partition with the columns that its folders' names stand for."""
        return rows.with_columns(pl.lit(self.run_date).alias("run_date"), pl.lit(self.run_id).alias("run_id"))

    def is_committed(self, index: int) -> bool:
        """True once the batch is whole and readable."""
        return self.place.exists(self.marker(index))

    def committed_batches(self) -> list[int]:
        """The numbers of the readable batches, ascending."""
        return self._numbers(MARKER)

    def receipts(self) -> dict[int, BatchReceipt]:
        """What the markers of the committed batches say, by number."""
        numbers = self.committed_batches()
        bodies = self.place.each(self.place.read, map(self.marker, numbers))
        return {i: BatchReceipt.model_validate_json(body) for i, body in zip(numbers, bodies, strict=True)}

    def next_free(self) -> int:
        """A batch number that nobody has claimed yet."""
        return max(self._numbers(CLAIMED), default=-1) + 1

    def recover(self) -> None:
        """Publish the batches that were claimed by attempts which did not live to publish them."""
        for index in self._numbers(CLAIMED):
            self.publish(index)

    def _numbers(self, pattern: re.Pattern[str]) -> list[int]:
        return sorted(int(match[1]) for match in map(pattern.fullmatch, self.commit_names()) if match)


def batch_name(index: int) -> str:
    """``batch-00007``."""
    return Batch(index=index, symbols=()).name


def parse_folder(folder: str) -> tuple[date, str]:
    """Run date and run id out of a name that ends in ``run_date=.../run_id=...``."""
    run_date, run_id = (name.partition("=")[2] for name in folder.split("/")[-2:])
    return date.fromisoformat(run_date), run_id
