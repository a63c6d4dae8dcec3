"""Small market tables, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from gnosis_ray.market.columns import BARS, KEYS, NEWS, QUOTES, RAW_CHAIN, TRADES
from gnosis_ray.storage.location import Location

MONDAY = datetime(2026, 7, 6, 20, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def keys(*pairs: tuple[str, datetime]) -> pl.DataFrame:
    """``KEYS`` rows."""
    return pl.DataFrame(pairs, schema=KEYS, orient="row")


def chain(
    symbol: str,
    event: datetime,
    known: datetime | None = None,
    strikes: Iterable[float] = (95.0, 100.0, 105.0),
    bid: float = 1.0,
) -> pl.DataFrame:
    """A snapshot: a call and a put at each strike, all bid alike."""
    expiry = date(2026, 8, 21)
    rows = [
        (symbol, event, known or event, 100.0, expiry, strike, side, "PM", bid, bid + 0.1, bid, 10.0, 100.0, 0.2)
        for strike in strikes
        for side in ("C", "P")
    ]
    return pl.DataFrame(rows, schema=RAW_CHAIN, orient="row")


def bar(
    symbol: str, day: int, close: float = 100.0, known: datetime | None = None, adjusted: float | None = None
) -> pl.DataFrame:
    """The bar of ``day`` days after Monday, known at its close unless said otherwise."""
    event = MONDAY + day * DAY
    row = (symbol, event, known or event, close, close + 1, close - 1, close, 1e6, adjusted)
    return pl.DataFrame([row], schema=BARS, orient="row")


def bars(symbol: str, count: int) -> pl.DataFrame:
    """``count`` bars from Monday on, closing at 100, 101, 102..."""
    return pl.concat([bar(symbol, day, 100.0 + day) for day in range(count)])


def trade(symbol: str, at: datetime, price: float = 100.0, known: datetime | None = None) -> pl.DataFrame:
    """One print."""
    return pl.DataFrame([(symbol, at, known or at, price, 10.0, None)], schema=TRADES, orient="row")


def quote(symbol: str, at: datetime, bid: float = 99.0) -> pl.DataFrame:
    """One best bid and offer."""
    return pl.DataFrame([(symbol, at, at, bid, 5.0, bid + 1, 5.0)], schema=QUOTES, orient="row")


def headline(symbol: str, at: datetime, text: str, body: str = "", known: datetime | None = None) -> pl.DataFrame:
    """One item."""
    return pl.DataFrame([(symbol, at, known or at, text, body, "wire")], schema=NEWS, orient="row")


def local(place: Location) -> Path:
    """A place that is a folder or a file here."""
    if not isinstance(place, Path):
        raise TypeError(f"Expected a path, was {place}")
    return place
