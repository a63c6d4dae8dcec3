"""Splits a store into chunks that fit into memory: some partitions, or some symbols of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from gnosis_ray.data.store.catalog import Catalog, PartListing
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.market.datasets import Dataset
from gnosis_ray.market.point_in_time import PART

MAX_ROWS = 500_000
"""Of one chunk; a single symbol's partition may have more."""


@dataclass(frozen=True)
class RowSelection:
    """Which rows are checked: of these symbols (None: all), of events of these days in UTC, both inclusive."""

    symbols: frozenset[str] | None = None
    first: date | None = None
    last: date | None = None

    @property
    def since(self) -> datetime:
        """The start of the selected time, inclusive."""
        return datetime.combine(self.first or date(1, 1, 1), time(), UTC)

    @property
    def until(self) -> datetime:
        """The end of the selected time, exclusive."""
        day = self.last or date(9998, 12, 31)
        return datetime.combine(day + timedelta(days=1), time(), UTC)

    def of(self, data: Dataset, catalog: Catalog) -> PartListing:
        """The selected parts and symbols."""
        span = pl.DataFrame({"moment": [self.since, self.until - timedelta(microseconds=1)]})
        first, last = span.select(data.period_of(pl.col("moment"))).to_series()
        listing = catalog.listing(data, first, last)
        inside = (pl.col("last_event") >= self.since) & (pl.col("first_event") < self.until)
        if self.symbols is not None:
            inside &= pl.col("symbol").is_in(sorted(self.symbols))
        return PartListing(listing.paths, listing.index.filter(inside))


@dataclass(frozen=True)
class Chunk:
    """Some symbols of some consecutive partitions; ``chosen`` are rows of the catalog."""

    period: str
    chosen: pl.DataFrame

    @property
    def has_revisions(self) -> bool:
        """Whether a row of it can have several versions."""
        rows = self.chosen
        per_snapshot = rows.select("symbol", "period", "first_event").is_duplicated()
        shared = rows.select("symbol", "period").is_duplicated() & (rows["events"] > 1)
        within = (rows["rows"] > rows["events"]) & (rows["first_known"] < rows["last_known"])
        return bool((per_snapshot | shared | within).any())

    def read(self, catalog: Catalog, data: Dataset, listing: PartListing, selection: RowSelection) -> pl.DataFrame:
        """Its rows, all versions."""
        rows = read_rows(catalog.root, data, listing, self.chosen, data.columns_provided)
        inside = pl.col(data.event).is_between(selection.since, selection.until, closed="left")
        names = self.chosen.select("symbol").unique()
        return rows.filter(inside).join(names, on="symbol", how="semi", maintain_order="left").drop(PART, strict=False)


def chunks(listing: PartListing) -> Iterator[Chunk]:
    """The chunks of a listing by time, then by symbol: small partitions together, large ones split by symbol."""
    waiting: list[pl.DataFrame] = []
    for _, rows in listing.index.sort("period", "symbol", maintain_order=True).group_by("period", maintain_order=True):
        if waiting and _rows([*waiting, rows]) > MAX_ROWS:
            yield from _runs(waiting)
            waiting = []
        waiting.append(rows)
    if waiting:
        yield from _runs(waiting)


def _rows(frames: Sequence[pl.DataFrame]) -> int:
    return sum(int(frame["rows"].sum()) for frame in frames)


def _runs(frames: Sequence[pl.DataFrame]) -> Iterator[Chunk]:
    """The partitions as one chunk, or one that is too large split into runs of its symbols."""
    whole = pl.concat(frames)
    first, last = whole["period"][0], whole["period"][-1]
    label = first if first == last else f"{first} to {last}"
    sized = whole.group_by("symbol").agg(pl.col("rows").sum().cast(pl.Int64)).sort("symbol")
    numbered = sized.select("symbol", run=(pl.col("rows").cum_sum() - 1) // MAX_ROWS)
    for chosen in whole.join(numbered, on="symbol", maintain_order="left").partition_by("run", include_key=False):
        yield Chunk(label, chosen)
