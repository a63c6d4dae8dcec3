"""The store as a source of market data: reads only the parts and row groups of the symbols and days asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.reading import may_repeat, read_rows
from gnosis_ray.data.store.snapshots import find_snapshots
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.columns import KEYS, RAW_CHAIN, UTC_TIME
from gnosis_ray.market.datasets import DATASETS, Dataset
from gnosis_ray.market.point_in_time import (
    bar_parts,
    drop_superseded,
    last_bars,
    spans,
    within_windows,
)
from gnosis_ray.market.run_length_join import join_runs
from gnosis_ray.schemas.core_schemas import full_second, to_utc
from gnosis_ray.storage.location import Location, locate

CHAIN_ORDER = ("symbol", "timestamp", "expiry", "strike", "type", "settlement")


class StoreSource:
    """A :class:`gnosis_ray.market.source.MarketSource` over the Parquet store under ``root``, a folder or a prefix.

    Reads never lock and never cache rows; the indexes of the parts, which are immutable, are cached in this process.
    A store that does not exist or is empty raises :class:`NoDataError`; a part of another shape :class:`SchemaError`.
    """

    name = "store"
    synthetic = False

    def __init__(self, root: Location, may_be_empty: bool = False) -> None:
        """``may_be_empty``: a store that does not exist or is empty is no error and has no rows."""
        self.root = locate(root)
        self._may_be_empty = may_be_empty
        self._catalog = Catalog(self.root, may_be_empty)

    def __reduce__(self) -> tuple[type[StoreSource], tuple[Location, bool]]:
        return StoreSource, (self.root, self._may_be_empty)

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """For each key every row of the latest snapshot known by then, corrections known by then applied.

        ``columns.RAW_CHAIN`` and the key's ``timestamp``, sorted by symbol, timestamp, expiry, strike, type.
        """
        data = DATASETS["chains"]
        wanted_keys = _checked(keys)
        if wanted_keys.is_empty():
            return _empty(data, timestamp=UTC_TIME)
        found = find_snapshots(self._catalog, data, wanted_keys)
        if not found:
            return _empty(data, timestamp=UTC_TIME)
        wanted = pl.concat(each.wanted for each in found).sort("symbol", "timestamp")
        rows = pl.concat(read_rows(self.root, data, each.listing, each.chosen) for each in found)
        # Parts are stored in the order asked for, so a join that keeps both orders needs no sort after it.
        rows = join_runs(wanted, rows, on=["symbol", "event_time"]).filter(pl.col("known_at") <= pl.col("timestamp"))
        if any(each.corrected for each in found):
            rows = drop_superseded(rows, data, by="timestamp", as_of="timestamp").sort(CHAIN_ORDER)
        return rows.select(*RAW_CHAIN, "timestamp")

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """``columns.BARS`` known at a symbol's latest key, from the ``lookback``-th bar before its earliest on.

        With one key a symbol there is one row a session. Over several keys a bar corrected between them has one row
        a version: a reader takes for each key the version known by then.
        """
        data = DATASETS["bars"]
        wanted_keys = _checked(keys)
        if wanted_keys.is_empty() or lookback < 1:
            return _empty(data)
        span = spans(wanted_keys)
        listing = self._catalog.listing(data, last=_label(data, wanted_keys, "max"))
        chosen = bar_parts(_of_symbols(listing.index, span), span, lookback)
        rows = last_bars(read_rows(self.root, data, listing, chosen), span, lookback)
        if may_repeat(chosen):
            rows = drop_superseded(rows, data, by="", as_of="first")
        return rows.select(data.schema.names()).sort("symbol", "timestamp", "known_at")

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.TRADES`` of the ``lookback_minutes`` before each key, known by that key."""
        return self._windowed(DATASETS["trades"], keys, timedelta(minutes=lookback_minutes))

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.QUOTES`` of the ``lookback_minutes`` before each key, known by that key."""
        return self._windowed(DATASETS["quotes"], keys, timedelta(minutes=lookback_minutes))

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """``columns.NEWS`` of the ``lookback_hours`` before each key, known by that key."""
        return self._windowed(DATASETS["news"], keys, timedelta(hours=lookback_hours))

    def default_as_of(self, now: datetime) -> datetime:
        """``now``, or the first full second at which all of the store is known, where that is earlier.

        Runs are named and repeated by full seconds.
        """
        self._catalog.require_some()
        latest = (self._catalog.listing(data).index["last_known"].max() for data in DATASETS.values())
        known = max(to_utc(last) for last in latest if isinstance(last, datetime))
        return min(to_utc(now), full_second(known))

    def _windowed(self, data: Dataset, keys: pl.DataFrame, window: timedelta) -> pl.DataFrame:
        wanted_keys = _checked(keys)
        if wanted_keys.is_empty() or window <= timedelta(0):
            return _empty(data)
        first, last = _label(data, wanted_keys, "min", -window), _label(data, wanted_keys, "max")
        listing = self._catalog.listing(data, first, last)
        if listing.index.is_empty():
            return _empty(data)
        span = spans(wanted_keys)
        chosen = (
            _of_symbols(listing.index, span)
            .join(span, on="symbol")
            .filter(
                pl.col("last_event") > pl.col("first") - window,
                pl.col("first_event") <= pl.col("last"),
                pl.col("first_known") <= pl.col("last"),
            )
        )
        rows = within_windows(read_rows(self.root, data, listing, chosen), wanted_keys, window)
        if may_repeat(chosen):
            rows = drop_superseded(rows.join(span, on="symbol"), data, by="", as_of="first")
        return rows.select(data.schema.names()).sort("symbol", "timestamp", "known_at", maintain_order=True)


def _checked(keys: pl.DataFrame) -> pl.DataFrame:
    """The distinct keys; :class:`SchemaError` where they are not ``columns.KEYS``."""
    for name, expected in KEYS.items():
        if keys.schema.get(name) != expected:
            raise SchemaError(f"keys, column {name}: Expected {expected}, found {keys.schema.get(name)}")
    return keys.select(KEYS.names()).unique(maintain_order=True)


def _empty(data: Dataset, **more: pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(schema={**data.schema, **more})


def _label(data: Dataset, keys: pl.DataFrame, which: str, shift: timedelta = timedelta(0)) -> str:
    """The partition of the earliest (``min``) or latest (``max``) key."""
    timestamp = pl.col("timestamp").min() if which == "min" else pl.col("timestamp").max()
    return str(keys.select(data.period_of(timestamp + shift)).item())


def _of_symbols(index: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    return index.join(keys.select("symbol").unique(), on="symbol", how="semi", maintain_order="left")
