"""The adapter that engines and agents read: a source, and the loader of its chains."""

from __future__ import annotations

import polars as pl

from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.market.adapters import SingleFromBatch
from gnosis_ray.market.source import MarketSource


class SourceMarketAdapter(SingleFromBatch):
    """All adapter protocols of :mod:`gnosis_ray.market.adapters` over one :class:`MarketSource`.

    Holds no rows: every call reads the source. Errors are the source's and the loader's.
    """

    def __init__(self, source: MarketSource, loader: ChainLoader) -> None:
        self.source = source
        self._loader = loader

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``columns.CHAIN`` for ``KEYS`` rows, sorted by symbol, timestamp, expiry, strike, type."""
        return self._loader.load(self.source.raw_chains(keys))

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """``columns.BARS`` known at a symbol's latest key, from ``lookback`` bars before its earliest."""
        return self.source.bars(keys, lookback)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.TRADES`` of the ``lookback_minutes`` before each key."""
        return self.source.trades(keys, lookback_minutes)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.QUOTES`` of the ``lookback_minutes`` before each key."""
        return self.source.quotes(keys, lookback_minutes)

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """``columns.NEWS`` of the ``lookback_hours`` before each key."""
        return self.source.news(keys, lookback_hours)
