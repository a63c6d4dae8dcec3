"""The market data of the replayed vendors: chains and daily bars, recorded or synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from gnosis_ray.market.keys import one_key
from gnosis_ray.market.source import MarketSource
from gnosis_ray.market.symbols import canonical

OPTIONS = pl.Schema(
    {
        "option": pl.String,  # OCC code, without blanks
        "expiry": pl.Date,
        "type": pl.String,  # "C" or "P"
        "strike": pl.Float64,
        "bid": pl.Float64,  # null where unknown, as all that follow
        "ask": pl.Float64,
        "last": pl.Float64,
        "volume": pl.Float64,
        "open_interest": pl.Float64,
        "iv": pl.Float64,
        "delta": pl.Float64,
        "gamma": pl.Float64,
        "theta": pl.Float64,
        "vega": pl.Float64,
        "rho": pl.Float64,
    }
)
DAYS = pl.Schema(
    {
        "date": pl.Date,
        "open": pl.Float64,
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "volume": pl.Float64,
    }
)

BAR_HISTORY = 500


@dataclass(frozen=True)
class ChainSnapshot:
    """One snapshot of all options of a symbol: taken at ``moment`` (UTC), the underlying at ``spot`` USD."""

    moment: datetime
    spot: float
    options: pl.DataFrame
    """:data:`OPTIONS`."""


class Market(Protocol):
    """Symbols are in the inside spelling; None where the market knows nothing of one."""

    def snapshot(self, symbol: str) -> ChainSnapshot | None:
        """The snapshot that every vendor shows."""
        ...

    def days(self, symbol: str) -> pl.DataFrame | None:
        """:data:`DAYS`, oldest first."""
        ...


class RecordedMarket:
    """``us_2026_07``: read once, on the first question; figures to the bit, unknown ones null."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _chains(self) -> Mapping[tuple[Any, ...], pl.DataFrame]:
        return pl.read_parquet(self._folder / "chains.parquet").partition_by("underlying", as_dict=True)

    @cached_property
    def _bars(self) -> Mapping[tuple[Any, ...], pl.DataFrame]:
        return pl.read_parquet(self._folder / "ohlcv.parquet").partition_by("symbol", as_dict=True)

    def symbols(self) -> list[str]:
        """Every symbol with a chain, sorted."""
        return sorted(canonical(name) for (name,) in self._chains)

    def snapshot(self, symbol: str) -> ChainSnapshot | None:
        """See :class:`Market`."""
        rows = self._chains.get((symbol.replace(".", "-"),))
        if rows is None:
            return None
        options = rows.select(
            pl.col("contract").alias("option"),
            pl.col("expiration").str.to_date().alias("expiry"),
            pl.col("side").replace_strict({"call": "C", "put": "P"}).alias("type"),
            *(name for name in OPTIONS.names()[3:]),
        )
        return ChainSnapshot(rows["snapshot_ts"][0], rows["spot"][0], options.cast(dict(OPTIONS)))  # type: ignore[arg-type]

    def days(self, symbol: str) -> pl.DataFrame | None:
        """See :class:`Market`."""
        rows = self._bars.get((symbol.replace(".", "-"),))
        if rows is None:
            return None
        dated = rows.with_columns(pl.col("date").str.to_date()).sort("date")
        return dated.select(DAYS.names()).cast(dict(DAYS))  # type: ignore[arg-type]


class SyntheticMarket:
    """The synthetic market at one moment, of the symbols named."""

    def __init__(self, source: MarketSource, symbols: frozenset[str], now: datetime) -> None:
        self._source, self._symbols, self._now = source, symbols, now
        self.snapshot = cache(self._snapshot)
        self.days = cache(self._days)

    def _snapshot(self, symbol: str) -> ChainSnapshot | None:
        if symbol not in self._symbols:
            return None
        rows = self._source.raw_chains(one_key(symbol, self._now))
        options = rows.select(
            occ_code(symbol).alias("option"),
            "expiry",
            "type",
            "strike",
            "bid",
            "ask",
            "last",
            "volume",
            "open_interest",
            pl.col("vendor_iv").alias("iv"),
            *(pl.lit(None, pl.Float64).alias(name) for name in ("delta", "gamma", "theta", "vega", "rho")),
        )
        return ChainSnapshot(rows["event_time"][0], rows["underlying_price"][0], options.cast(dict(OPTIONS)))  # type: ignore[arg-type]

    def _days(self, symbol: str) -> pl.DataFrame | None:
        if symbol not in self._symbols:
            return None
        rows = self._source.bars(one_key(symbol, self._now), BAR_HISTORY)
        dated = rows.with_columns(pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.date().alias("date"))
        return dated.select(DAYS.names()).cast(dict(DAYS))  # type: ignore[arg-type]


def occ_code(symbol: str) -> pl.Expr:
    """``AAPL260717C00150000`` of rows of expiry, type and strike; strikes in thousandths of a USD."""
    thousandths = (pl.col("strike") * 1000.0).round().cast(pl.Int64).cast(pl.String).str.zfill(8)
    return pl.format("{}{}{}{}", pl.lit(symbol.replace(".", "")), _yymmdd(), pl.col("type"), thousandths)


def _yymmdd() -> pl.Expr:
    return pl.col("expiry").dt.strftime("%y%m%d")
