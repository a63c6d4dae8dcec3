"""Conversion of vendors' rows into the columns of the store, shared by all providers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from gnosis_ray.errors import SchemaError
from gnosis_ray.market.calendar import SessionCalendar, utc_times
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import DATASETS, VENDOR_GREEKS
from gnosis_ray.market.symbols import is_pair
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.occ_symbols import is_own, parse_occ, settlement

_log = logging.getLogger(__name__)

_EXCHANGE = "XNYS"
"""The sessions of all US listings: the exchanges have the same days and hours."""

SETTLING = timedelta(minutes=15)
"""A bar is complete this long after its close: many plans are that late, and so is a session's final volume."""

QUOTED = pl.Schema(
    {
        "code": pl.String,
        "bid": pl.Float64,
        "ask": pl.Float64,
        "last": pl.Float64,
        "volume": pl.Float64,
        "open_interest": pl.Float64,
        "vendor_iv": pl.Float64,
        **dict.fromkeys(VENDOR_GREEKS, pl.Float64),
    }
)
"""A vendor's row of one contract: its OCC symbol, then columns of ``DATASETS["chains"]``."""


def table(kind: DataKind, symbol: str, rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` of one symbol as the columns of a kind without ``known_at``, in time order; NaN becomes null.

    Columns that a vendor does not give are null. Rows keep their order within a microsecond. Of different rows with
    the same identity, where a kind allows only one, the last one is kept, as imports do, and the others are logged.
    """
    data = DATASETS[kind]
    wanted = {name: dtype for name, dtype in data.columns_provided.items() if name != "known_at"}
    known = {"symbol", *rows.columns}
    whole = rows.with_columns(
        pl.lit(symbol).alias("symbol"),
        *(pl.lit(None, dtype=dtype).alias(name) for name, dtype in wanted.items() if name not in known),
    )
    typed = whole.select(pl.col(name).cast(dtype) for name, dtype in wanted.items())
    figures = [name for name, dtype in wanted.items() if dtype == pl.Float64]
    finite = typed.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in figures)
    ordered = finite.sort(data.event, maintain_order=True)
    if data.repeats:
        return ordered
    kept = ordered.unique(data.identity, keep="last", maintain_order=True)
    if contradicted := ordered.unique().height - kept.height:
        rows_are = "1 row is" if contradicted == 1 else f"{contradicted} rows are"
        _log.warning("%s, %s: %s contradicted by a later row", symbol, kind, rows_are)
    return kept


def nothing(kind: DataKind) -> pl.DataFrame:
    """No rows of a kind."""
    return table(kind, "", pl.DataFrame(schema=DATASETS[kind].schema))


def within(request: ProviderRequest, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a series whose event lies in the requested time."""
    event = pl.col(DATASETS[request.kind].event)
    return rows.filter(event.is_between(request.since, request.until))


def chain(
    symbol: str, quoted: Sequence[tuple[Any, ...]], event_time: datetime, underlying_price: float | None, where: str
) -> pl.DataFrame:
    """A chain of one snapshot from rows in the order of :data:`QUOTED`; adjusted contracts are left out.

    ``event_time`` UTC, ``underlying_price`` USD. Raises :class:`SchemaError` where no code can be read.
    """
    rows = pl.DataFrame(quoted, schema=QUOTED, orient="row").with_columns(parse_occ(pl.col("code")))
    if rows.height and rows["root"].null_count() == rows.height:
        raise SchemaError(f"{where}: Expected option symbols such as AAPL260717C00150000, found {rows['code'][0]!r}")
    own = rows.filter(is_own(pl.col("root"), symbol))
    if left_out := rows.height - own.height:
        _log.info("%s: left out %d contracts that are adjusted or unreadable", where, left_out)
    stamped = own.with_columns(
        settlement(pl.col("root")),
        pl.lit(event_time).cast(UTC_TIME).alias("event_time"),
        pl.lit(underlying_price, dtype=pl.Float64).alias("underlying_price"),
    )
    return table("chains", symbol, stamped).sort("expiry", "strike", "type", "settlement")


def closes(request: ProviderRequest, days: pl.Series) -> pl.Series:
    """The close of each day's session, UTC; null where the exchange had none.

    For crypto pairs, which trade all day, the end of the day in UTC.
    """
    if is_pair(request.symbol):
        return (days.cast(pl.Datetime("us")).dt.offset_by("1d")).dt.replace_time_zone("UTC")
    calendar = _calendar(request.since.year, request.until.year)
    wanted = days.to_numpy().astype("datetime64[D]")
    found = np.isin(wanted, calendar.days)
    moments = np.where(found, calendar.close_on(wanted), np.datetime64("NaT", "us"))
    return utc_times(moments, days.name)


def daily(request: ProviderRequest, days: pl.Series, rows: pl.DataFrame, late: timedelta = SETTLING) -> pl.DataFrame:
    """Bars stamped with the close of the session on ``days``, without those that lack prices or are not complete yet.

    A bar is complete ``late`` after its close. Of two bars of a day the later one is kept (:func:`table`): vendors
    append the live one.
    """
    stamped = rows.with_columns(closes(request, days).alias("timestamp"))
    whole = stamped.drop_nulls(["timestamp", "open", "high", "low", "close"])
    return within(replace(request, until=request.until - late), table("bars", request.symbol, whole))


@lru_cache(maxsize=4)
def _calendar(first: int, last: int) -> SessionCalendar:
    return SessionCalendar.build(_EXCHANGE, date(first, 1, 1), date(last, 12, 31))


def newest(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest of the times that are known."""
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None


def from_epoch_ns(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 as a UTC time, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
