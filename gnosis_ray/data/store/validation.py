"""The rules for the values of a dataset, checked when rows are appended and never when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import STORE_DATASETS, Dataset
from gnosis_ray.schemas.core_schemas import StoreKind

if TYPE_CHECKING:
    import dataframely as dy

_NOT_BEFORE = "not_before_the_event"
_FAULTS = {"nullability": "is null", "nan": "is not finite", "inf": "is not finite"}
"""The library's name of a fault, and the text of our error."""


@cache
def value_schema(kind: StoreKind) -> type[dy.Schema]:
    """The dataframely schema of a dataset's stored columns.

    A symbol and both times are never null, a figure is a finite number or null, and nothing is known before it
    happened. Everything else that is odd about a row is reported by ``gnosis-ray data verify``.
    """
    import dataframely as dy  # imported only to write: it takes 0.05 seconds

    data = STORE_DATASETS[kind]
    required = {"symbol", data.event, "known_at"}
    rules = {_NOT_BEFORE: dy.rule()(lambda _: pl.col("known_at") >= pl.col(data.event))}
    columns = {name: _column(dtype, nullable=name not in required) for name, dtype in data.stored.items()}
    return type(kind, (dy.Schema,), {**columns, **rules})


def check_values(data: Dataset, frame: pl.DataFrame, where: str) -> None:
    """Raise :class:`DataError` for a missing symbol or time, NaN or infinity, and a ``known_at`` before the event.

    ``frame`` has the dataset's stored columns. The error names ``where``, the symbol, the column, what was found
    in it and the time of the first such row.
    """
    schema = value_schema(data.kind)
    if schema.is_valid(frame):
        return
    _, failure = schema.filter(frame)
    faults = failure.counts()
    fault = next(name for name in _in_order(data) if name in faults)
    row = failure.details().filter(pl.col(fault) == "invalid").row(0, named=True)
    name, _, rule = fault.partition("|")
    column, what = (name, _FAULTS[rule]) if rule else ("known_at", f"is before {data.event}")
    raise DataError(f"{where}, dataset {data.kind}, column {column}: {what} at {row[data.event]}", symbol=row["symbol"])


def _in_order(data: Dataset) -> Iterator[str]:
    """The faults by the library's names, in the order in which they are reported."""
    yield from (f"{name}|{fault}" for fault in _FAULTS for name in data.stored)
    yield _NOT_BEFORE


def _column(dtype: pl.DataType, *, nullable: bool) -> dy.Column:
    import dataframely as dy

    if isinstance(dtype, pl.Datetime):
        return dy.Datetime(time_zone="UTC", time_unit="us", nullable=nullable)
    made: dict[pl.DataType, type[dy.Column]] = {
        pl.Float64(): dy.Float64,
        pl.String(): dy.String,
        pl.Date(): dy.Date,
    }
    return made[dtype](nullable=nullable)
