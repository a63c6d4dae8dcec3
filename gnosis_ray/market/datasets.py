"""What the store keeps: one dataset a kind, its columns, its partition and what identifies a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from gnosis_ray.errors import ConfigError, SchemaError
from gnosis_ray.market.columns import BARS, NEWS, NEWS_IDENTITY, QUOTES, RAW_CHAIN, TRADES, UTC_TIME
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind

OCCURRENCE = "occurrence"
"""Numbers rows that are alike in one part: two equal prints at one microsecond are two trades."""

VENDOR_GREEKS = ("vendor_delta", "vendor_gamma", "vendor_theta", "vendor_vega")
"""As the vendor gave them, in its units: mostly theta a day, vega a point of volatility."""

FETCHED_AT = "fetched_at"
"""When a vendor's answer with the row was received: kept beside every dataset's columns, where it is told; engines
never see it, and rows that differ in nothing else are one row."""


@dataclass(frozen=True)
class Dataset:
    """One kind of market table; ``schema`` is what engines read of it.

    ``event`` names the event-time column, ``period`` the Hive partition (a day or a year of the event time).
    ``identity`` is what a correction shares with the row it replaces; where rows may rightly repeat (``repeats``)
    it is every column, and equal rows are told apart by their :data:`OCCURRENCE`. ``optional`` columns may be missing
    from what is appended or imported, and so unknown; a part holds only those that say something. ``beside`` are
    figures that are kept in the same way and no engine reads: a vendor's own, for whoever checks ours against them.
    """

    kind: DataKind
    schema: pl.Schema
    event: str
    period: Literal["event_date", "event_year"]
    identity: tuple[str, ...]
    repeats: bool = False
    optional: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @cached_property
    def told(self) -> pl.Schema:
        """The columns that a source may tell: those of ``schema``, and the figures beside it."""
        return pl.Schema({**self.schema, **dict.fromkeys(self.beside, pl.Float64())})

    @cached_property
    def stored(self) -> pl.Schema:
        """The columns that a part may hold: those that are told, and :data:`FETCHED_AT`."""
        return pl.Schema({**self.told, FETCHED_AT: UTC_TIME})

    @property
    def untold(self) -> tuple[str, ...]:
        """The columns that a source need not tell."""
        return (*self.optional, *self.beside)

    @property
    def omissible(self) -> tuple[str, ...]:
        """The stored columns that a part leaves out where they say nothing."""
        return (*self.untold, FETCHED_AT)

    def period_of(self, moment: pl.Expr) -> pl.Expr:
        """The partition label of a moment: ``2026-07-10`` or ``2026``; labels sort as time does."""
        return moment.dt.strftime("%Y-%m-%d" if self.period == "event_date" else "%Y")


def _all_but_known_at(schema: pl.Schema) -> tuple[str, ...]:
    return tuple(name for name in schema.names() if name != "known_at")


DATASETS: dict[DataKind, Dataset] = {
    "chains": Dataset(
        "chains",
        RAW_CHAIN,
        "event_time",
        "event_date",
        ("symbol", "event_time", "expiry", "strike", "type", "settlement"),
        beside=VENDOR_GREEKS,
    ),
    "bars": Dataset("bars", BARS, "timestamp", "event_year", ("symbol", "timestamp"), optional=("adjusted_close",)),
    "trades": Dataset("trades", TRADES, "timestamp", "event_date", _all_but_known_at(TRADES), repeats=True),
    "quotes": Dataset("quotes", QUOTES, "timestamp", "event_date", _all_but_known_at(QUOTES), repeats=True),
    "news": Dataset("news", NEWS, "timestamp", "event_date", NEWS_IDENTITY),
}


def dataset(kind: str) -> Dataset:
    """The dataset of that kind; :class:`ConfigError` naming the kinds there are."""
    for known, found in DATASETS.items():
        if known == kind:
            return found
    raise ConfigError(f"Unknown kind of market data '{kind}'. Valid: {', '.join(DATA_KINDS)}")


def conform(data: Dataset, frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """``frame`` with the dataset's stored columns, in order and of its types; a naive time is read as UTC.

    Whole and single-precision numbers become Float64; an omissible column that is missing is null. Any other missing
    column or any other type raises :class:`SchemaError` naming ``where``, the column, what was expected and found.
    """
    check_columns(data, frame.schema, where, exact=False)
    whole = frame.with_columns(pl.lit(None).alias(name) for name in data.omissible if name not in frame.columns)
    return whole.select(_conformed(name, whole.schema[name], expected) for name, expected in data.stored.items())


def check_columns(data: Dataset, found: pl.Schema, where: str, *, exact: bool) -> None:
    """Raise :class:`SchemaError` for the first column missing, not omissible, or of another type where ``exact``."""
    for name, expected in data.stored.items():
        actual = found.get(name)
        if actual is None and name in data.omissible:
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
