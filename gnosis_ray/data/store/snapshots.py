"""Finding the snapshots of chains for some keys, from the newest partition back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from gnosis_ray.data.store.catalog import Catalog, PartListing
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.datasets import Dataset
from gnosis_ray.market.point_in_time import latest_snapshots


@dataclass(frozen=True)
class FoundSnapshots:
    """The snapshots found within one listing.

    ``wanted``: ``symbol, timestamp, event_time``, a row a key, sorted. ``chosen``: the rows of the listing's index that
    hold them, with the key's ``timestamp``.
    """

    listing: PartListing
    wanted: pl.DataFrame
    chosen: pl.DataFrame

    @property
    def corrected(self) -> bool:
        """Whether some key sees several versions of its snapshot."""
        return bool(self.chosen.select("symbol", "timestamp").is_duplicated().any())


def find_snapshots(catalog: Catalog, data: Dataset, keys: pl.DataFrame) -> list[FoundSnapshots]:
    """The latest snapshot known by each key, oldest listing first; a key without one is in none.

    A partition holds later events than any before it, so the search for a key ends with its first snapshot:
    what is read grows with the keys, not with the store. Only a symbol without any snapshot is searched in all of it,
    once per process, since indexes are cached.
    """
    return list(_newest_first(catalog, data, keys))[::-1]


def _newest_first(catalog: Catalog, data: Dataset, keys: pl.DataFrame) -> Iterator[FoundSnapshots]:
    first, last = keys.select(
        first=data.period_of(pl.col("timestamp").min()), last=data.period_of(pl.col("timestamp").max())
    ).row(0)
    for listing in catalog.back_from(data, first, last):
        index = listing.index.join(keys.select("symbol").unique(), on="symbol", how="semi", maintain_order="left")
        wanted = latest_snapshots(keys, index)
        if not wanted.is_empty():
            holding = index.join(wanted, left_on=["symbol", "first_event"], right_on=["symbol", "event_time"])
            yield FoundSnapshots(listing, wanted, holding.filter(pl.col("first_known") <= pl.col("timestamp")))
            keys = keys.join(wanted, on=KEYS.names(), how="anti")
        if keys.is_empty():
            return
