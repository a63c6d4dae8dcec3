"""Reading and writing a ledger: a folder of Parquet datasets, Hive-partitioned by run date and run id.

    <root>/<table>/run_date=2026-07-12/run_id=<id>/batch-00007.parquet     snapshots, suggestions, trade_ideas,
                                                                           details, failures
    <root>/runs/run_date=.../run_id=.../receipt.parquet                    one row a run
    <root>/manifests/run_date=.../run_id=.../manifest.json                 what the run set out to do
    <root>/commits/run_date=.../run_id=.../batch-00007                     the batch is whole: its receipt

Polars, DuckDB and pyarrow read the tables as they lie; :class:`LedgerStore` reads only the batches that are
committed. How a batch is written is told in :mod:`gnosis_ray.ledger.partition`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from gnosis_ray.engines.base import FeatureSpec
from gnosis_ray.engines.inputs.columns import DETAILS
from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.files import make_folder, read_parquet, replace_file, reported
from gnosis_ray.ledger.partition import COMMITS, Partition
from gnosis_ray.ledger.rows import degraded_reasons, receipts, records_of
from gnosis_ray.ledger.run_writer import RECEIPT_FILE, RunWriter, encode
from gnosis_ray.ledger.tables import BATCH_TABLES, PARTITION_COLUMNS, TABLES, feature_columns, table_schema
from gnosis_ray.schemas.core_schemas import EngineKind, LedgerRecord
from gnosis_ray.schemas.run_schemas import BatchReceipt, Failure, RunManifest, RunReceipt

LIVE = "live"
"""The run id of records that are appended one by one."""

LATEST = "latest"
"""Stands for the run that was started last."""

_MANIFESTS = "manifests"
_MANIFEST_FILE = "manifest.json"
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


class LedgerStore:
    """A ledger on a file system. Use one in as many threads and processes as you like.

    Wherever a method takes a ``run_id``, the start of one is enough if it fits only one run, and ``latest`` is the
    run that was started last. An unknown one raises :class:`LedgerError`, naming those that come nearest.
    """

    def __init__(self, path: str | Path, features: Mapping[EngineKind, Sequence[FeatureSpec]] | None = None) -> None:
        """``path``: a folder, or the name of a file whose folder is used; nothing is created before a write.

        ``features``: what the engines measure, by kind: the columns of ``snapshots``, in this order, whether or not
        they occur in a batch. A feature that is not named here gets a column where it occurs.
        """
        self.root = _folder(Path(path).expanduser().absolute())
        self.feature_columns = feature_columns(features or {})
        self._next_live: dict[date, int] = {}

    def append(self, record: LedgerRecord) -> None:
        """Write one record as a batch of its own, in the run ``live`` of its date; safe among other appenders.

        Raises :class:`LedgerError` where it cannot; the record is then not in the ledger.
        """
        partition = Partition(self.root, record.timestamp.date(), LIVE)
        parts = encode([record], pl.DataFrame(schema=DETAILS), (), self.feature_columns)
        with reported(f"append {record.symbol} to {self.root}"):
            index = self._first_live(partition)
            with partition.staged(parts) as stage:
                while not partition.claim(stage, _receipt_of(record, index)):
                    index = partition.next_free()
            partition.publish(index)
        self._next_live[partition.run_date] = index + 1

    def stream(self, run_id: str | None = None) -> Iterator[LedgerRecord]:
        """The records as they were written, run by run, batch by batch, in their order; without one, of all runs."""
        for partition in self._partitions(run_id):
            for index in partition.committed_batches():
                yield from records_of(
                    *(read_parquet(partition.part(t, index)) for t in ("snapshots", "suggestions", "trade_ideas"))
                )

    def read(self, table: str, run_id: str | None = None) -> pl.DataFrame:
        """A table: its columns, then ``run_date`` and ``run_id``; rows by run date, run id, batch, then as written.

        Without ``run_id``, of all runs. The columns are there even if no row is; features that only some batches
        have are null in the others.
        """
        if table not in TABLES:
            near = difflib.get_close_matches(table, TABLES, n=1, cutoff=0.0)[0]
            raise LedgerError(f"No table '{table}' in a ledger. Nearest: '{near}'. There are: {', '.join(TABLES)}")
        schema = pl.Schema({**table_schema(table, self.feature_columns), **PARTITION_COLUMNS})
        parts = [p.locate(read_parquet(path)) for p in self._partitions(run_id) for path in _paths(p, table)]
        frame: pl.DataFrame = pl.concat([pl.DataFrame(schema=schema), *parts], how="diagonal")
        return frame.select(pl.exclude(*PARTITION_COLUMNS), *PARTITION_COLUMNS)

    def entry(self, run_id: str, symbol: str) -> SymbolEntry:
        """What a run holds of ``symbol`` (spelled as the manifest does), reading its batch alone."""
        partition = self._run(run_id)
        manifest = self._manifest(partition)
        batch = next((batch.index for batch in manifest.batches() if symbol in batch.symbols), None)
        if batch is None or not partition.is_committed(batch):
            return SymbolEntry(manifest, None, pl.DataFrame(schema=DETAILS), (), committed=False)
        own = {table: read_parquet(partition.part(table, batch)).filter(symbol=symbol) for table in BATCH_TABLES}
        records = records_of(own["snapshots"], own["suggestions"], own["trade_ideas"])
        failures = tuple(Failure(**row) for row in own["failures"].iter_rows(named=True))
        return SymbolEntry(manifest, next(records, None), own["details"], failures, committed=True)

    def begin(self, manifest: RunManifest) -> RunWriter:
        """Fix what a run will do, and get its writer; the same manifest again is a resume.

        Raises :class:`LedgerError` where the run id cannot name a folder, or names a run of another manifest.
        """
        if not _RUN_ID.fullmatch(manifest.run_id) or manifest.run_id in (LIVE, LATEST):
            raise LedgerError(f"Expected a run id of letters, digits, '.', '_' and '-', was '{manifest.run_id}'")
        for partition in self._runs():
            if partition.run_id == manifest.run_id and self._manifest(partition) != manifest:
                raise LedgerError(f"Run {manifest.run_id} exists in {self.root} with another manifest")
        partition = Partition(self.root, manifest.run_date, manifest.run_id)
        path = _manifest_path(partition)
        with reported(f"begin run {manifest.run_id} in {self.root}"):
            partition.create()
            make_folder(path.parent)
            if not path.is_file():
                replace_file(path, manifest.model_dump_json(indent=2).encode())
        return self._writer(partition)

    def resume(self, run_id: str) -> RunWriter:
        """The writer of a run that was begun; batches that were all but committed are finished first."""
        partition = self._run(run_id)
        with reported(f"resume run {partition.run_id} in {self.root}"):
            partition.create()
            partition.recover()
        return self._writer(partition)

    def manifest(self, run_id: str) -> RunManifest:
        """What a run set out to do."""
        return self._manifest(self._run(run_id))

    def runs(self) -> list[RunReceipt]:
        """The receipts of the sealed runs, the one started last first."""
        found = receipts(self.read("runs"))
        return sorted(found, key=lambda receipt: (receipt.started_at, receipt.run_id), reverse=True)

    def receipt(self, run_id: str) -> RunReceipt:
        """The receipt of one run; raises :class:`LedgerError` where the run was never sealed."""
        partition = self._run(run_id)
        with reported(f"read run {partition.run_id} in {self.root}"):
            receipt = self._writer(partition).receipt()
        if receipt is None:
            raise LedgerError(f"Run {partition.run_id} in {self.root} has not finished: resume it")
        return receipt

    def _first_live(self, partition: Partition) -> int:
        """A batch number to try first; the first time in a partition, look what others have written."""
        known = self._next_live.get(partition.run_date)
        if known is not None:
            return known
        partition.create()
        return partition.next_free()

    def _writer(self, partition: Partition) -> RunWriter:
        return RunWriter(partition.root, partition.run_date, partition.run_id, self.feature_columns)

    def _manifest(self, partition: Partition) -> RunManifest:
        path = _manifest_path(partition)
        with reported(f"read {path}"):
            body = path.read_bytes()
        try:
            return RunManifest.model_validate_json(body)
        except ValidationError as error:
            raise LedgerError(f"Cannot read {path}: {error}") from error

    def _runs(self) -> list[Partition]:
        """The runs that were begun, the one started last (by its id) last."""
        found = (_partition(self.root, path.parent) for path in self.root.glob(f"{_MANIFESTS}/*/*/{_MANIFEST_FILE}"))
        return sorted(found, key=lambda partition: (partition.run_id, partition.run_date))

    def _run(self, run_id: str) -> Partition:
        runs = self._runs()
        name = self._resolve(run_id, [partition.run_id for partition in runs])
        return next(partition for partition in runs if partition.run_id == name)

    def _partitions(self, run_id: str | None) -> list[Partition]:
        """The partitions with commits, by run date and run id; of one run, or of all."""
        found = {_partition(self.root, path) for path in self.root.glob(f"{COMMITS}/*/*")}
        ordered = sorted(found, key=lambda partition: (partition.run_date, partition.run_id))
        if run_id is None:
            return ordered
        begun = [partition.run_id for partition in self._runs()]
        live = [LIVE] if any(partition.run_id == LIVE for partition in ordered) else []
        name = self._resolve(run_id, [*live, *begun])
        return [partition for partition in ordered if partition.run_id == name]

    def _resolve(self, wanted: str, names: Sequence[str]) -> str:
        """The run meant; ``names`` in the order in which runs were started."""
        if not names:
            raise LedgerError(f"No run '{wanted}': there is no run in {self.root}")
        if wanted == LATEST:
            return names[-1]
        fitting = [wanted] if wanted in names else [name for name in names if wanted and name.startswith(wanted)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise LedgerError(f"'{wanted}' fits several runs in {self.root}: {', '.join(fitting[-5:])}")
        near = difflib.get_close_matches(wanted, names, n=1) or list(names[-1:])
        raise LedgerError(
            f"No run '{wanted}' in {self.root}. Nearest: {near[0]}. Latest: {', '.join(reversed(names[-3:]))}"
        )


def _folder(path: Path) -> Path:
    """The folder itself, or that of a file name."""
    is_file = path.is_file() or (path.suffix.lower() in _FILE_SUFFIXES and not path.is_dir())
    return path.parent if is_file else path


def _manifest_path(partition: Partition) -> Path:
    return partition.folder(_MANIFESTS) / _MANIFEST_FILE


def _partition(root: Path, folder: Path) -> Partition:
    """The partition that a folder ``run_date=.../run_id=...`` of some table belongs to."""
    run_date, run_id = (name.partition("=")[2] for name in folder.parts[-2:])
    return Partition(root, date.fromisoformat(run_date), run_id)


def _paths(partition: Partition, table: str) -> list[Path]:
    """The files of a table that readers may see."""
    if table == "runs":
        path = partition.folder(table) / RECEIPT_FILE
        return [path] if path.is_file() else []
    return [partition.part(table, index) for index in partition.committed_batches()]


def _receipt_of(record: LedgerRecord, index: int) -> BatchReceipt:
    """The receipt of a batch of one."""
    degraded = dict.fromkeys(degraded_reasons(record.snapshot.metadata), (record.symbol,))
    return BatchReceipt(batch=index, attempt=1, snapshots=1, ideas=len(record.trade_ideas), degraded=degraded)
