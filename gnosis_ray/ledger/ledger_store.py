"""Reading and writing a ledger: Parquet datasets in a folder or a bucket, Hive-partitioned by run date and run id.

    <root>/<table>/run_date=2026-07-12/run_id=<id>/batch-00007.parquet     snapshots, suggestions, trade_ideas,
                                                                           details, failures
    <root>/runs/run_date=.../run_id=.../receipt.parquet                    one row a run
    <root>/manifests/run_date=.../run_id=.../manifest.json                 what the run set out to do
    <root>/commits/run_date=.../run_id=.../batch-00007                     the batch is whole: its receipt

Polars, DuckDB and pyarrow read the tables as they are; :class:`LedgerStore` reads only the batches that are
committed. How a batch is written is described in :mod:`gnosis_ray.ledger.in_folder` and
:mod:`gnosis_ray.ledger.in_bucket`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

import polars as pl
from pydantic import ValidationError

from gnosis_ray.errors import LedgerError, nearest_hint
from gnosis_ray.ledger.evidence import EVIDENCE
from gnosis_ray.ledger.manifests import (
    MANIFESTS,
    manifest_bytes,
    manifest_copy_name,
    manifest_name,
    read_manifest,
)
from gnosis_ray.ledger.overview import RunOverview, overview_of
from gnosis_ray.ledger.partition import RunPartition, batch_name, ledger_errors
from gnosis_ray.ledger.repair import RunRepair, repair_run
from gnosis_ray.ledger.rows import degraded_reasons, failures_of, records_of, scan_frames
from gnosis_ray.ledger.run_finder import LATEST, RunFinder
from gnosis_ray.ledger.run_writer import RunWriter, with_digests
from gnosis_ray.ledger.tables import (
    PARTITION_COLUMNS,
    RECORD_TABLES,
    RUNS_TABLE,
    TABLES,
    feature_columns,
    table_schema,
)
from gnosis_ray.ledger.verify import OnPart, RunVerification, verify_run
from gnosis_ray.ledger.whole_runs import LIVE, WholeRuns
from gnosis_ray.market.columns import DETAILS
from gnosis_ray.schemas.core_schemas import EngineKind, LedgerRecord
from gnosis_ray.schemas.feature_spec import FeatureSpec
from gnosis_ray.schemas.run_schemas import BatchReceipt, Failure, RunManifest, RunReceipt
from gnosis_ray.storage.location import Location, locate

_LIVE_TABLES = tuple(table.name for table in RECORD_TABLES)

_RESUMED_BY = {"backfill": "data backfill"}
"""Kind of run -> the verb that resumes it, where that has another name."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE_SUFFIXES = frozenset(
    {".arrow", ".csv", ".db", ".duckdb", ".feather", ".json", ".jsonl", ".log", ".ndjson", ".parquet", ".pq"}
    | {".sqlite", ".sqlite3", ".txt"}
)


@dataclass(frozen=True)
class SymbolEntry:
    """What one run holds of one symbol: its record, if it got so far; else its failures, if its batch is committed."""

    manifest: RunManifest
    record: LedgerRecord | None
    details: pl.DataFrame
    """``columns.DETAILS`` of the symbol."""
    failures: tuple[Failure, ...]
    committed: bool
    """Whether the symbol is of the run's universe and its batch is whole."""
    evidence: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """The symbol's rows of the tables of :data:`gnosis_ray.ledger.evidence.EVIDENCE` that the run has."""


