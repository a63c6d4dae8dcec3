"""Adapter protocols: the only door through which engines and agents see market data.

The batch methods do the work; the single-symbol ones, named as in the contracts, are one-row batches
(:class:`SingleFromBatch`). No adapter returns a row whose ``known_at`` is after the timestamp asked for; for a
panel of keys with several timestamps, chains come per key, and event tables (bars, trades, news) come once with their
``known_at``, known at the latest of the timestamps: their reader takes, for each key, what was known by then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import polars as pl

from gnosis_ray.market.columns import BARS, CHAIN, NEWS, QUOTES, TRADES
from gnosis_ray.market.keys import one_key
from gnosis_ray.market.market_data_adapter import MarketDataAdapter
from gnosis_ray.market.news_adapter import NewsAdapter
from gnosis_ray.market.options_chain_adapter import OptionsChainAdapter


class MarketAdapter(OptionsChainAdapter, MarketDataAdapter, NewsAdapter, Protocol):
    """Everything that engines and agents read.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> market.fetch_chain("AAPL", now)["type"].unique().sort().to_list()
    ['C', 'P']
    >>> news = market.fetch_news("AAPL", 72, now)
    >>> bool((news["known_at"] <= now).all())
    True
    """


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


class EmptyAdapter(SingleFromBatch):
    """Has no row of anything: for engines of which nobody reads more than what they declare."""

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """``columns.CHAIN``, no row."""
        return pl.DataFrame(schema=CHAIN)

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:  # noqa: ARG002
        """``columns.BARS``, no row."""
        return pl.DataFrame(schema=BARS)

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:  # noqa: ARG002
        """``columns.TRADES``, no row."""
        return pl.DataFrame(schema=TRADES)

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:  # noqa: ARG002
        """``columns.QUOTES``, no row."""
        return pl.DataFrame(schema=QUOTES)

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:  # noqa: ARG002
        """``columns.NEWS``, no row."""
        return pl.DataFrame(schema=NEWS)
