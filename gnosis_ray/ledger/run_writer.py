"""Writing one run: a small object that is sent to every process that computes a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.partition import RunPartition, ledger_errors
from gnosis_ray.ledger.partitions import open_partition
from gnosis_ray.ledger.rows import (
    details_frame,
    failures_frame,
    receipts,
    runs_frame,
    snapshots_frame,
    suggestions_frame,
    trade_ideas_frame,
)
from gnosis_ray.schemas.core_schemas import LedgerRecord
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure, RunReceipt
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_bytes

RECEIPT_FILE = "receipt.parquet"


@dataclass(frozen=True)
class RunWriter:
    """Writes the batches of one run. Holds no open file: pickle it, copy it, use it in many processes at once."""

    root: Location
    run_date: date
    run_id: str
    feature_columns: tuple[str, ...] = ()
    """Of ``snapshots``, in their order; a feature that is not among them gets a column behind these."""

    @property
    def partition(self) -> RunPartition:
        """The run's partition."""
        return open_partition(self.root, self.run_date, self.run_id)

    def write_batch(
        self,
        batch: Batch,
        attempt: int,
        records: Sequence[LedgerRecord],
        details: pl.DataFrame,
        failures: Sequence[Failure],
        receipt: BatchReceipt,
    ) -> None:
        """Write a batch, whole or not at all; one part in every table, even where it has no rows.

        ``details``: ``columns.DETAILS``. Where another attempt was first, its content is kept, receipt included, and
        this one leaves nothing behind: :meth:`committed` gives the receipts that are kept. Returns once the
        batch is on the disk. Raises :class:`LedgerError` where it cannot be written; then it can be tried again.
        """
        if (receipt.batch, receipt.attempt) != (batch.index, attempt):
            raise LedgerError(
                f"Expected the receipt of batch {batch.index}, attempt {attempt}; "
                f"was batch {receipt.batch}, attempt {receipt.attempt}"
            )
        partition = self.partition
        with ledger_errors(f"write {batch.name} of run {self.run_id} in {self.root}"):
            if not partition.is_claimed(batch.index):
                partition.create()
                parts = encode(records, details, failures, self.feature_columns)
                with partition.staged(parts, batch.index) as stage:
                    partition.claim(stage, receipt)
            partition.publish(batch.index)

    def committed(self) -> dict[int, BatchReceipt]:
        """The batches that are whole, by number, with the receipts that are kept."""
        with ledger_errors(f"read the commits of run {self.run_id} in {self.root}"):
            return self.partition.receipts()

    def seal(self, receipt: RunReceipt) -> None:
        """Write the run's one row of ``runs``; an existing row is kept, unless its status is ``interrupted``.

        Side effect: deletes what losing attempts left behind.
        """
        partition = self.partition
        with ledger_errors(f"seal run {self.run_id} in {self.root}"):
            partition.create()
            earlier = self.receipt()
            if earlier is None or earlier.status == "interrupted":
                partition.backend.put(self._receipt_name(), parquet_bytes(runs_frame(receipt)))
            partition.sweep()

    def receipt(self) -> RunReceipt | None:
        """What the run was sealed with; None where it is not sealed yet."""
        partition, name = self.partition, self._receipt_name()
        with ledger_errors(f"read the receipt of run {self.run_id} in {self.root}"):
            if not partition.backend.exists(name):
                return None
            return receipts(partition.locate(partition.read_frame(name)))[0]

    def _receipt_name(self) -> str:
        return f"{self.partition.folder('runs')}/{RECEIPT_FILE}"


def encode(
    records: Sequence[LedgerRecord],
    details: pl.DataFrame,
    failures: Sequence[Failure],
    feature_columns: Sequence[str],
) -> Mapping[str, bytes]:
    """The Parquet file of every table of a batch; the same content always gives the same bytes."""
    frames = {
        "snapshots": snapshots_frame(records, feature_columns),
        "suggestions": suggestions_frame(records),
        "trade_ideas": trade_ideas_frame(records),
        "details": details_frame(details),
        "failures": failures_frame(failures),
    }
    return {table: parquet_bytes(frame) for table, frame in frames.items()}
