"""A provider of daily bars from a folder of CSV files, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import gnosis_ray as gr

FIGURES = ("open", "high", "low", "close", "volume")


class CsvBarsSource:
    """One ``SYMBOL.csv`` a symbol: ``date,open,high,low,close,volume``, raw prices, oldest first or not.

    A bar is known from the close of its session on. Chains, trades, quotes and news are empty: the engines that need
    them say so. Raises :class:`NoDataError` without a folder, :class:`SchemaError` where a file lacks a column.
    """

    name = "csv_bars"
    synthetic = False

    def __init__(self, folder: Path, calendar: gr.SessionCalendar) -> None:
        if not folder.is_dir():
            raise gr.errors.NoDataError(f"No folder of bars at {folder}")
        self._folder = folder
        self._calendar = calendar

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002
        """None."""
        return pl.DataFrame(schema={**gr.columns.RAW_CHAIN, "timestamp": gr.columns.UTC_TIME})

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """``columns.BARS`` known at the symbol's latest key, from ``lookback`` bars before its earliest."""
        spans = keys.group_by("symbol").agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max())
        found = [self._read(symbol, first, last, lookback) for symbol, first, last in spans.sort("symbol").iter_rows()]
        return pl.concat(found) if found else pl.DataFrame(schema=gr.columns.BARS)

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:  # noqa: ARG002
        """None."""
        return pl.DataFrame(schema=gr.columns.TRADES)

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:  # noqa: ARG002
        """None."""
        return pl.DataFrame(schema=gr.columns.QUOTES)

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:  # noqa: ARG002
        """None."""
        return pl.DataFrame(schema=gr.columns.NEWS)

    def default_as_of(self, now: datetime) -> datetime:
        """Now: a bar is known from its close on."""
        return now

    def _read(self, symbol: str, first: datetime, last: datetime, lookback: int) -> pl.DataFrame:
        path = self._folder / f"{symbol}.csv"
        if not path.is_file():
            return pl.DataFrame(schema=gr.columns.BARS)
        table = pl.read_csv(path, try_parse_dates=True)
        missing = [name for name in ("date", *FIGURES) if name not in table.columns]
        if missing:
            raise gr.errors.SchemaError(f"{path}: Expected columns {', '.join(missing)}", symbol=symbol)
        closes = self._calendar.close_on(table["date"].to_numpy().astype("datetime64[D]"))
        table = table.filter(~np.isnat(closes)).with_columns(
            pl.lit(symbol).alias("symbol"),
            pl.Series("timestamp", closes[~np.isnat(closes)]).dt.replace_time_zone("UTC").cast(gr.columns.UTC_TIME),
            *(pl.col(name).cast(pl.Float64) for name in FIGURES),
            adjusted_close=pl.lit(None, pl.Float64),
        )
        known = table.with_columns(known_at="timestamp").filter(pl.col("timestamp") <= last).sort("timestamp")
        before = known.filter(pl.col("timestamp") <= first).tail(lookback)
        return pl.concat([before, known.filter(pl.col("timestamp") > first)]).select(gr.columns.BARS.names())


def make(calendar: gr.SessionCalendar, settings: Mapping[str, Any]) -> CsvBarsSource:
    """``folder``: an absolute path."""
    return CsvBarsSource(Path(settings["folder"]), calendar)
