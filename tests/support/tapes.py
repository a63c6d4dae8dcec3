"""Trades and quotes built by hand, and an adapter that serves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.market.adapters import SingleFromBatch
from gnosis_ray.market.columns import BARS, QUOTES, TRADES
from gnosis_ray.market.source import MarketSource

NOW = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)


def trades(
    prices: npt.ArrayLike,
    sizes: npt.ArrayLike = 100.0,
    sides: str | list[str | None] | None = None,
    *,
    symbol: str = "AAA",
    now: datetime = NOW,
    step_seconds: int = 60,
    delay_seconds: int = 0,
) -> pl.DataFrame:
    """``columns.TRADES``: one every ``step_seconds``, the last at ``now``; known ``delay_seconds`` later."""
    price = np.asarray(prices, dtype=np.float64)
    times = [now - timedelta(seconds=step_seconds * i) for i in range(len(price) - 1, -1, -1)]
    return pl.DataFrame(
        {
            "symbol": [symbol] * len(price),
            "timestamp": times,
            "known_at": [t + timedelta(seconds=delay_seconds) for t in times],
            "price": price,
            "size": np.broadcast_to(np.asarray(sizes, dtype=np.float64), price.shape).copy(),
            "side": sides if isinstance(sides, list) else [sides] * len(price),
        },
        schema=TRADES,
    )


def quotes_before(tape: pl.DataFrame, half_spread: float = 0.01, lead_ms: int = 10) -> pl.DataFrame:
    """``columns.QUOTES``: around each trade's price, ``lead_ms`` before it, 100 shares a side."""
    return tape.select(
        "symbol",
        timestamp=pl.col("timestamp") - pl.duration(milliseconds=lead_ms),
        known_at=pl.col("timestamp") - pl.duration(milliseconds=lead_ms),
        bid=pl.col("price") - half_spread,
        bid_size=pl.lit(100.0),
        ask=pl.col("price") + half_spread,
        ask_size=pl.lit(100.0),
    ).match_to_schema(QUOTES)


def random_bars(
    seed: int, *, symbol: str = "AAA", count: int = 90, now: datetime = NOW, sigma: float = 0.02, volume: float = 1e6
) -> pl.DataFrame:
    """``columns.BARS``: a random walk, one bar a day, the last at ``now``."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, sigma, count)))
    open_ = close * np.exp(random.normal(0.0, sigma / 2, count))
    times = [now - timedelta(days=int(d)) for d in range(count - 1, -1, -1)]
    return pl.DataFrame(
        {
            "symbol": [symbol] * count,
            "timestamp": times,
            "known_at": times,
            "open": open_,
            "high": np.maximum(open_, close) * np.exp(np.abs(random.normal(0.0, sigma / 3, count))),
            "low": np.minimum(open_, close) * np.exp(-np.abs(random.normal(0.0, sigma / 3, count))),
            "close": close,
            "volume": np.round(volume * np.exp(random.normal(0.0, 0.5, count))),
            "adjusted_close": [None] * count,
        },
        schema=BARS,
    )


def random_tape(seed: int, *, symbol: str = "AAA", count: int = 200, now: datetime = NOW) -> pl.DataFrame:
    """``columns.TRADES`` whose price moves with its flow; every fifth side untold."""
    random = np.random.default_rng(seed)
    size = 100.0 * random.integers(1, 20, count)
    sign = random.choice([-1.0, 1.0], count)
    price = np.round(100.0 + np.cumsum(1e-5 * sign * size + random.normal(0.0, 0.01, count)), 2)
    sides: list[str | None] = [
        None if i % 5 == 0 else ("buy" if s > 0 else "sell") for i, s in enumerate(sign.tolist())
    ]
    return trades(price, size, sides, symbol=symbol, now=now, step_seconds=100)


class TapeAdapter(SingleFromBatch):
    """Serves the frames it was given, all that became known by a symbol's latest key: a reader must choose."""

    def __init__(
        self,
        bars: pl.DataFrame | None = None,
        trades: pl.DataFrame | None = None,
        quotes: pl.DataFrame | None = None,
    ) -> None:
        self._bars = pl.DataFrame(schema=BARS) if bars is None else bars
        self._trades = pl.DataFrame(schema=TRADES) if trades is None else trades
        self._quotes = pl.DataFrame(schema=QUOTES) if quotes is None else quotes

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """Every bar known at the symbol's latest key."""
        return _known(self._bars, keys)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Every trade known at the symbol's latest key."""
        return _known(self._trades, keys)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Every quote known at the symbol's latest key."""
        return _known(self._quotes, keys)


class SourceAdapter(SingleFromBatch):
    """Bars, trades and quotes of a source, without the chains that no test of these asks for."""

    def __init__(self, source: MarketSource) -> None:
        self._source = source

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """Of the source."""
        return self._source.bars(keys, lookback)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Of the source."""
        return self._source.trades(keys, lookback_minutes)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Of the source."""
        return self._source.quotes(keys, lookback_minutes)


def _known(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    until = keys.group_by("symbol").agg(until=pl.col("timestamp").max())
    known = rows.join(until, on="symbol", maintain_order="left").filter(pl.col("known_at") <= pl.col("until"))
    return known.drop("until")
