"""Small made-up raw chains with a known volatility, and the recorded ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gnosis_ray.data.chains.cleaning import EXPECTED
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.options.bsm import price

NOW = datetime(2026, 7, 10, 15, 0, tzinfo=UTC)
"""A Friday, in the session."""
CALENDAR = SessionCalendar.build("XNYS", date(2026, 1, 2), date(2029, 12, 31))
RATE = 0.04


def closes_at(expiry: date, settlement: str = "PM") -> datetime:
    days = np.array([expiry], dtype="datetime64[D]")
    moment = CALENDAR.expiry_moment(days, np.array([settlement == "AM"]))[0]
    return moment.astype(datetime).replace(tzinfo=UTC)  # type: ignore[no-any-return]


def years(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(days=365)


def book(
    symbol: str = "XYZ",
    spot: float = 100.0,
    expiry: date = date(2026, 8, 21),
    sigma: float = 0.3,
    carry: float = 0.012,
    event_time: datetime = NOW,
    timestamp: datetime = NOW,
    settlement: str = "PM",
    strikes: tuple[float, ...] = (80, 90, 95, 98, 99, 100, 101, 102, 105, 110, 120),
    quoted_at: datetime | None = None,
) -> pl.DataFrame:
    """Calls and puts at ``strikes``, quoted 1% around the price of ``sigma`` at ``quoted_at`` (``event_time``)."""
    tau = years(quoted_at or event_time, closes_at(expiry, settlement))
    rows = pl.DataFrame({"strike": strikes}, schema={"strike": pl.Float64}).join(
        pl.DataFrame({"type": ["C", "P"]}), how="cross"
    )
    w = np.where(rows["type"] == "C", 1.0, -1.0)
    fair = price(w, spot, rows["strike"].to_numpy(), tau, RATE, carry, sigma)
    return rows.with_columns(
        symbol=pl.lit(symbol),
        timestamp=pl.lit(timestamp),
        event_time=pl.lit(event_time),
        known_at=pl.lit(event_time),
        underlying_price=pl.lit(spot),
        expiry=pl.lit(expiry),
        settlement=pl.lit(settlement),
        bid=pl.Series(fair * 0.99),
        ask=pl.Series(fair * 1.01),
        last=pl.Series(fair),
        volume=pl.lit(100.0),
        open_interest=pl.lit(1000.0),
        vendor_iv=pl.lit(None, pl.Float64),
    ).select(pl.col(name).cast(dtype) for name, dtype in EXPECTED.items())


def unquoted(chain: pl.DataFrame) -> pl.DataFrame:
    """The same after hours: no bid, no ask."""
    return chain.with_columns(bid=pl.lit(0.0), ask=pl.lit(0.0))


def recorded(folder: Path, timestamp: datetime) -> pl.DataFrame:
    """The 520 recorded chains of July 2026 as a source would answer at ``timestamp``."""
    chains = pl.read_parquet(folder / "us_2026_07" / "chains.parquet")
    figures = {"bid": "bid", "ask": "ask", "last": "last", "volume": "volume", "open_interest": "open_interest"}
    morning = pl.col("contract").str.starts_with("SPX2")
    return chains.select(
        symbol="underlying",
        timestamp=pl.lit(timestamp),
        event_time="snapshot_ts",
        known_at="snapshot_ts",
        underlying_price="spot",
        expiry=pl.col("expiration").str.to_date(),
        strike="strike",
        type=pl.col("side").replace_strict({"call": "C", "put": "P"}, return_dtype=pl.String),
        settlement=pl.when(morning).then(pl.lit("AM")).otherwise(pl.lit("PM")),
        vendor_iv="iv",
        **figures,
    ).select(pl.col(name).cast(dtype) for name, dtype in EXPECTED.items())
