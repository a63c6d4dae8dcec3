"""What engines read: declared, so that a batch is read once and a vendor is asked far enough back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

import polars as pl


@dataclass(frozen=True)
class ReferenceData:
    """Symbols that an engine reads besides those it is asked about, and how many of their daily bars."""

    symbols: tuple[str, ...] = ()
    bar_lookback: int = 0

    def merged(self, other: ReferenceData) -> ReferenceData:
        """What serves both."""
        symbols = tuple(sorted({*self.symbols, *other.symbols}))
        return ReferenceData(symbols, max(self.bar_lookback, other.bar_lookback))

    def keys(self, asked: pl.DataFrame) -> pl.DataFrame:
        """``KEYS`` of these symbols at each timestamp of ``asked``, sorted by symbol and timestamp."""
        symbols = pl.DataFrame({"symbol": self.symbols}, schema={"symbol": pl.String})
        return symbols.join(asked.select("timestamp").unique(), how="cross").sort("symbol", "timestamp")


@dataclass(frozen=True)
class DataRequirements:
    """How far back an engine reads before each key, and which reference symbols.

    ``bar_lookback``: daily bars, at least the last one, which every pass prices the symbol by. ``tape_minutes``: of
    trades and quotes. ``news_hours``: of news. Chains have no look-back: the latest one is read.
    """

    bar_lookback: int = 1
    tape_minutes: int = 0
    news_hours: int = 0
    reference: ReferenceData = field(default_factory=ReferenceData)

    def merged(self, other: DataRequirements) -> DataRequirements:
        """What serves both."""
        return DataRequirements(
            max(self.bar_lookback, other.bar_lookback),
            max(self.tape_minutes, other.tape_minutes),
            max(self.news_hours, other.news_hours),
            self.reference.merged(other.reference),
        )

    @property
    def reference_bar_lookback(self) -> int:
        """Daily bars to read of a reference symbol: it may be asked about itself, too."""
        return max(self.bar_lookback, self.reference.bar_lookback)


def merge_requirements(declared: Iterable[DataRequirements]) -> DataRequirements:
    """What serves all of them."""
    return reduce(DataRequirements.merged, declared, DataRequirements())
