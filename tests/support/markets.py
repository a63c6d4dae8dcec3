"""Market tables lifted out of the synthetic market, to be bent and stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from gnosis_ray.config import Config, EnginesConfig
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.columns import BARS, RAW_CHAIN
from gnosis_ray.market.keys import keys_at
from gnosis_ray.market.source import MarketSource

HISTORY = 500
"""Bars."""


def chains_of(source: MarketSource, symbols: list[str], moments: Iterable[datetime]) -> pl.DataFrame:
    """``columns.RAW_CHAIN``: the snapshots in force at each moment, each once."""
    keys = pl.concat([keys_at(symbols, moment) for moment in moments])
    return source.raw_chains(keys).select(RAW_CHAIN.names()).unique(maintain_order=True)


def bars_of(source: MarketSource, symbols: list[str], until: datetime) -> pl.DataFrame:
    """``columns.BARS`` up to a moment, further back than any pass looks."""
    return source.bars(keys_at(symbols, until), HISTORY).select(BARS.names())


def stored(root: Path, chains: pl.DataFrame, bars: pl.DataFrame) -> Path:
    """A market store of these rows."""
    writer = StoreWriter(root)
    writer.append("chains", chains)
    writer.append("bars", bars)
    return root


def add_events(root: Path, source: MarketSource, symbols: list[str], now: datetime, config: EnginesConfig) -> Path:
    """The trades, quotes and news that engines look back on from ``now``, added to a store."""
    writer, keys = StoreWriter(root), keys_at(symbols, now)
    writer.append("trades", source.trades(keys, config.liquidity.lookback_minutes))
    writer.append("quotes", source.quotes(keys, config.liquidity.lookback_minutes))
    writer.append("news", source.news(keys, config.sentiment.news.lookback_hours))
    return root


def over_store(config: Config, root: Path) -> Config:
    """The settings with this store as the provider."""
    return config.replaced(data={"provider": "store", "dir": root})