class LedgerStore:
    """A ledger on a file system or an object store. Use one in as many threads and processes as you like.

    Wherever a method takes a ``run_id``, the start of one is enough if it fits only one run, and ``latest`` is the
    scan that was sealed last. An unknown one raises :class:`LedgerError`, naming those that come nearest.

    Parameters
    ----------
    path
        A folder, ``s3://bucket/prefix``, or the name of a file whose folder is used. Nothing is created before a write.
    features
        What the engines measure, by kind: the columns of ``snapshots``, in this order, whether or not they occur in a
        batch. A feature that is not named here gets a column where it occurs.

    Raises
    ------
    ConfigError
        For an address that cannot hold a ledger.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> result = gr.scan(symbols=["AAPL", "MSFT"], granularity="inline", out="ledger")
    >>> ledger = gr.LedgerStore("ledger")
    >>> [run.run_id for run in ledger.runs()] == [result.run_id]
    True
    >>> ledger.read("suggestions", "latest").filter("composite")["symbol"].to_list()
    ['AAPL', 'MSFT']
    """

    def __init__(
        self, path: str | Location, features: Mapping[EngineKind, Sequence[FeatureSpec]] | None = None
    ) -> None:
        self.root = _folder(locate(path))
        self.feature_columns = feature_columns(features or {})
        self._next_live: dict[date, int] = {}
        self._whole = WholeRuns()
        self._find = RunFinder(self.root, self._whole)

    def append(self, record: LedgerRecord) -> None:
        """Write one record as a batch of its own, in the run ``live`` of its date; safe among other appenders.

        Raises :class:`LedgerError` where it cannot; the record is then not in the ledger.
        """
        writer = RunWriter(self.root, record.timestamp.date(), LIVE, _LIVE_TABLES)
        partition = writer.partition
        frames = scan_frames([record], pl.DataFrame(schema=DETAILS), (), self.feature_columns)
        parts = writer.encode(frames)
        with ledger_errors(f"append {record.symbol} to {self.root}"):
            index = self._first_live(partition)
            with partition.staged(parts) as stage:
                while not partition.claim(stage, with_digests(_receipt_of(record, index), parts)):
                    index = partition.next_free()
            partition.publish(index)
        self._next_live[partition.run_date] = index + 1

    def stream(self, run_id: str | None = None) -> Iterator[LedgerRecord]:
        """The records as they were written, run by run, batch by batch, in their order; without one, of all runs."""
        for partition in self._find.readable(run_id):
            manifest = self._whole.manifest(partition)
            if manifest is not None and "snapshots" not in manifest.tables:
                continue  # a run of another kind than a scan has no records
            for _, receipt in sorted(self._whole.receipts(partition).items()):
                with _readable(partition, receipt):
                    yield from records_of(*_frames(partition, receipt, ("snapshots", "suggestions", "trade_ideas")))

    def read(self, table: str, run_id: str | None = None) -> pl.DataFrame:
        """A table: its columns, then ``run_date`` and ``run_id``; rows by run date, run id, batch, then as written.

        Without ``run_id``, of all runs. The columns are there even if no row is; features that only some batches
        have are null in the others.
        """
        if table not in TABLES:
            raise LedgerError(f"Unknown table '{table}' of a ledger. {nearest_hint(table, TABLES)}")
        schema = pl.Schema({**table_schema(table, self.feature_columns), **PARTITION_COLUMNS})
        with ledger_errors(f"read {table} of {self.root}"):
            parts = [_extended(part, schema) for p in self._find.readable(run_id) for part in self._parts(p, table)]
        frame: pl.DataFrame = pl.concat([pl.DataFrame(schema=schema), *parts], how="diagonal")
        return frame.select(pl.exclude(*PARTITION_COLUMNS), *PARTITION_COLUMNS)

    def entry(self, run_id: str, symbol: str) -> SymbolEntry:
        """What a run holds of ``symbol`` (spelled as the manifest does), reading its batch alone."""
        partition = self._find.one(run_id)
        manifest = read_manifest(partition)
        if "snapshots" not in manifest.tables:
            kind = manifest.kind
            raise LedgerError(f"Run {manifest.run_id} is of the kind {kind}: only a scan has records of symbols")
        batch = next((batch.index for batch in manifest.batches() if symbol in batch.symbols), None)
        receipt = None if batch is None else self._whole.receipts(partition).get(batch)
        if receipt is None:
            return SymbolEntry(manifest, None, pl.DataFrame(schema=DETAILS), (), committed=False)
        frames = zip(manifest.tables, _frames(partition, receipt, manifest.tables), strict=True)
        own = {table: frame.filter(symbol=symbol) for table, frame in frames}
        with _readable(partition, receipt):
            record = next(records_of(own["snapshots"], own["suggestions"], own["trade_ideas"]), None)
            failures = tuple(failures_of(own["failures"]))
        evidence = {table: own[table] for table in EVIDENCE if table in own}
        return SymbolEntry(manifest, record, own["details"], failures, committed=True, evidence=evidence)

    def begin(self, manifest: RunManifest) -> RunWriter:
        """Fix what a run will do, and get its writer; the same manifest again is a resume.

        Raises :class:`LedgerError` where the run id cannot name a folder, or names a run of another manifest.
        """
        if not _RUN_ID.fullmatch(manifest.run_id) or manifest.run_id in (LIVE, LATEST):
            raise LedgerError(f"Expected a run id of letters, digits, '.', '_' and '-', was '{manifest.run_id}'")
        for partition in self._find.begun():
            if partition.run_id == manifest.run_id and read_manifest(partition) != manifest:
                raise LedgerError(f"Run {manifest.run_id} exists in {self.root} with another manifest")
        writer = RunWriter.of(self.root, manifest)
        partition = writer.partition
        with ledger_errors(f"begin run {manifest.run_id} in {self.root}"):
            # the manifest first: commits without one are a run that has lost its own
            body, backend, name = manifest_bytes(manifest), partition.backend, manifest_name(partition)
            held = body if backend.put_if_absent(name, body) else backend.get(name)
            backend.require_put_if_absent(name, held)
            backend.put_if_absent(manifest_copy_name(partition), held)
            partition.create()
        if held != body and read_manifest(partition) != manifest:
            raise LedgerError(f"Run {manifest.run_id} was begun in {self.root} with another manifest at the same time")
        return writer

    def resume(self, run_id: str) -> RunWriter:
        """The writer of a run that was begun; batches that were all but committed are finished first."""
        writer = self._writer(self._find.to_resume(run_id))
        with ledger_errors(f"resume run {writer.run_id} in {self.root}"):
            writer.partition.create()
            writer.partition.recover()
            writer.partition.make_durable(MANIFESTS)
        return writer

    def find(self, run_id: str) -> str:
        """The whole id of a run that was begun, whether or not it can be read."""
        return self._find.one(run_id).run_id

    def find_to_resume(self, run_id: str) -> str:
        """As :meth:`find`, but ``latest`` is the run without an end that was begun last, where there is one."""
        return self._find.to_resume(run_id).run_id

    def manifest(self, run_id: str) -> RunManifest:
        """What a run set out to do."""
        return read_manifest(self._find.one(run_id))

    def overview(self) -> list[RunOverview]:
        """Every run that was begun, the one started last first. One that cannot be read says why and hides no other."""
        found = self._find.any()[::-1]
        return found[0].backend.map_each(overview_of, found) if found else []

    def runs(self) -> list[RunReceipt]:
        """The receipts of the sealed runs that can be read, the one started last first; see :meth:`overview`."""
        found = [run.receipt for run in self.overview() if run.receipt is not None]
        return sorted(found, key=lambda receipt: (receipt.started_at, receipt.run_id), reverse=True)

    def unsealed(self) -> list[tuple[RunManifest, dict[int, BatchReceipt]]]:
        """Runs that were begun and never sealed, cut off or still running, the one started last first.

        Of each what it set out to do, and the receipts of its whole batches. Those that cannot be read are left out;
        see :meth:`overview`.
        """
        open_runs = [run for run in self.overview() if not run.ended and run.error is None]
        return [(run.manifest, dict(run.batches)) for run in open_runs if run.manifest is not None]

    def receipt(self, run_id: str) -> RunReceipt:
        """The receipt of one run; raises :class:`LedgerError` where the run was never sealed."""
        partition = self._find.one(run_id)
        with ledger_errors(f"read run {partition.run_id} in {self.root}"):
            receipt = self._writer(partition).receipt()
        if receipt is None:
            again = resuming(read_manifest(partition), self.root)
            raise LedgerError(f"Run {partition.run_id} in {self.root} has not finished. Go on with: {again}")
        return receipt

    def verify(self, run_id: str, on_part: OnPart = lambda _name: None) -> RunVerification:
        """Read every file of a run, also of one without a manifest; see :func:`gnosis_ray.ledger.verify.verify_run`."""
        return verify_run(self._find.one(run_id, damaged=True), on_part)

    def repair(self, run_id: str, on_part: OnPart = lambda _name: None) -> RunRepair:
        """Mend a run as far as that is possible; see :func:`gnosis_ray.ledger.repair.repair_run`."""
        return repair_run(self._find.one(run_id, damaged=True), on_part)

    def _first_live(self, partition: RunPartition) -> int:
        """A batch number to try first; the first time in a partition, look what others have written."""
        known = self._next_live.get(partition.run_date)
        if known is not None:
            return known
        partition.create()
        return partition.next_free()

    def _writer(self, partition: RunPartition) -> RunWriter:
        return RunWriter.of(self.root, read_manifest(partition))

    def _parts(self, partition: RunPartition, table: str) -> list[pl.DataFrame]:
        """The rows of a table that readers may see, part by part, with the columns of their partition."""
        manifest = self._whole.manifest(partition)
        if table == RUNS_TABLE:
            row = None if manifest is None else RunWriter.of(self.root, manifest).receipt_row()
            return [] if row is None else [row]
        if table not in (_LIVE_TABLES if manifest is None else manifest.tables):
            return []  # not a table of this kind of run, or of its format
        receipts = sorted(self._whole.receipts(partition).items())
        frames = partition.backend.map_each(lambda entry: partition.frame(table, entry[1]), receipts)
        return [partition.locate(frame) for frame in frames]


