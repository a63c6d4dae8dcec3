"""The interface of a source of market data."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import polars as pl


class MarketSource(Protocol):
    """A source of market data. Every result obeys the point-in-time rule of :mod:`gnosis_ray.market.adapters`.

    ``keys`` are ``columns.KEYS`` rows. Results have the columns named, sorted by symbol and time; a symbol that the
    source does not know has no rows.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> source = gr.testing.synthetic_source(config)
    >>> keys = gr.testing.keys_of(["AAPL", "MSFT"], [config.data.synthetic.as_of])
    >>> source.bars(keys, 60).schema == gr.columns.BARS
    True
    """

    name: str
    synthetic: bool
    """True where the data are synthetic: everything shown from them is labelled SYNTHETIC."""

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """For each key the latest chain snapshot known by then: ``columns.RAW_CHAIN`` and the key's ``timestamp``."""
        ...

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """``columns.BARS``: known at the symbol's latest key, from ``lookback`` bars before its earliest key."""
        ...

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.TRADES`` of the ``lookback_minutes`` before each key."""
        ...

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.QUOTES`` of the ``lookback_minutes`` before each key."""
        ...

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """``columns.NEWS`` of the ``lookback_hours`` before each key."""
        ...

    def default_as_of(self, now: datetime) -> datetime:
        """The as-of time when the user names none: the latest at which this source has data."""
        ...
