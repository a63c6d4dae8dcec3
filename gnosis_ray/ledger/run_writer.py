"""Writing one run: a small object that is sent to every process that computes a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from gnosis_ray.errors import IntegrityError, LedgerError
from gnosis_ray.ledger.partition import COMMITS, RunPartition, ledger_errors
from gnosis_ray.ledger.partitions import open_partition
from gnosis_ray.ledger.rows import receipt_of, runs_frame
from gnosis_ray.ledger.seals import add_seal
from gnosis_ray.ledger.tables import BATCH_TABLES, ORIGIN, RUNS_TABLE, LedgerTable
from gnosis_ray.market.columns import plain_texts
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, RunManifest, RunReceipt
from gnosis_ray.storage.digests import digest_of
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_bytes

RECEIPT_FILE = "receipt.parquet"


@dataclass(frozen=True)
class RunWriter:
    """Writes the batches of one run. Holds no open file: pickle it, copy it, use it in many processes at once."""

    root: Location
    run_date: date
    run_id: str
    tables: tuple[str, ...]
    """The tables in which every batch has a part."""
    provider: str | None = None
    synthetic: bool | None = None

    @classmethod
    def of(cls, root: Location, manifest: RunManifest) -> RunWriter:
        """The writer of the run that a manifest describes."""
        m = manifest
        return cls(root, m.run_date, m.run_id, m.tables, m.provider, m.synthetic)

    @property
    def partition(self) -> RunPartition:
        """The run's partition."""
        return open_partition(self.root, self.run_date, self.run_id, self.tables)

    def write_batch(self, batch: Batch, frames: Mapping[str, pl.DataFrame], receipt: BatchReceipt) -> None:
        """Write a batch, whole or not at all; one part in every table of the run, even where it has no rows.

        ``frames``: by table; those of tables that the run does not have are left out. Where another attempt was
        first, its content is kept, receipt included, and this one leaves nothing behind: :meth:`committed` gives the
        receipts that are kept. Returns once the batch is on the disk. Raises :class:`ResourceError` where it cannot be
        written, then it can be tried again, :class:`LedgerError` where a table of the run is missing or has other
        columns.
        """
        if receipt.batch != batch.index:
            raise LedgerError(f"Expected the receipt of batch {batch.index}, was {receipt.batch}")
        partition = self.partition
        with ledger_errors(f"write {batch.name} of run {self.run_id} in {self.root}", begun=True):
            if not partition.is_claimed(batch.index):
                partition.create()
                parts = self.encode(frames)
                with partition.staged(parts, batch.index) as stage:
                    partition.claim(stage, with_digests(receipt, parts))
            partition.publish(batch.index)

    def encode(self, frames: Mapping[str, pl.DataFrame]) -> Mapping[str, bytes]:
        """The Parquet file of every table of a batch; the same content always gives the same bytes."""
        missing = [name for name in self.tables if name not in frames]
        if missing:
            raise LedgerError(f"Expected a frame for each table of the run, was none for {', '.join(missing)}")
        return {name: parquet_bytes(self._prepared(BATCH_TABLES[name], frames[name])) for name in self.tables}

    def _prepared(self, table: LedgerTable, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in the table's order, with their origin; no text has control characters, whoever wrote it."""
        columns = {name: frame.schema.get(name) for name in table.schema}
        if columns != dict(table.schema) or not (table.open or frame.width == len(columns)):
            raise LedgerError(f"Expected {table.name} with columns {dict(table.schema)}, was {dict(frame.schema)}")
        origin = {"provider": self.provider, "synthetic": self.synthetic}
        return (
            plain_texts(frame)
            .sort(table.sort_key, maintain_order=True)
            .with_columns(pl.lit(origin[name], dtype).alias(name) for name, dtype in ORIGIN.items())
        )

    def committed(self) -> dict[int, BatchReceipt]:
        """The batches that are whole, by number, with the receipts that are kept."""
        with ledger_errors(f"read the commits of run {self.run_id} in {self.root}"):
            return self.partition.receipts()

    def seal(self, receipt: RunReceipt) -> None:
        """Write the run's one row of ``runs``, once its batches are durable, whoever wrote them.

        An existing row is kept, unless its status is ``interrupted``. Side effect: deletes what losing attempts left
        behind.
        """
        partition = self.partition
        with ledger_errors(f"seal run {self.run_id} in {self.root}", begun=True):
            partition.create()
            earlier = self.finished()
            partition.make_durable(COMMITS)
            if earlier is None:
                if receipt.ended:
                    add_seal(partition.backend, partition.label)
                partition.backend.put(self.receipt_name, parquet_bytes(runs_frame(receipt)))
            partition.sweep()

    def unseal(self, receipt: RunReceipt) -> None:
        """Open a sealed run again, so that it can be resumed: its receipt says that it was interrupted."""
        opened = receipt.model_copy(update={"status": "interrupted"})
        with ledger_errors(f"open run {self.run_id} in {self.root} again"):
            self.partition.backend.put(self.receipt_name, parquet_bytes(runs_frame(opened)))

    def finished(self) -> RunReceipt | None:
        """What the run was sealed with as finished, durably, so that a command may say so; None where it was not."""
        receipt = self.receipt()
        if receipt is None or not receipt.ended:
            return None
        with ledger_errors(f"keep the receipt of run {self.run_id} in {self.root}", begun=True):
            self.partition.make_durable(RUNS_TABLE)
        return receipt

    def receipt(self) -> RunReceipt | None:
        """What the run was sealed with; None where it is not sealed yet."""
        row = self.receipt_row()
        return None if row is None else self._parsed(row)

    def receipt_row(self) -> pl.DataFrame | None:
        """The same as a row of ``runs`` with its partition's columns."""
        partition, name = self.partition, self.receipt_name
        with ledger_errors(f"read the receipt of run {self.run_id} in {self.root}"):
            if not partition.backend.exists(name):
                return None
            row = partition.locate(partition.read_frame(name))
        self._parsed(row)
        return row

    def _parsed(self, row: pl.DataFrame) -> RunReceipt:
        try:
            return receipt_of(row)
        except IntegrityError as error:
            raise self.partition.damaged(self.receipt_name, error.message) from error

    @property
    def receipt_name(self) -> str:
        """The file of what the run was sealed with, relative to the ledger's root."""
        return f"{self.partition.folder('runs')}/{RECEIPT_FILE}"


def with_digests(receipt: BatchReceipt, parts: Mapping[str, bytes]) -> BatchReceipt:
    """The receipt with the digest of each part: table -> content."""
    return receipt.model_copy(update={"digests": {table: digest_of(body) for table, body in parts.items()}})
