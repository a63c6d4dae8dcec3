"""Option books built by hand: every contract's greeks from the one pricing model, positions as the test wants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from gnosis_ray.market.adapters import SingleFromBatch
from gnosis_ray.market.columns import BARS, CHAIN, NEWS, QUOTES, TRADES
from gnosis_ray.options.bsm import greeks

NOW = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)
Interest = Callable[[str, float, int], float]
"""(type, strike, days) -> open interest."""


EVERY_FIVE = (70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 100.0, 105.0, 110.0, 115.0, 120.0, 125.0, 130.0)


def flat_smile(_moneyness: float) -> float:
    """Thirty volatility points everywhere."""
    return 0.30


def book(
    interest: Interest,
    *,
    symbol: str = "AAA",
    spot: float = 100.0,
    strikes: tuple[float, ...] = EVERY_FIVE,
    days: tuple[int, ...] = (14, 42),
    smile: Callable[[float], float] = flat_smile,
    now: datetime = NOW,
    iv_source: str = "mid",
    sessions_behind: int = 0,
) -> pl.DataFrame:
    """``columns.CHAIN``; ``smile`` maps ln(K/S) to a volatility."""
    rows = []
    for day in days:
        tau = day / 365.0
        for strike in strikes:
            sigma = smile(float(np.log(strike / spot)))
            for kind, w in (("C", 1.0), ("P", -1.0)):
                g = greeks(w, spot, strike, tau, 0.04, 0.0, sigma)
                rows.append(
                    {
                        "symbol": symbol,
                        "timestamp": now,
                        "known_at": now,
                        "quote_time": now,
                        "sessions_behind": sessions_behind,
                        "underlying_price": spot,
                        "expiry": (now + timedelta(days=day)).date(),
                        "dte": float(day),
                        "tau": tau,
                        "strike": strike,
                        "type": kind,
                        "settlement": "PM",
                        "bid": float(g.price) * 0.99,
                        "ask": float(g.price) * 1.01,
                        "mid_price": float(g.price),
                        "volume": 10.0,
                        "open_interest": interest(kind, strike, day),
                        "iv": sigma,
                        "iv_source": iv_source,
                        "rate": 0.04,
                        "carry": 0.0,
                        "carry_assumed": False,
                        **{n: float(getattr(g, n)) for n in ("delta", "gamma", "vega", "theta", "vanna", "charm")},
                    }
                )
    return pl.DataFrame(rows, schema=CHAIN).sort("symbol", "timestamp", "expiry", "strike", "type")


def bars(
    *,
    symbol: str = "AAA",
    close: float = 100.0,
    daily_volume: float = 1e6,
    sigma: float = 0.02,
    count: int = 90,
    now: datetime = NOW,
) -> pl.DataFrame:
    """``columns.BARS`` up to ``now``: closes swing so that every log return is +/- ``sigma``; the last is ``close``."""
    swing = np.where(np.arange(count)[::-1] % 2 == 0, 0.0, sigma)
    closes = close * np.exp(swing)
    times = [now - timedelta(days=int(d)) for d in range(count - 1, -1, -1)]
    return pl.DataFrame(
        {
            "symbol": [symbol] * count,
            "timestamp": times,
            "known_at": times,
            "open": closes,
            "high": closes * 1.001,
            "low": closes * 0.999,
            "close": closes,
            "volume": [daily_volume] * count,
            "adjusted_close": [None] * count,
        },
        schema=BARS,
    )


class FixedAdapter(SingleFromBatch):
    """Serves the frames it was given, as known at each key."""

    def __init__(self, chains: pl.DataFrame, daily: pl.DataFrame | None = None) -> None:
        self._chains = chains
        self._bars = pl.DataFrame(schema=BARS) if daily is None else daily

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Chains of exactly these keys."""
        return self._chains.join(keys, on=["symbol", "timestamp"], how="semi", maintain_order="left")

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """Bars known at the symbol's latest key; ``lookback`` bars a symbol."""
        latest = keys.group_by("symbol").agg(until=pl.col("timestamp").max())
        known = self._bars.join(latest, on="symbol").filter(pl.col("known_at") <= pl.col("until")).drop("until")
        return known.sort("symbol", "timestamp").group_by("symbol", maintain_order=True).tail(lookback)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """None."""
        return pl.DataFrame(schema=TRADES)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """None."""
        return pl.DataFrame(schema=QUOTES)

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """None."""
        return pl.DataFrame(schema=NEWS)
