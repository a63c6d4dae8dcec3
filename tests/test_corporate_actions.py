"""From a vendor's file to the ledger: a split that is adjusted for is not there, and strikes stay what they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.corporate_actions import PRICES, adjusted_to_last
from tests.support.markets import add_events, bars_of, chains_of, over_store
from tests.support.scans import manifest_of, tables, work

SPLITS = {"AAA": 4.0, "BBB": 1.5, "CCC": 0.1}
SYMBOLS = [*SPLITS, "DDD"]
BUCKETED = ("poc", "value_area_low", "value_area_high", "volume_magnet_level", "volume_magnet_score")


def before_the_split(bars: pl.DataFrame, on: datetime) -> pl.DataFrame:
    """Bars as they were traded: until ``on`` in the shares of before the split; the adjusted closes stay."""
    ratio = pl.col("symbol").replace_strict(SPLITS, default=1.0, return_dtype=pl.Float64)
    factor = pl.when(pl.col("timestamp") < on).then(ratio).otherwise(1.0)
    return bars.with_columns(*(pl.col(name) * factor for name in PRICES), volume=pl.col("volume") / factor)


def imported(folder: Path, bars: pl.DataFrame, calendar: SessionCalendar, *, adjusted: bool = True) -> Path:
    """A market store filled from a file such as ``sp500_2018_2021`` has."""
    dated = bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None).dt.truncate("1d")).drop("known_at")
    told = dated if adjusted else dated.with_columns(adjusted_close=pl.lit(None, pl.Float64))
    folder.mkdir()
    told.write_parquet(folder / "ohlcv.parquet")
    report = import_dataset(folder, load_mapping("sp500_2018_2021"), StoreWriter(folder / "market"), calendar)
    assert report.rows_written == bars.height
    return folder / "market"


@pytest.fixture(scope="module")
def ledgers(
    config: Config, market_calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, pl.DataFrame]]:
    """What a scan decides of one market whose shares were never split, and were, with and without adjusted closes."""
    root = tmp_path_factory.mktemp("actions")
    now = config.data.synthetic.as_of
    source = SyntheticSource(market_calendar, config.data.synthetic, config.market)
    chains, plain = chains_of(source, SYMBOLS, [now]), bars_of(source, SYMBOLS, now)
    split = before_the_split(plain, now - timedelta(days=20))
    stores = {
        "plain": imported(root / "plain", plain, market_calendar),
        "adjusted": imported(root / "adjusted", split, market_calendar),
        "raw": imported(root / "raw", split, market_calendar, adjusted=False),
    }
    found = {}
    for name, store in stores.items():
        StoreWriter(store).append("chains", chains)
        over = over_store(config, add_events(store, source, SYMBOLS, now, config.engines))
        work(root / f"ledger-{name}", over, market_calendar, manifest_of(over, market_calendar, SYMBOLS, now))
        found[name] = tables(root / f"ledger-{name}")
    return found


def test_an_adjusted_split_leaves_no_trace_in_the_ledger(ledgers: dict[str, dict[str, pl.DataFrame]]) -> None:
    plain, found = ledgers["plain"], ledgers["adjusted"]
    assert plain["failures"].is_empty()
    assert sorted(found["snapshots"]["symbol"]) == SYMBOLS
    stepped = [c for c in plain["snapshots"].columns if c.removeprefix("liquidity__") in BUCKETED]
    assert_frame_equal(found["snapshots"].drop(stepped), plain["snapshots"].drop(stepped), rel_tol=1e-9, abs_tol=1e-12)
    for name in ("suggestions", "trade_ideas", "bars", "curves", "leg_quotes", "payoffs"):
        assert_frame_equal(found[name], plain[name], rel_tol=1e-9, abs_tol=1e-9)


def test_bars_before_a_split_are_in_shares_of_the_last() -> None:
    prices = {name: [100.0, 51.0] for name in PRICES}
    halved = pl.DataFrame({"symbol": "X", **prices, "volume": [10.0, 20.0], "adjusted_close": [50.0, 51.0]})
    shown = adjusted_to_last(halved)
    assert shown.columns == halved.columns
    assert [shown[name].to_list() for name in (*PRICES, "volume")] == [*[[50.0, 51.0]] * 4, [20.0, 20.0]]
    unadjusted = halved.with_columns(adjusted_close=pl.lit(None, pl.Float64))
    assert adjusted_to_last(unadjusted)["close"].to_list() == [100.0, 51.0]


def test_without_an_adjusted_close_it_does(ledgers: dict[str, dict[str, pl.DataFrame]]) -> None:
    plain, found = (ledgers[name]["snapshots"].sort("symbol") for name in ("plain", "raw"))
    moved = (plain["elasticity__realised_vol_20d"] - found["elasticity__realised_vol_20d"]).abs() > 0.05
    assert (moved | found["elasticity__rsi_14"].is_null()).to_list() == [True, True, True, False]
