"""How engines and agents read option chains; the point-in-time rule is that of :mod:`gnosis_ray.market.adapters`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl


@runtime_checkable
class OptionsChainAdapter(Protocol):
    """Option chains, with implied volatilities and greeks (``columns.CHAIN``)."""

    def fetch_chain(self, symbol: str, now: datetime) -> pl.DataFrame:
        """The latest chain known at ``now``; empty where there is none."""
        ...

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The same for many ``KEYS`` rows, sorted by symbol, timestamp, expiry, strike, type."""
        ...
