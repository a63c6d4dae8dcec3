"""The datasets of the market store, one a kind: columns, partitions and the identity of a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from gnosis_ray.errors import ConfigError, SchemaError, nearest_hint
from gnosis_ray.market.columns import BARS, FEATURE_HISTORY, NEWS, NEWS_IDENTITY, QUOTES, RAW_CHAIN, TRADES, UTC_TIME
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind, StoreKind

OCCURRENCE = "occurrence"
"""Numbers rows that are alike in one part: two equal prints at one microsecond are two trades."""

VENDOR_GREEKS = ("vendor_delta", "vendor_gamma", "vendor_theta", "vendor_vega")
"""As the vendor gave them, in its units: mostly theta a day, vega a point of volatility."""

FETCHED_AT = "fetched_at"
"""When the vendor's answer with the row was received: an extra column of every dataset, where it is known. Engines
never see it, and rows that differ in nothing else are one row."""


@dataclass(frozen=True)
class Dataset:
    """One kind of market table; ``schema`` is what engines read of it.

    ``event`` names the event-time column, ``period`` the Hive partition (a day or a year of the event time).
    ``identity`` is what a correction shares with the row it replaces; where rows may rightly repeat (``repeats``)
    it is every column, and equal rows are distinguished by their :data:`OCCURRENCE`. ``optional`` columns may be
    missing from what is appended or imported, and so unknown; a part holds only those with a value. ``vendor_columns``
    are the vendor's own figures, stored in the same way, to check ours against; no engine reads them.
    """

    kind: StoreKind
    schema: pl.Schema
    event: str
    period: Literal["event_date", "event_year"]
    identity: tuple[str, ...]
    repeats: bool = False
    optional: tuple[str, ...] = ()
    vendor_columns: tuple[str, ...] = ()

    @cached_property
    def columns_provided(self) -> pl.Schema:
        """The columns that a source can provide: ``schema`` and ``vendor_columns``."""
        return pl.Schema({**self.schema, **dict.fromkeys(self.vendor_columns, pl.Float64())})

    @cached_property
    def stored(self) -> pl.Schema:
        """The columns that a part can hold: those provided, and :data:`FETCHED_AT`."""
        return pl.Schema({**self.columns_provided, FETCHED_AT: UTC_TIME})

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns that a source need not provide."""
        return (*self.optional, *self.vendor_columns)

    @property
    def droppable_columns(self) -> tuple[str, ...]:
        """The stored columns that a part leaves out where all their values are null."""
        return (*self.optional_columns, FETCHED_AT)

    def period_of(self, timestamp: pl.Expr) -> pl.Expr:
        """The partition label of a timestamp: ``2026-07-10`` or ``2026``; labels sort as time does."""
        return timestamp.dt.strftime("%Y-%m-%d" if self.period == "event_date" else "%Y")


def _all_but_known_at(schema: pl.Schema) -> tuple[str, ...]:
    return tuple(name for name in schema.names() if name != "known_at")


DATASETS: dict[DataKind, Dataset] = {
    "chains": Dataset(
        "chains",
        RAW_CHAIN,
        "event_time",
        "event_date",
        ("symbol", "event_time", "expiry", "strike", "type", "settlement"),
        vendor_columns=VENDOR_GREEKS,
    ),
    "bars": Dataset("bars", BARS, "timestamp", "event_year", ("symbol", "timestamp"), optional=("adjusted_close",)),
    "trades": Dataset("trades", TRADES, "timestamp", "event_date", _all_but_known_at(TRADES), repeats=True),
    "quotes": Dataset("quotes", QUOTES, "timestamp", "event_date", _all_but_known_at(QUOTES), repeats=True),
    "news": Dataset("news", NEWS, "timestamp", "event_date", NEWS_IDENTITY),
}
"""What providers give and engines read."""

FEATURES = Dataset(
    "features",
    FEATURE_HISTORY,
    "timestamp",
    "event_date",
    ("symbol", "timestamp", "provider", "feature_hash", "feature"),
)
"""What engines measured: written by runs, never imported or fetched."""

STORE_DATASETS: dict[StoreKind, Dataset] = {data.kind: data for data in (*DATASETS.values(), FEATURES)}


def data_kind(name: str) -> DataKind:
    """The kind of market data of that name; :class:`ConfigError` naming the nearest."""
    for kind in DATA_KINDS:
        if kind == name:
            return kind
    raise ConfigError(f"Unknown kind of market data '{name}'. {nearest_hint(name, DATA_KINDS)}")


def dataset(kind: str) -> Dataset:
    """The dataset of that kind of market data; raises as :func:`data_kind`."""
    return DATASETS[data_kind(kind)]


def conform(data: Dataset, frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """``frame`` with the dataset's stored columns, in order and of its types; a naive time is read as UTC.

    Whole and single-precision numbers become Float64; a droppable column that is missing is null. Any other missing
    column or any other type raises :class:`SchemaError` naming ``where``, the column, what was expected and found.
    """
    check_columns(data, frame.schema, where, exact=False)
    whole = frame.with_columns(pl.lit(None).alias(name) for name in data.droppable_columns if name not in frame.columns)
    return whole.select(_conformed(name, whole.schema[name], expected) for name, expected in data.stored.items())


def check_columns(data: Dataset, found: pl.Schema, where: str, *, exact: bool) -> None:
    """Raise :class:`SchemaError` for the first column missing and not droppable, or of another type where ``exact``."""
    for name, expected in data.stored.items():
        actual = found.get(name)
        if actual is None and name in data.droppable_columns:
            continue
        if actual is None:
            raise SchemaError(
                f"{where}, dataset {data.kind}, column {name}: Expected {expected}, found no such column "
                f"among {', '.join(found)}"
            )
        if actual != expected and (exact or not _readable(actual, expected)):
            raise SchemaError(f"{where}, dataset {data.kind}, column {name}: Expected {expected}, found {actual}")


def _readable(actual: pl.DataType, expected: pl.DataType) -> bool:
    if expected == pl.Float64:
        return actual.is_numeric() or actual == pl.Null
    if isinstance(expected, pl.Datetime):
        return isinstance(actual, pl.Datetime) or actual == pl.Null
    return expected == pl.String and actual == pl.Null


def _conformed(name: str, actual: pl.DataType, expected: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(actual, pl.Datetime) and actual.time_zone is None:
        column = column.dt.replace_time_zone("UTC")
    return column if actual == expected else column.cast(expected)
