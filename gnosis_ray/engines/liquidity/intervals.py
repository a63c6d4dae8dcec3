"""A window cut into equal intervals that end at its key: (keys, intervals) matrices, oldest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.engines.liquidity.row_statistics import Flags, Floats, Ints


@dataclass(frozen=True)
class IntervalGrid:
    """``keys`` rows of ``count`` intervals, ``length_us`` each; the last one ends at the key's moment."""

    keys: int
    count: int
    length_us: int

    def cells(self, events: pl.DataFrame) -> Ints:
        """The cell of each event in the flattened matrix; an event on a boundary belongs to the interval it ends."""
        age = (events["now"] - events["timestamp"]).dt.total_microseconds().to_numpy()
        cells: Ints = events["key"].to_numpy() * self.count + (self.count - 1 - age // self.length_us)
        return cells

    def sums(self, events: pl.DataFrame, values: Floats, counted: Flags) -> Floats:
        """(keys, count): sums of ``values`` by interval; NaN where no event is ``counted``."""
        cells = self.cells(events)
        size = self.keys * self.count
        total = np.bincount(cells, weights=values, minlength=size)
        number = np.bincount(cells[counted], minlength=size)
        return np.where(number > 0, total, np.nan).reshape(self.keys, self.count)

    def last(self, events: pl.DataFrame, column: str) -> Floats:
        """(keys, count): the last value of each interval; NaN where it has none."""
        return self._scatter(events, {column: pl.col(column).last()})[0]

    def prices(self, trades: pl.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
        """Open, high, low and close of each interval's trades, NaN where it has none."""
        price = pl.col("price")
        found = self._scatter(
            trades, {"open": price.first(), "high": price.max(), "low": price.min(), "close": price.last()}
        )
        return found[0], found[1], found[2], found[3]

    def changes(self, last: Floats) -> Floats:
        """What each interval's last value adds to the one known before it; NaN where either is missing."""
        known = ~np.isnan(last)
        at = np.maximum.accumulate(np.where(known, np.arange(self.count), -1), axis=1)
        before = np.concatenate([np.full((self.keys, 1), -1), at[:, :-1]], axis=1)
        previous = np.take_along_axis(last, np.maximum(before, 0), axis=1)
        return np.where(known & (before >= 0), last - previous, np.nan)

    def _scatter(self, events: pl.DataFrame, what: dict[str, pl.Expr]) -> list[Floats]:
        found = (
            events.with_columns(pl.Series("cell", self.cells(events))).group_by("cell", maintain_order=True).agg(**what)
        )
        cells = found["cell"].to_numpy()
        matrices = []
        for name in what:
            flat = np.full(self.keys * self.count, np.nan)
            flat[cells] = found[name].to_numpy()
            matrices.append(flat.reshape(self.keys, self.count))
        return matrices
