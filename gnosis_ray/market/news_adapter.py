"""How engines and agents read headlines; the point-in-time rule is that of :mod:`gnosis_ray.market.adapters`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl


@runtime_checkable
class NewsAdapter(Protocol):
    """Dated headlines (``columns.NEWS``)."""

    def fetch_news(self, symbol: str, lookback_hours: int, now: datetime) -> pl.DataFrame:
        """The items of the last ``lookback_hours`` known at ``now``, oldest first."""
        ...

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """The same for many keys."""
        ...
