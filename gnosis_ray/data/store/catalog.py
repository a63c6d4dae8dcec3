"""Which parts hold what: the indexes of the parts, each read once, since parts never change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.data.store.part_files import INDEX, Part, bytes_of, list_partitions, list_parts, read_index
from gnosis_ray.data.store.store_format import require_format
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import DATASETS, STORE_DATASETS, Dataset
from gnosis_ray.schemas.core_schemas import StoreKind
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location

CATALOG = pl.Schema([*INDEX.items(), ("part", pl.UInt32()), ("period", pl.String())])
"""An index of many parts: ``part`` numbers them in path order."""

MARGIN = 4
"""Partitions before the first one asked for that are read with it: a weekend, a holiday, a night without data."""

CACHED_LISTINGS = 8
"""Listings whose joined indexes are cached."""


@dataclass(frozen=True)
class PartListing:
    """The parts of a dataset when it was listed, and their indexes in one frame."""

    paths: tuple[Location, ...]
    index: pl.DataFrame


class Catalog:
    """Lists the parts of a store anew at each call; caches the index of each part and of the last listings.

    Every method raises :class:`FormatError` for a store of a newer format, :class:`DataError` for an unfinished copy.
    """

    def __init__(self, root: Location, may_be_empty: bool = False) -> None:
        self.root = root
        self._may_be_empty = may_be_empty
        self._indexes: dict[Location, pl.DataFrame] = {}
        self._listings: dict[tuple[StoreKind, str], PartListing] = {}
        self._format_is_known = False

    def listing(self, data: Dataset, first: str = "", last: str = "~") -> PartListing:
        """The parts of partitions ``first`` to ``last``; :class:`NoDataError` for an empty store that may not be."""
        self._require_format()
        parts = list_parts(self.root, data, first, last)
        if not parts and not self._may_be_empty:
            self.require_some()
        return self._listing(data, "", parts)

    def back_from(self, data: Dataset, first: str, last: str) -> Iterator[PartListing]:
        """Listings that share no part: of partitions ``first`` to ``last`` and a few before, then of ever more before.

        Lazily. Raises :class:`NoDataError` for an empty store that may not be.
        """
        self._require_format()
        partitions = list_partitions(self.root, data, last=last)
        if not partitions and not self._may_be_empty:
            self.require_some()
        end = len(partitions)
        begin = sum(partition.label < first for partition in partitions) - MARGIN
        while end > 0:
            begin = max(0, begin)
            parts = [part for partition in partitions[begin:end] for part in partition.parts()]
            yield self._listing(data, partitions[begin].label, parts)
            begin, end = begin - 2 * (end - begin), begin

    def _listing(self, data: Dataset, name: str, parts: list[Part]) -> PartListing:
        """The listing of these parts; ``name`` distinguishes listings of a dataset."""
        paths = tuple(part.path for part in parts)
        kept = self._listings.pop((data.kind, name), None)
        if kept is None or kept.paths != paths:
            kept = PartListing(paths, self._joined(data, parts))
        self._listings[data.kind, name] = kept  # the last one used comes last
        if len(self._listings) > CACHED_LISTINGS:
            del self._listings[next(iter(self._listings))]
        return kept

    def require_some(self) -> None:
        """Raise :class:`NoDataError`, saying what fills a store, unless this one holds any part."""
        self._require_format()
        if not any(list_parts(self.root, data) for data in DATASETS.values()):
            state = "holds no market data" if open_backend(self.root).root_exists() else "is not there"
            raise NoDataError(f"The market store {self.root} {state}. `gnosis-ray data import` fills it.")

    def _require_format(self) -> None:
        if not self._format_is_known:
            require_format(self.root)
            self._format_is_known = True

    def _joined(self, data: Dataset, parts: list[Part]) -> pl.DataFrame:
        self._read_indexes(data, [part for part in parts if part.path not in self._indexes])
        frames = [
            self._indexes[part.path].with_columns(
                part=pl.lit(number, dtype=pl.UInt32), period=pl.lit(part.period, dtype=pl.String)
            )
            for number, part in enumerate(parts)
        ]
        return pl.concat([pl.DataFrame(schema=CATALOG), *frames])

    def _read_indexes(self, data: Dataset, parts: list[Part]) -> None:
        """Read the indexes of parts not seen before."""

        def read(part: Part) -> pl.DataFrame:
            return read_index(data, part)

        found = open_backend(self.root).map_each(read, parts)
        self._indexes.update(zip((part.path for part in parts), found, strict=True))


COVERAGE = pl.Schema(
    [
        ("kind", pl.String()),
        ("symbols", pl.UInt32()),
        ("first_event", UTC_TIME),
        ("last_event", UTC_TIME),
        ("sessions", pl.UInt32()),  # of the exchange, on which something of the kind happened; of chains: quoted
        ("of_sessions", pl.UInt32()),  # from the first event to the last
        ("rows", pl.UInt64()),
        ("parts", pl.UInt32()),
        ("bytes", pl.UInt64()),
        ("last_known", UTC_TIME),
    ]
)
"""The columns of :func:`coverage`."""


def coverage(root: Location, calendar: SessionCalendar | None = None) -> pl.DataFrame:
    """What a store holds: :data:`COVERAGE`, one row a dataset with data; ``sessions`` null without a ``calendar``.

    Read from the parts' own indexes: no row is. Those of bars do not name their days, so ``sessions`` is the number of
    bars of the symbol with the most of them. Raises :class:`NoDataError` where there is no store.
    """
    catalog = Catalog(root)
    catalog.require_some()
    rows = [row for data in STORE_DATASETS.values() if (row := _covered(catalog, data, calendar))]
    return pl.DataFrame(rows, schema=COVERAGE, orient="row")


def _covered(catalog: Catalog, data: Dataset, calendar: SessionCalendar | None) -> tuple[object, ...] | None:
    listing = catalog.listing(data)
    index = listing.index
    if index.is_empty():
        return None
    first, last = index["first_event"].min(), index["last_event"].max()
    sessions, possible = (None, None) if calendar is None else _sessions(data, index, calendar)
    taken = bytes_of(catalog.root, data, listing.paths)
    known = index["last_known"].max()
    rows = index["rows"].cast(pl.UInt64).sum()
    return (
        data.kind,
        index["symbol"].n_unique(),
        first,
        last,
        sessions,
        possible,
        rows,
        len(listing.paths),
        taken,
        known,
    )


def _sessions(data: Dataset, index: pl.DataFrame, calendar: SessionCalendar) -> tuple[int, int]:
    """How many sessions have something, and how many there are from the first event to the last.

    A snapshot has the quotes of the session under way, else of the last one: in the evening UTC is a day further.
    """
    if data.kind == "chains":
        times = index["first_event"].unique().dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")
        quoted = np.unique(calendar.session_number(times))
        return quoted.size, int(quoted[-1] - quoted[0]) + 1
    ends = index.select(pl.col("first_event").min(), pl.col("last_event").max()).row(0)
    days = [np.datetime64(end.date(), "D") for end in ends]
    between = calendar.days[(calendar.days >= days[0]) & (calendar.days <= days[1])]
    if data.period == "event_date":
        held = index["period"].unique().to_numpy().astype("datetime64[D]")
        return int(np.isin(between, held).sum()), between.size
    fullest = index.group_by("symbol").agg(pl.col("events").cast(pl.Int64).sum())["events"].max()
    return min(fullest if isinstance(fullest, int) else 0, between.size), between.size
