"""Scans as the command line drives them, and ledgers as readers see them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.scan import ScanJob
from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.fanout import Fanout, InlineFanout, OnReceipt
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import BATCH_TABLES, ORIGIN, PARTITION_COLUMNS
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.runs.kinds import SCAN
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, BatchReceipt, RunManifest, RunReceipt

STARTED = datetime(2026, 7, 13, tzinfo=UTC)
RUN = "20260713T000000-test"


def nothing(_receipt: BatchReceipt) -> None:
    """Hears every receipt, says nothing."""


def manifest_of(config: Config, calendar: SessionCalendar, symbols: list[str], as_of: datetime) -> RunManifest:
    """What a scan of these symbols sets out to do."""
    source = build_source(config, calendar)
    return RunManifest(
        format=MANIFEST_FORMAT,
        kind=SCAN.name,
        tables=SCAN.table_names,
        run_id=RUN,
        run_date=as_of.date(),
        as_of=as_of,
        provider=source.name,
        synthetic=source.synthetic,
        universe="list",
        symbols=tuple(sorted(symbols)),
        batch_size=config.run.batch_size,
        config_hash=config.decision_hash(),
        config_json=config.model_dump_json(),
        version="test",
        features=feature_specs(config),
    )


def work(
    root: Path,
    config: Config,
    calendar: SessionCalendar,
    manifest: RunManifest,
    fanout: Fanout | None = None,
    on_receipt: OnReceipt = nothing,
) -> RunReceipt:
    """Run, or go on with, what the manifest says, into the ledger ``root``."""
    writer = LedgerStore(root, feature_specs(config)).begin(manifest)
    job = ScanJob(config, calendar, writer)
    spread = fanout or InlineFanout(config.run.max_attempts)
    return execute_run(job, manifest, writer, spread, lambda: STARTED, on_receipt, STARTED, {})


def tables(root: Path, run_id: str | None = None) -> dict[str, pl.DataFrame]:
    """Every table that batches fill, without what names the run and where its data came from: a live run's provider
    is the vendor, that of its replay the store."""
    store = LedgerStore(root)
    return {name: store.read(name, run_id).drop(*PARTITION_COLUMNS, *ORIGIN) for name in BATCH_TABLES}


def unbatched(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The same without the position in the batch."""
    return {name: frame.drop("record", strict=False) for name, frame in frames.items()}


def assert_same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> None:
    """Bit for bit, in the same order."""
    assert left.keys() == right.keys()
    for name, frame in left.items():
        assert_frame_equal(frame, right[name], check_exact=True)


def of_symbols(frames: dict[str, pl.DataFrame], *symbols: str) -> dict[str, pl.DataFrame]:
    """The rows of some symbols."""
    return {name: frame.filter(pl.col("symbol").is_in(symbols)) for name, frame in frames.items()}


def part_bytes(root: Path) -> dict[str, bytes]:
    """Every part of every table, as it lies on the disk, by its path in the ledger."""
    paths = sorted(path for table in BATCH_TABLES for path in (root / table).rglob("*.parquet"))
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}
