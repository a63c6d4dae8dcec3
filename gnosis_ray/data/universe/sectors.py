"""The sector of a symbol (GICS): from pytickersymbols, from a table of ours for what it lacks, from the user's own."""

from __future__ import annotations

import csv
from functools import cache
from importlib.metadata import version
from pathlib import Path

from gnosis_ray.data.universe.files import bare_lines, own_files
from gnosis_ray.data.universe.indices import renamed_to_present
from gnosis_ray.errors import UniverseError
from gnosis_ray.market.symbols import canonical

SECTORS = {
    "communication-services": "Communication Services",
    "consumer-discretionary": "Consumer Discretionary",
    "consumer-staples": "Consumer Staples",
    "energy": "Energy",
    "financials": "Financials",
    "health-care": "Health Care",
    "industrials": "Industrials",
    "information-technology": "Information Technology",
    "materials": "Materials",
    "real-estate": "Real Estate",
    "utilities": "Utilities",
}
"""The eleven sectors of the Global Industry Classification Standard: as they are typed, and by name."""

_AMONG_INDUSTRIES = ("real-estate", "utilities", "financials", "industrials", "energy")
"""Sectors whose names other classifications share, the most particular first.

pytickersymbols merges the industries of several classifications: a power company is in Energy and Utilities, a
property trust in Financials and Real Estate. A sector that only one classification has is the sector; of these, the
first is.
"""

_SOURCES = ("S&P 100", "S&P 500")
"""Lists of pytickersymbols whose industries name sectors; the last, which is kept better, wins."""

TABLE = "sectors.csv"


def sector_source() -> str:
    """Where sectors come from, in words."""
    return f"present sectors of pytickersymbols {version('pytickersymbols')} and {TABLE}"


def sectors_of(symbols: tuple[str, ...]) -> dict[str, str]:
    """Symbol -> present sector (a key of :data:`SECTORS`), for those whose sector is recorded under any of their names.

    A line of ``universes/sectors.csv`` (``symbol,sector``) in the user's home wins over one of the configuration, that
    over the package. Raises :class:`UniverseError` for a table that cannot be read.
    """
    known = dict(_packaged())
    for path in own_files(TABLE):
        known |= _table(path)
    renamed = renamed_to_present({symbol for symbol in symbols if symbol not in known})
    present = {symbol: renamed.get(symbol, symbol) for symbol in symbols}
    return {symbol: known[now] for symbol, now in present.items() if now in known}


@cache
def _packaged() -> dict[str, str]:
    from pytickersymbols import PyTickerSymbols

    listed = PyTickerSymbols()
    found = {
        canonical(stock["symbol"]): sector
        for name in _SOURCES
        for stock in listed.get_stocks_by_index(name)
        if (sector := _sector(stock["industries"]))
    }
    renamed = renamed_to_present(set(found))
    return {renamed.get(symbol, symbol): sector for symbol, sector in found.items()}


def _sector(industries: list[str]) -> str | None:
    """The one sector among a company's industries."""
    named = [key for key, name in SECTORS.items() if name in industries]
    particular = [key for key in named if key not in _AMONG_INDUSTRIES]
    shared = [key for key in _AMONG_INDUSTRIES if key in named]
    return next(iter(particular + shared), None)


def _table(path: Path) -> dict[str, str]:
    rows = list(csv.DictReader(bare_lines(path)))
    sectors = {}
    for row in rows:
        symbol, sector = row.get("symbol"), row.get("sector")
        if not symbol or sector not in SECTORS:
            raise UniverseError(f"{path}: Expected symbol,sector with a sector of {', '.join(SECTORS)}, was {row}")
        sectors[canonical(symbol)] = sector
    return sectors
