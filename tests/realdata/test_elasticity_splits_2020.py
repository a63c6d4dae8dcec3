"""Indicators across the splits of August 2020, on raw prices and on adjusted ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.engines.inputs.adapters import one_key
from gnosis_ray.engines.inputs.columns import BARS, UTC_TIME
from gnosis_ray.engines.inputs.indicators import INDICATORS, daily_indicators
from tests.engines.inputs.series import rsi, yang_zhang

pytestmark = pytest.mark.realdata

SPLIT = datetime(2020, 8, 31, 20, tzinfo=UTC)
PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def recorded(realdata: Path) -> pl.DataFrame:
    """Raw bars of the two names that split that day, with the adjusted close."""
    rows = pl.read_parquet(realdata / "sp500_2018_2021" / "ohlcv.parquet").filter(
        pl.col("symbol").is_in(pl.Series(["AAPL", "TSLA"]).implode())
    )
    close_of_session = pl.col("timestamp").cast(UTC_TIME) + pl.duration(hours=20)
    stamped = rows.with_columns(timestamp=close_of_session, known_at=close_of_session)
    return stamped.select(
        *(pl.col(name).cast(kind) for name, kind in BARS.items()), pl.col("adjusted_close").cast(pl.Float64)
    ).sort("symbol", "timestamp")


@pytest.mark.parametrize(("symbol", "ratio"), [("AAPL", 4), ("TSLA", 5)])
@pytest.mark.parametrize("days", [0, 3, 30])
def test_adjusted_bars_read_through_the_split(recorded: pl.DataFrame, symbol: str, ratio: int, days: int) -> None:
    moment = SPLIT + timedelta(days=days)
    found = daily_indicators(one_key(symbol, moment), recorded).row(0, named=True)
    known = recorded.filter(pl.col("symbol") == symbol, pl.col("timestamp") <= moment)
    factor = pl.col("adjusted_close") / pl.col("close")
    adjusted = known.with_columns(pl.col(name) * factor for name in PRICES)
    assert (known["close"] / known["close"].shift(1)).min() == pytest.approx(1 / ratio, rel=0.15)
    assert found["rsi_14"] == pytest.approx(rsi(adjusted["close"].to_numpy()), rel=1e-9)
    assert found["realised_vol_20d"] == pytest.approx(yang_zhang(adjusted), rel=1e-9)
    assert found["price_break"] is False


@pytest.mark.parametrize("symbol", ["AAPL", "TSLA"])
def test_raw_bars_start_afresh_at_the_split(recorded: pl.DataFrame, symbol: str) -> None:
    raw = recorded.drop("adjusted_close")
    on_the_day = daily_indicators(one_key(symbol, SPLIT), raw).row(0, named=True)
    assert on_the_day["price_break"]
    assert [on_the_day[name] for name in INDICATORS] == [None] * len(INDICATORS)
    later = one_key(symbol, SPLIT + timedelta(days=30))
    found = daily_indicators(later, raw).row(0, named=True)
    through = daily_indicators(later, recorded).row(0, named=True)
    assert found["realised_vol_20d"] == pytest.approx(through["realised_vol_20d"], rel=1e-4)
    assert found["rsi_14"] is None
