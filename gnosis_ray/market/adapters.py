"""Adapter protocols: the only door through which engines and agents see market data.

The batch methods do the work; the single-symbol ones, named as in the contracts, are one-row batches
(:class:`SingleFromBatch`). No adapter returns a row whose ``known_at`` is after the moment asked for; for a panel
of keys with several moments, chains come per key, and event tables (bars, trades, news) come once with their
``known_at``, known at the latest of the moments: their reader takes, for each key, what was known by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl

from gnosis_ray.market.columns import KEYS
from gnosis_ray.schemas.core_schemas import to_utc


def one_key(symbol: str, now: datetime) -> pl.DataFrame:
    """A batch of one: ``KEYS`` columns, one row."""
    return pl.DataFrame({"symbol": [symbol], "timestamp": [to_utc(now)]}, schema=KEYS)


def keys_at(symbols: list[str], now: datetime) -> pl.DataFrame:
    """A batch of many symbols at one moment, sorted by symbol."""
    ordered = sorted(symbols)
    return pl.DataFrame({"symbol": ordered, "timestamp": [to_utc(now)] * len(ordered)}, schema=KEYS)


@dataclass(frozen=True)
class Context:
    """Symbols that an engine reads beside those it is asked about, and how many of their daily bars."""

    symbols: tuple[str, ...] = ()
    bar_lookback: int = 0

    def merged(self, other: Context) -> Context:
        """What serves both."""
        symbols = tuple(sorted({*self.symbols, *other.symbols}))
        return Context(symbols, max(self.bar_lookback, other.bar_lookback))

    def keys(self, asked: pl.DataFrame) -> pl.DataFrame:
        """``KEYS`` of these symbols at each moment of ``asked``, sorted by symbol and timestamp."""
        symbols = pl.DataFrame({"symbol": self.symbols}, schema={"symbol": pl.String})
        return symbols.join(asked.select("timestamp").unique(), how="cross").sort("symbol", "timestamp")


@runtime_checkable
class OptionsChainAdapter(Protocol):
    """Option chains, with implied volatilities and greeks (``columns.CHAIN``)."""

    def fetch_chain(self, symbol: str, now: datetime) -> pl.DataFrame:
        """The latest chain known at ``now``; empty where there is none."""
        ...

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The same for many ``KEYS`` rows, sorted by symbol, timestamp, expiry, strike, type."""
        ...


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


@runtime_checkable
class NewsAdapter(Protocol):
    """Dated headlines (``columns.NEWS``)."""

    def fetch_news(self, symbol: str, lookback_hours: int, now: datetime) -> pl.DataFrame:
        """The items of the last ``lookback_hours`` known at ``now``, oldest first."""
        ...

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """The same for many keys."""
        ...


@runtime_checkable
class SentimentProcessor(Protocol):
    """One voice of sentiment."""

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        """``(score in [-1, 1], confidence in [0, 1])``."""
        ...


class MarketAdapter(OptionsChainAdapter, MarketDataAdapter, NewsAdapter, Protocol):
    """Everything that engines and agents read."""


class SingleFromBatch:
    """Gives an adapter its single-symbol methods out of its batch methods: one definition of each read."""

    def fetch_chain(self: OptionsChainAdapter, symbol: str, now: datetime) -> pl.DataFrame:
        """See :class:`OptionsChainAdapter`."""
        return self.fetch_chains(one_key(symbol, now))

    def fetch_ohlcv(self: MarketDataAdapter, symbol: str, lookback: int, now: datetime) -> pl.DataFrame:
        """See :class:`MarketDataAdapter`."""
        return self.fetch_bars(one_key(symbol, now), lookback)

    def fetch_intraday_trades(
        self: MarketDataAdapter, symbol: str, lookback_minutes: int, now: datetime
    ) -> pl.DataFrame:
        """See :class:`MarketDataAdapter`."""
        return self.fetch_trades(one_key(symbol, now), lookback_minutes)

    def fetch_news(self: NewsAdapter, symbol: str, lookback_hours: int, now: datetime) -> pl.DataFrame:
        """See :class:`NewsAdapter`."""
        return self.fetch_news_batch(one_key(symbol, now), lookback_hours)
