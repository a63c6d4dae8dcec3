"""Keys: what a batch asks for, one row a symbol and as-of moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
class ReferenceData:
    """Symbols that an engine reads beside those it is asked about, and how many of their daily bars."""

    symbols: tuple[str, ...] = ()
    bar_lookback: int = 0

    def merged(self, other: ReferenceData) -> ReferenceData:
        """What serves both."""
        symbols = tuple(sorted({*self.symbols, *other.symbols}))
        return ReferenceData(symbols, max(self.bar_lookback, other.bar_lookback))

    def keys(self, asked: pl.DataFrame) -> pl.DataFrame:
        """``KEYS`` of these symbols at each moment of ``asked``, sorted by symbol and timestamp."""
        symbols = pl.DataFrame({"symbol": self.symbols}, schema={"symbol": pl.String})
        return symbols.join(asked.select("timestamp").unique(), how="cross").sort("symbol", "timestamp")
