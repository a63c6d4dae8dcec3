"""The interface of a source of market data."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import polars as pl


class MarketSource(Protocol):
    """A source of market data. Every result obeys the point-in-time rule of :mod:`gnosis_ray.market.adapters`.

    ``keys`` are ``columns.KEYS`` rows. Results have the columns named, sorted by symbol and time; a symbol that the
    source does not know has no rows; what is unknown in a row is null, never NaN. A method
    may raise: the batch is then tried again, and symbol by symbol, and those at fault are written off by name.

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
        """Read for each key the latest chain snapshot known by then.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment, UTC, in any order.

        Returns
        -------
        pl.DataFrame
            ``columns.RAW_CHAIN`` and the key's ``timestamp``, sorted by symbol and timestamp; prices in USD a share.
        """
        ...

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """Read the daily bars known at each symbol's latest key.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment, UTC, in any order.
        lookback
            How many bars back from the earliest key; later ones up to the latest key come too.

        Returns
        -------
        pl.DataFrame
            ``columns.BARS``, sorted by symbol and timestamp; raw prices in USD, volume in shares.
        """
        ...

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Read the trades before each key, each once.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment, UTC, in any order.
        lookback_minutes
            How far before each key, in minutes; a row at the very start is outside.

        Returns
        -------
        pl.DataFrame
            ``columns.TRADES``, sorted by symbol and timestamp.
        """
        ...

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """Read the best bids and asks before each key, each once.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment, UTC, in any order.
        lookback_minutes
            How far before each key, in minutes; a row at the very start is outside.

        Returns
        -------
        pl.DataFrame
            ``columns.QUOTES``, sorted by symbol and timestamp.
        """
        ...

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """Read the headlines before each key, each once.

        Parameters
        ----------
        keys
            ``columns.KEYS``: one row a symbol and moment, UTC, in any order.
        lookback_hours
            How far before each key, in hours; a row at the very start is outside.

        Returns
        -------
        pl.DataFrame
            ``columns.NEWS``, sorted by symbol and timestamp.
        """
        ...

    def default_as_of(self, now: datetime) -> datetime:
        """Give the as-of time of a run that names none: the latest at which this source has data.

        Parameters
        ----------
        now
            The present, UTC.

        Returns
        -------
        datetime
            UTC; ``now`` itself for a source that is always up to date.
        """
        ...
