"""Small source files of daily bars and chains, and their import by a mapping of a few lines."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from gnosis_ray.data.importing import ImportMapping, ImportReport, import_dataset
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.store.frames import DAY, MONDAY, keys

HEADER = "symbol,date,open,high,low,close,volume"
ROWS = ("ZZA,2026-07-06,100.5,101.75,99.25,100.9,1000", "ZZA,2026-07-07,101.5,102.75,100.25,101.9,2000")
GOOD = "\n".join([HEADER, *ROWS]) + "\n"
BARS = {"symbol": "symbol", "timestamp": "date", "open": "open", "high": "high", "low": "low", "close": "close"}
BARS |= {"volume": "volume"}
CHAIN_HEADER = "symbol,time,spot,expiry,strike,type,settlement,bid,ask,last,volume,interest,iv"
CHAIN_ROW = "ZZA,2026-07-06T15:00:00Z,100,2026-08-21,100,C,PM,1.0,1.1,1.05,5,50,0.2"
CHAIN = {
    "symbol": "symbol", "event_time": "time", "underlying_price": "spot", "expiry": "expiry", "strike": "strike",
    "type": "type", "settlement": "settlement", "bid": "bid", "ask": "ask", "last": "last", "volume": "volume",
    "open_interest": "interest", "vendor_iv": "iv",
}  # fmt: skip


@cache
def calendar() -> SessionCalendar:
    """The sessions of New York around the week of the rows."""
    return SessionCalendar.build("XNYS", date(2026, 6, 1), date(2026, 12, 31))


def bars_mapping(file: str = "bars.csv", **more: Any) -> ImportMapping:
    """A mapping of bars whose columns have the names of :data:`HEADER`."""
    table = {"file": file, "kind": "bars", "known_at": "session_close", "columns": BARS} | more
    return ImportMapping.model_validate({"name": "mine", "about": "bars of a day", "tables": [table]})


def chain_mapping(**more: Any) -> ImportMapping:
    """A mapping of chains whose columns have the names of :data:`CHAIN_HEADER`."""
    table = {"file": "chain.csv", "kind": "chains", "known_at": "event", "columns": CHAIN} | more
    return ImportMapping.model_validate({"name": "mine", "about": "chains", "tables": [table]})


def imported(folder: Path, mapping: ImportMapping) -> ImportReport:
    """The import of ``folder`` into ``folder/market``."""
    return import_dataset(folder, mapping, StoreWriter(folder / "market"), calendar())


def bars_of(folder: Path, body: str | bytes, file: str = "bars.csv", **more: Any) -> ImportReport:
    """The import of one file of bars."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return imported(folder, bars_mapping(**({"file": file} | more)))


def chain_of(folder: Path, *rows: str, header: str = CHAIN_HEADER, **more: Any) -> ImportReport:
    """The import of one file of contracts."""
    (folder / "chain.csv").write_text("\n".join([header, *rows]) + "\n")
    return imported(folder, chain_mapping(**more))


def refusals(report: ImportReport) -> list[tuple[str, str, str]]:
    """Column, reason and example of each refusal."""
    return report.refused.select("column", "reason", "example").rows()


def stored_bars(folder: Path, symbol: str = "ZZA") -> pl.DataFrame:
    """The bars of a symbol in ``folder/market``, as they are known weeks later."""
    return StoreSource(folder / "market").bars(keys((symbol, MONDAY + 60 * DAY)), 99)
