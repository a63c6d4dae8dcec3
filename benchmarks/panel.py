"""A panel of many days in one call against the same days one at a time: what a backtest or a training set asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.engines.base import FrameEngine
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.engines.liquidity.volume_profile import price_grid
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.market.columns import UTC_TIME

SYMBOLS = 500
DAYS = 250
SAMPLE = 10
"""Days that are measured one at a time, spread evenly; the rest is scaled by count."""
ROUNDS = 2
CUMULATED = 2048
"""Rows of the yardstick's matrix."""
LIQUIDITY_DAYS = 50
"""Days a call of the liquidity engine, whose volume profiles (some 230 rows a key) would otherwise all be held."""


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """From the store's bars to features; both engines by themselves, without what others would have told them.

    An indicator is one pass over the bars however many days are asked for; a volume profile is work of its own at every
    key, which no panel saves: its row is followed by that work, beside the least that a profile could cost.
    """
    adapter, engines = market.adapter(), market.config.engines
    yield _row(market, ElasticityEngineV1(adapter, engines.elasticity), DAYS, "aim: 50")
    liquidity = LiquidityEngineV1(adapter, engines.liquidity)
    yield _row(market, liquidity, LIQUIDITY_DAYS, "aim: 4; profiles are dropped after each call")
    yield _a_key(market, liquidity, price_grid(engines.liquidity).count)


def _a_key(market: Market, engine: FrameEngine, buckets: int) -> Row:
    keys = panel_keys(market.symbols[:SYMBOLS], last_days(market, LIQUIDITY_DAYS))
    profiles = np.random.default_rng(0).random((CUMULATED, buckets))
    seconds = alternate({"key": lambda: engine.frames(keys), "sum": lambda: np.cumsum(profiles, axis=1)}, ROUNDS)
    return Row(
        f"  a key of the {engine.kind} engine",
        seconds["key"] / keys.height,
        f"one np.cumsum over its {buckets} buckets",
        seconds["sum"] / CUMULATED,
        note="the limit: a dozen such passes",
    )


def _row(market: Market, engine: FrameEngine, days_a_call: int, note: str) -> Row:
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
        note=note,
    )


def last_days(market: Market, count: int) -> pl.Series:
    """The moments at which the last ``count`` sessions' bars were all known, oldest first."""
    bars = market.adapter().fetch_bars(market.keys, BAR_LOOKBACK)
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
