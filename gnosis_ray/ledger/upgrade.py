"""Copying runs of older formats into another ledger, in the format that this version writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from gnosis_ray.errors import IntegrityError, LedgerError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.manifests import manifest_name
from gnosis_ray.ledger.overview import RunOverview, overview_of
from gnosis_ray.ledger.partition import COMMITS, RunPartition, batch_name, ledger_errors
from gnosis_ray.ledger.partitions import find_partitions, open_partition
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import BATCH_TABLES, ORIGIN, LedgerTable
from gnosis_ray.ledger.whole_runs import LIVE
from gnosis_ray.schemas.run_schemas import (
    MANIFEST_FORMAT,
    BatchReceipt,
    RunManifest,
    RunReceipt,
    content_digest,
)
from gnosis_ray.storage.location import Location, locate, resolved

OnBatch = Callable[[int, int], None]
"""Called with the batches that are copied and those in all."""


@dataclass(frozen=True)
class UpgradedRun:
    """What was copied of a run."""

    run_id: str
    from_format: int
    batches: int
    rows: Mapping[str, int]
    """Table -> rows."""
    sealed: bool
    """False for a run without an end: it has none in the copy either, and can be resumed there."""


class LedgerUpgrade:
    """Copies runs from one ledger into another; the source is only read.

    A batch of the copy is whole or absent and the seal comes last, so the same call again finishes what was
    interrupted. What the older format does not hold is null in the copy, but for ``provider`` and ``synthetic``,
    which the manifest states.
    """

    def __init__(self, source: Location, target: Location) -> None:
        """Raises :class:`LedgerError` where both are the same ledger."""
        self.source, self.target = LedgerStore(source), LedgerStore(target)
        if resolved(self.source.root) == resolved(self.target.root):
            raise LedgerError(f"Expected another ledger to copy into, was the source, {locate(source)}")

    def has_records_without_run(self) -> bool:
        """Whether the source holds records that were appended one by one: they have no manifest, and stay there."""
        with ledger_errors(f"look for runs in {self.source.root}"):
            return any(found.run_id == LIVE for found in find_partitions(self.source.root, COMMITS))

    def is_held(self, run: RunOverview) -> bool:
        """Whether the target holds all of this run of the source that there is to copy."""
        target = open_partition(self.target.root, run.run_date, run.run_id)
        with ledger_errors(f"look for run {run.run_id} in {self.target.root}"):
            if not target.backend.exists(manifest_name(target)):
                return False
        held = overview_of(target)
        if held.error is not None:
            raise held.error
        return held.ended or (not run.ended and run.batches.keys() <= held.batches.keys())

    def upgrade(self, run: RunOverview, on_batch: OnBatch) -> UpgradedRun:
        """Copy one run of the source, read the copy back and compare every value, then seal it.

        A run without an end is copied as far as it is committed, and not sealed. Raises :class:`LedgerError` where the
        run has today's format, the target holds it already, or the copy differs from the source;
        :class:`FormatError` for a newer format.
        """
        if run.error is not None:
            raise run.error
        manifest = self.source.manifest(run.run_id)
        if manifest.format >= MANIFEST_FORMAT:
            raise LedgerError(f"Run {run.run_id} has format {manifest.format} already: there is nothing to upgrade")
        if self.is_held(run):
            raise LedgerError(f"{self.target.root} holds run {run.run_id} already")
        source, receipts = RunWriter.of(self.source.root, manifest), {}
        converted = manifest.model_copy(update={"format": MANIFEST_FORMAT})
        writer, committed = self.target.begin(converted), source.committed()
        for done, (index, receipt) in enumerate(sorted(committed.items()), start=1):
            receipts[index] = _copy_batch(source.partition, writer, converted, receipt)
            on_batch(done, len(committed))
        rows = {table: sum(receipt.rows[table] for receipt in receipts.values()) for table in manifest.tables}
        if run.receipt is not None:
            _seal(writer, run.receipt, rows, content_digest(list(receipts.values())))
        return UpgradedRun(run.run_id, manifest.format, len(receipts), rows, sealed=run.ended)


def with_current_columns(table: LedgerTable, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of an older format with the columns that a table has now but for its origin: the added ones are null.

    Raises :class:`LedgerError` for a column that the table does not have, unless it is open for features.
    """
    others = [name for name in frame.columns if name not in table.schema and name not in ORIGIN]
    if others and not table.open:
        raise LedgerError(f"Table {table.name} has columns that this version does not know: {', '.join(others)}")
    added = [pl.lit(None, dtype).alias(name) for name, dtype in table.schema.items() if name not in frame.columns]
    return frame.with_columns(added).select(*table.schema, *others)