def resuming(manifest: RunManifest, root: Location) -> str:
    """The command that resumes a run, as a shell reads it; a run in one process goes on in one."""
    verb = _RESUMED_BY.get(manifest.kind, manifest.kind)
    inline = " --granularity inline" if '"granularity":"inline"' in manifest.config_json else ""
    return f"gnosis-ray {verb} --resume {manifest.run_id} --out {shlex.quote(str(root))}{inline}"


def _folder(path: Location) -> Location:
    """The folder itself, or that of a file name."""
    if PurePosixPath(path.name).suffix.lower() not in _FILE_SUFFIXES and not (
        isinstance(path, Path) and path.is_file()
    ):
        return path
    return path if isinstance(path, Path) and path.is_dir() else path.parent


def _frames(partition: RunPartition, receipt: BatchReceipt, tables: Sequence[str]) -> list[pl.DataFrame]:
    """The rows that one committed batch has of each table."""
    with ledger_errors(f"read {batch_name(receipt.batch)} of run {partition.run_id} in {partition.backend.root}"):
        return partition.backend.map_each(lambda table: partition.frame(table, receipt), tables)


@contextmanager
def _readable(partition: RunPartition, receipt: BatchReceipt) -> Iterator[None]:
    """Raise as :class:`IntegrityError` that rows of a batch are no records: a part of an older format is not hashed."""
    try:
        yield
    except (ValidationError, KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        text = f"its rows are no records ({type(error).__name__})"
        raise partition.damaged(partition.part("snapshots", receipt.batch), text) from error


def _extended(part: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """A part whose lists of structs have every field of today's: those that an older version lacks are null."""
    nested = {n: t for n, t in schema.items() if n in part.columns and isinstance(t, pl.List)}
    return part.cast({name: dtype for name, dtype in nested.items() if isinstance(dtype.inner, pl.Struct)})


def _receipt_of(record: LedgerRecord, index: int) -> BatchReceipt:
    """The receipt of a batch of one."""
    degraded = dict.fromkeys(degraded_reasons(record.snapshot), (record.symbol,))
    rows = {"snapshots": 1, "trade_ideas": len(record.trade_ideas)}
    return BatchReceipt(batch=index, attempt=1, rows=rows, degraded=degraded)
