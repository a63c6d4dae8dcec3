"""The engines over earlier moments: what a backfill measures is what scans of those moments measured."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from polars.testing import assert_series_equal

from gnosis_ray.app.feature_history import append_history, feature_hash, feature_names, history_dir
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.backfill import BackfillJob
from gnosis_ray.config import Config
from gnosis_ray.data.store.history import FeatureHistory
from gnosis_ray.fanout import InlineFanout
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import one_key
from gnosis_ray.runs.kinds import BACKFILL
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, RunManifest, RunReceipt
from tests.support.scans import STARTED, manifest_of, nothing, work

SYMBOLS = ["AAPL", "JPM", "XOM"]
IV = "hedge__atm_iv_30d"


def moments(config: Config) -> tuple[datetime, ...]:
    now = config.data.synthetic.as_of
    return tuple(now - timedelta(days=back) for back in (3, 2, 1))


def backfill_manifest(config: Config, calendar: SessionCalendar, batch_timestamps: int = 2) -> RunManifest:
    scan = manifest_of(config, calendar, SYMBOLS, config.data.synthetic.as_of)
    changes = {
        "format": MANIFEST_FORMAT,
        "kind": BACKFILL.name,
        "tables": BACKFILL.table_names,
        "timestamps": moments(config),
        "batch_timestamps": batch_timestamps,
        "batch_size": 2,
    }
    return scan.model_copy(update=changes)


def backfilled(root: Path, config: Config, calendar: SessionCalendar, manifest: RunManifest) -> RunReceipt:
    writer = LedgerStore(root).begin(manifest)
    fanout = InlineFanout(config.run.max_attempts)
    job = BackfillJob(config, calendar, writer)
    return execute_run(job, manifest, writer, fanout, lambda: STARTED, nothing, STARTED, {})


def assert_same_values(left: pl.Series, right: pl.Series) -> None:
    """Within the bound that holds between a panel and single moments."""
    assert_series_equal(left, right, rel_tol=1e-9, abs_tol=0.0)


def test_a_backfill_measures_what_scans_of_the_moments_measured(
    tmp_path: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    receipt = backfilled(tmp_path / "past", config, market_calendar, backfill_manifest(config, market_calendar))
    assert (receipt.kind, receipt.status, receipt.rows) == ("backfill", "done", {"features": 9, "failures": 0})
    past = LedgerStore(tmp_path / "past").read("features")
    for moment in moments(config):
        scanned = tmp_path / f"{moment:%d}"
        work(scanned, config, market_calendar, manifest_of(config, market_calendar, SYMBOLS, moment))
        snapshots = LedgerStore(scanned, feature_specs(config)).read("snapshots")
        own = past.filter(pl.col("timestamp") == moment).sort("symbol")
        for name in feature_names(past.columns):
            assert_same_values(own[name], snapshots[name])


def test_the_same_rows_however_the_panel_is_cut(
    tmp_path: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    frames = []
    for days in (1, 3):
        root = tmp_path / str(days)
        backfilled(root, config, market_calendar, backfill_manifest(config, market_calendar, days))
        frames.append(LedgerStore(root).read("features").sort("symbol", "timestamp"))
    for name in feature_names(frames[0].columns):
        assert_same_values(frames[0][name], frames[1][name])


def test_a_run_adds_its_features_to_the_history_once(
    tmp_path: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    backfilled(tmp_path / "ledger", config, market_calendar, backfill_manifest(config, market_calendar))
    rows = LedgerStore(tmp_path / "ledger").read("features")
    measured_by = feature_hash(config)
    first = append_history(tmp_path / "store", rows, "synthetic", measured_by, STARTED)
    again = append_history(tmp_path / "store", rows, "synthetic", measured_by, STARTED)
    present = sum(rows[name].count() for name in feature_names(rows.columns))
    assert (first.written, again.written, again.known) == (present, 0, present)
    found = FeatureHistory(tmp_path / "store").read(
        one_key("AAPL", config.data.synthetic.as_of),
        [IV],
        60,
        market_calendar,
        provider="synthetic",
        feature_hash=measured_by,
    )
    aapl = rows.filter(symbol="AAPL").sort("timestamp")
    assert found["value"].to_list() == aapl[IV].to_list()
    assert found["measured_at"].to_list() == list(moments(config))


def test_who_decides_otherwise_shares_the_history_and_who_measures_otherwise_does_not(config: Config) -> None:
    same = feature_hash(config)
    assert feature_hash(config.replaced(trade={"max_ideas": 1}, composer={"min_camp": 0.5})) == same
    assert feature_hash(config.replaced(engines={"hedge": {"squeeze_energy": 0.2}})) != same
    assert feature_hash(config.replaced(data={"synthetic": {"seed": 1}})) != same
    assert len(same) == 16


def test_made_up_history_has_a_folder_of_its_own(config: Config) -> None:
    real, synthetic = (history_dir(config, synthetic=made_up) for made_up in (False, True))
    assert synthetic != real
    assert synthetic.name == f"{real.name}-synthetic"


def test_a_symbol_that_was_never_known_is_a_failure_of_its_own(
    tmp_path: Path, config: Config, market_calendar: SessionCalendar
) -> None:
    early = tuple(datetime(1990, 1, day, tzinfo=STARTED.tzinfo) for day in (2, 3))
    manifest = backfill_manifest(config, market_calendar).model_copy(update={"timestamps": early})
    receipt = backfilled(tmp_path, config, market_calendar, manifest)
    assert receipt.status == "no_data"
    assert {failure.symbol for failure in receipt.failures} == set(SYMBOLS)
    assert "from 1990-01-02 to 1990-01-03" in receipt.failures[0].message
    assert LedgerStore(tmp_path).read("features").columns[:2] == KEYS.names()
