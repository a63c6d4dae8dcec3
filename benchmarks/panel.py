"""A panel of many days in one call against the same days one at a time: what a backtest or a training set asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.engines.base import FrameEngine
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.inputs.bar_statistics import LOOKBACK
from gnosis_ray.engines.inputs.columns import UTC_TIME
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1

SYMBOLS = 500
DAYS = 250
SAMPLE = 10
"""Days that are measured one at a time, spread evenly; the rest is scaled by count."""
ROUNDS = 2
LIQUIDITY_DAYS = 50
"""Days a call of the liquidity engine, whose volume profiles (some 230 rows a key) would otherwise all be held."""


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """From the store's bars to features; both engines by themselves, without what others would have told them."""
    adapter, engines = market.adapter(), market.config.engines
    yield _row(market, ElasticityEngineV1(adapter, engines.elasticity), DAYS)
    yield _row(market, LiquidityEngineV1(adapter, engines.liquidity), LIQUIDITY_DAYS)


def _row(market: Market, engine: FrameEngine, days_a_call: int) -> Row:
    symbols, days = market.symbols[:SYMBOLS], last_days(market, DAYS)
    stride = max(len(days) // SAMPLE, 1)
    calls = [panel_keys(symbols, days[at : at + days_a_call]) for at in range(0, len(days), days_a_call)]
    single = [panel_keys(symbols, days[at : at + 1]) for at in range(0, len(days), stride)]
    seconds = alternate(
        {"panel": lambda: features_of(engine, calls), "days": lambda: features_of(engine, single)},
        ROUNDS,
    )
    scale = len(days) / len(single)
    return Row(
        f"{engine.kind} engine, {len(symbols)} symbols by {len(days)} days in {_times(len(calls))}",
        seconds["panel"],
        f"a day a call: {len(single)} days, times {scale:g}",
        seconds["days"] * scale,
        times_faster=True,
        note="aim: 50" + ("" if len(calls) == 1 else "; profiles are dropped after each call"),
    )


def last_days(market: Market, count: int) -> pl.Series:
    """The moments at which the last ``count`` sessions' bars were all known, oldest first."""
    bars = market.adapter().fetch_bars(market.keys, LOOKBACK)
    known = bars.group_by("timestamp").agg(pl.col("known_at").max()).sort("timestamp")
    return known["known_at"].tail(count)


def panel_keys(symbols: tuple[str, ...], days: pl.Series) -> pl.DataFrame:
    """``columns.KEYS`` of every symbol at every moment, sorted by symbol."""
    names = pl.DataFrame({"symbol": symbols}, schema={"symbol": pl.String})
    return names.join(pl.DataFrame({"timestamp": days}, schema={"timestamp": UTC_TIME}), how="cross")


def features_of(engine: FrameEngine, calls: list[pl.DataFrame]) -> pl.DataFrame:
    """The engine's features, a call after another; what else it says is dropped after each."""
    return pl.concat([engine.frames(keys).features for keys in calls])


def _times(count: int) -> str:
    return "one call" if count == 1 else f"{count} calls"
