"""What is wrong with a table that code of others returned: in words, None where nothing is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from gnosis_ray.market.columns import KEYS, UTC_TIME

_TYPE_NAMES = {
    pl.Float64(): "numbers (f64)",
    pl.Int64(): "whole numbers (i64)",
    pl.String(): "text",
    pl.Boolean(): "true or false",
    pl.Date(): "dates",
    UTC_TIME: "UTC times in microseconds",
}


def type_name(dtype: pl.DataType) -> str:
    """What a column of this type holds, in words."""
    if dtype in _TYPE_NAMES:
        return _TYPE_NAMES[dtype]
    if isinstance(dtype, pl.Datetime):
        return f"times in {dtype.time_unit}, {dtype.time_zone or 'without a time zone'}"
    return "nothing but nulls" if dtype == pl.Null() else f"{dtype}".lower()


def column_fault(frame: object, schema: pl.Schema) -> str | None:
    """Why ``frame`` is no table with the columns of ``schema``; others may be there too."""
    if not isinstance(frame, pl.DataFrame):
        return f"Expected a Polars DataFrame, was {type(frame).__name__}"
    found = frame.schema
    for name, dtype in schema.items():
        if name not in found:
            return f"Expected a column {name} of {type_name(dtype)}, was {', '.join(found) or 'no column'}"
        if found[name] != dtype:
            return f"Expected column {name} to hold {type_name(dtype)}, was {type_name(found[name])}"
    return None


def key_fault(frame: pl.DataFrame, keys: pl.DataFrame) -> str | None:
    """Why ``frame`` has not one row a key, in the keys' order."""
    names = KEYS.names()
    own, wanted = frame.select(names), keys.select(names)
    if own.equals(wanted):
        return None
    for one, other, what in ((wanted, own, "no row"), (own, wanted, "a row nobody asked for")):
        odd = one.join(other, on=names, how="anti", nulls_equal=True)
        if odd.height:
            return f"Expected one row a key, was {what} for {_key(odd)}"
    if own.is_duplicated().any():
        return f"Expected one row a key, was more than one for {_key(own.filter(own.is_duplicated()))}"
    return f"Expected rows in the order of the keys, was {_key(own)} first, not {_key(wanted)}"


def number_fault(
    frame: pl.DataFrame, columns: Iterable[str], low: float | None = None, high: float | None = None
) -> str | None:
    """Why the columns do not hold finite numbers from ``low`` to ``high``; null, for unknown, may be in all of them."""
    bounded = low is not None and high is not None
    names = [name for name in columns if bounded or frame.schema[name].is_float()]
    good = pl.col(names).is_between(low, high) if bounded else pl.col(names).is_finite()  # NaN is neither
    odd = [name for name, every in frame.select(good.all()).row(0, named=True).items() if not every] if names else []
    if not odd:
        return None
    rows = frame.filter(~(pl.col(odd[0]).is_between(low, high) if bounded else pl.col(odd[0]).is_finite()))
    wanted = f"a number from {low:g} to {high:g}" if bounded else "a finite number or null"
    return f"Expected {wanted} in {odd[0]}, was {rows[odd[0]][0]!r} for {_key(rows)}"


def finite_fault(frame: pl.DataFrame) -> str | None:
    """Why the numbers of a table are not finite."""
    return number_fault(frame, frame.columns)


def time_fault(frame: pl.DataFrame, keys: pl.DataFrame, event: str) -> str | None:
    """Why ``frame`` holds rows of other symbols, without a time, or known after the latest key of their symbol.

    ``event``: the column with the time of the event, which is not after the key either.
    """
    if frame.is_empty():
        return None
    times = [event, "known_at"]
    for name in ("symbol", *times):
        if frame[name].null_count():
            return f"Expected a value in {name}, was null for {_key(frame.filter(pl.col(name).is_null()))}"
    strangers = frame.select(pl.col("symbol").unique()).join(keys, on="symbol", how="anti")
    if strangers.height:
        return f"Expected rows of the symbols asked for, was one of {strangers['symbol'].sort()[0]}"
    last = keys.select(pl.col("timestamp").max()).item()
    if keys.select(pl.col("timestamp").n_unique()).item() == 1:
        late = frame.filter(pl.max_horizontal(times) > last) if _latest(frame, times) > last else frame.clear()
    else:
        ends = keys.group_by("symbol").agg(__last=pl.col("timestamp").max())
        late = frame.join(ends, on="symbol", maintain_order="left").filter(pl.max_horizontal(times) > pl.col("__last"))
    if late.height:
        found = late.select(pl.max_horizontal(times)).item(0, 0)
        return (
            f"Expected nothing known after the moment asked for, was {event} or known_at {found} of {late['symbol'][0]}"
        )
    return None


def chain_fault(frame: pl.DataFrame, keys: pl.DataFrame, event: str) -> str | None:
    """Why ``frame`` holds chains that no key asked for, or of after the key: ``timestamp`` is the key's own."""
    names = KEYS.names()
    if frame.is_empty():
        return None
    strangers = frame.select(names).unique().join(keys, on=names, how="anti")
    if strangers.height:
        return f"Expected chains of the keys asked for, was one of {_key(strangers.sort(names))}"
    late = frame.filter(pl.max_horizontal(event, "known_at") > pl.col("timestamp"))
    if late.height:
        return _seen_too_early(late, event, _key(late))
    return None


def _seen_too_early(late: pl.DataFrame, event: str, what: str) -> str:
    found = late.select(pl.max_horizontal(event, "known_at")).item(0, 0)
    return f"Expected nothing known after the moment asked for, was {event} or known_at {found} of {what}"


def order_fault(frame: pl.DataFrame) -> str | None:
    """Why the rows of a symbol do not stand together, in the order of time."""
    begins = pl.col("symbol") != pl.col("symbol").shift(1)
    back = frame.filter(~begins & (pl.col("timestamp").diff() < timedelta(0)))
    if back.height:
        return f"Expected rows in the order of time, was {_key(back)} after a later one"
    starts = frame.filter(begins.fill_null(value=True))
    again = starts.filter(~pl.col("symbol").is_first_distinct())
    return f"Expected the rows of a symbol together, was {_key(again)} apart from the others" if again.height else None


def _latest(frame: pl.DataFrame, times: list[str]) -> object:
    return frame.select(pl.max_horizontal(pl.col(times).max())).item()


def _key(frame: pl.DataFrame) -> str:
    symbol, moment = frame.select(KEYS.names()).row(0)
    return f"{symbol} at {moment}"