def _copy_batch(source: RunPartition, writer: RunWriter, manifest: RunManifest, receipt: BatchReceipt) -> BatchReceipt:
    """Write one batch, compare what was written with the source, and give the receipt that it should have."""
    batch, where = manifest.batches()[receipt.batch], f"{batch_name(receipt.batch)} of run {manifest.run_id}"
    with ledger_errors(f"copy {where} to {writer.root}"):
        frames = {name: _in_order(name, source.frame(name, receipt)) for name in manifest.tables}
        rows = {name: frame.height for name, frame in frames.items()}
        _require_counts(receipt.rows, rows, where)
        converted = receipt.model_copy(update={"rows": rows, "digests": {}})
        current = {name: with_current_columns(BATCH_TABLES[name], frame) for name, frame in frames.items()}
        writer.write_batch(batch, current, converted)
        origin = {"provider": manifest.provider, "synthetic": manifest.synthetic}
        written = writer.partition.receipt(batch.index)
        if written.model_copy(update={"digests": {}}) != converted:
            raise IntegrityError(f"The receipt of {where} in {writer.root} differs from the source's")
        for name, frame in frames.items():
            if not _is_copy(frame, writer.partition.frame(name, written), origin):
                raise IntegrityError(f"Table {name} of {where} in {writer.root} differs from the source's")
    return written


def _in_order(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order in which they are written; columns that are new are null in all of them, and order nothing."""
    if name not in BATCH_TABLES:
        raise LedgerError(f"This version does not know table {name}")
    key = [column for column in BATCH_TABLES[name].sort_key if column in frame.columns]
    return frame.sort(key, maintain_order=True) if key else frame


def _is_copy(source: pl.DataFrame, copy: pl.DataFrame, origin: Mapping[str, object]) -> bool:
    """Whether a copy holds the source's values, its origin in their columns, and nothing in those that are new."""
    if source.height != copy.height or not set(source.columns) <= set(copy.columns):
        return False
    added = copy.drop(source.columns)
    constant = all(_is_constant(values, origin.get(values.name)) for values in added.iter_columns())
    return constant and copy.select(source.columns).equals(source)


def _is_constant(values: pl.Series, value: object) -> bool:
    if value is None:
        return values.null_count() == values.len()
    return bool((values == value).fill_null(value=False).all())


def _require_counts(stated: Mapping[str, int], found: Mapping[str, int], where: str) -> None:
    """Raise :class:`LedgerError` unless there are as many rows as a receipt states; an older one states only some."""
    for table, rows in stated.items():
        if found.get(table) != rows:
            raise IntegrityError(
                f"{where}: Expected {rows} rows of {table}, as its receipt says, was {found.get(table)}"
            )


def _seal(writer: RunWriter, receipt: RunReceipt, rows: Mapping[str, int], digest: str | None) -> None:
    _require_counts(receipt.rows, rows, f"Run {receipt.run_id}")
    changed = {"format": MANIFEST_FORMAT, "rows": dict(rows), "content_digest": digest}
    converted = receipt.model_copy(update=changed)
    writer.seal(converted)
    if writer.receipt() != converted:
        raise IntegrityError(f"The receipt of run {receipt.run_id} in {writer.root} differs from the source's")
