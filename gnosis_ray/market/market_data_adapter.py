"""How engines and agents read bars, trades and quotes; the rule of time is :mod:`gnosis_ray.market.adapters`'."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl


@runtime_checkable
class MarketDataAdapter(Protocol):
    """Daily bars (``columns.BARS``) and intraday trades and quotes (``columns.TRADES``, ``columns.QUOTES``)."""

    def fetch_ohlcv(self, symbol: str, lookback: int, now: datetime) -> pl.DataFrame:
        """The last ``lookback`` daily bars known at ``now``, oldest first."""
        ...

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """For each symbol the bars known at its latest key, from ``lookback`` bars before its earliest."""
        ...

    def fetch_intraday_trades(self, symbol: str, lookback_minutes: int, now: datetime) -> pl.DataFrame:
        """The trades of the last ``lookback_minutes`` known at ``now``, oldest first."""
        ...

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """The same for many keys."""
        ...

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Best bid and ask over the same window; empty where there is none."""
        ...
