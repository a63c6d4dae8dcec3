"""The hedge engine over books made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.columns import BARS
from gnosis_ray.market.keys import keys_at
from tests.support.books import NOW, FixedAdapter, bars, book

FINE = tuple(float(strike) for strike in range(60, 141))
"""Strikes close enough for the 10-delta points of a week."""


class WholeAdapter(FixedAdapter):
    """Serves every bar known at the latest key: no look-back cuts a correction off."""

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """All of them."""
        return super().fetch_bars(keys, 10_000)


def everywhere(_kind: str, _strike: float, _days: int) -> float:
    """A hundred contracts at each strike."""
    return 100.0


def fine_book(days: int, smile: Callable[[float], float], strikes: tuple[float, ...] = FINE) -> pl.DataFrame:
    """One expiry of AAA with a strike each dollar."""
    return book(everywhere, days=(days,), smile=smile, strikes=strikes)


def frames(
    chains: Sequence[pl.DataFrame],
    config: Config,
    daily: Sequence[pl.DataFrame] = (),
    symbols: Sequence[str] = ("AAA",),
    now: datetime = NOW,
) -> EngineFrames:
    """The engine at one moment; bars of the symbols are there unless given."""
    given = [bars(symbol=symbol, now=now) for symbol in symbols] if not daily else list(daily)
    chain = pl.concat(list(chains)).sort("symbol", "timestamp", "expiry", "strike", "type")
    return HedgeEngineV3(WholeAdapter(chain, pl.concat(given)), config.engines.hedge).frames(
        keys_at(list(symbols), now)
    )


def feature(measured: EngineFrames, name: str) -> float | None:
    """The feature of the first key."""
    value: float | None = measured.features[name][0]
    return value


def vix_bars(closes: Sequence[float], now: datetime = NOW) -> pl.DataFrame:
    """``columns.BARS`` of VIX: one a day up to ``now``, each known at its own time."""
    times = [now - timedelta(days=age) for age in range(len(closes) - 1, -1, -1)]
    prices = {name: list(closes) for name in ("open", "high", "low", "close")}
    columns = {"symbol": ["VIX"] * len(closes), "timestamp": times, "known_at": times, **prices}
    unknown = dict.fromkeys(("volume", "adjusted_close"), [None] * len(closes))
    return pl.DataFrame({**columns, **unknown}, schema=BARS)
