"""The canonical spelling of symbols, and each vendor's.

Canonical: upper case, a dot before the share class (``BRK.B``), a dash before the currency of a crypto pair
(``BTC-USD``), indices bare (``SPX``). No share class has the name of a currency, so the separator is not needed to
distinguish them: ``BRK-B`` is a share, ``BTC/USD`` a pair. US listings only: a dot does not name an exchange.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from gnosis_ray.errors import ConfigError, NoDataError, UniverseError, nearest_hint
from gnosis_ray.schemas.expectations import was

MAX_LENGTH = 16
_SPELLING = re.compile(r"[A-Z0-9]+(?:\.[A-Z0-9]{1,3})?")
_INDEX_MARKS = "^_"
_PREFIXES = f"${_INDEX_MARKS}"
_CLASS_MARKS = str.maketrans({"-": ".", "/": "."})

QUOTE_CURRENCIES = ("BTC", "ETH", "EUR", "GBP", "JPY", "USD", "USDC", "USDT")
"""Quote currencies of crypto pairs. None is the end of another: ``BTCUSDT`` has one reading."""

_PAIR = re.compile(rf"([A-Z0-9]+)[-./]({'|'.join(QUOTE_CURRENCIES)})")
_JOINED_PAIR = re.compile(rf"([A-Z0-9]+?)({'|'.join(QUOTE_CURRENCIES)})")


@dataclass(frozen=True)
class Index:
    """An index: what it is, and the roots of its listed options by when they settle."""

    name: str
    am_roots: tuple[str, ...] = ()
    """Settle on opening prices of the last day."""
    pm_roots: tuple[str, ...] = ()
    """Settle on closing prices of the last day."""


INDICES: dict[str, Index] = {
    "DJI": Index("Dow Jones Industrial Average"),
    "DJX": Index("1/100 of the Dow Jones Industrial Average", am_roots=("DJX",)),
    "MRUT": Index("1/10 of the Russell 2000", pm_roots=("MRUT",)),
    "NDX": Index("Nasdaq-100", am_roots=("NDX",), pm_roots=("NDXP",)),
    "OEX": Index("S&P 100, exercised any day", pm_roots=("OEX",)),
    "RUT": Index("Russell 2000", am_roots=("RUT",), pm_roots=("RUTW",)),
    "SKEW": Index("Cboe SKEW"),
    "SPX": Index("S&P 500", am_roots=("SPX",), pm_roots=("SPXW",)),
    "VIX": Index("Cboe volatility of the S&P 500, 30 days", am_roots=("VIX", "VIXW")),
    "VIX3M": Index("Cboe volatility of the S&P 500, 3 months"),
    "VIX9D": Index("Cboe volatility of the S&P 500, 9 days"),
    "VVIX": Index("Cboe volatility of the VIX"),
    "XEO": Index("S&P 100, exercised at expiry", pm_roots=("XEO",)),
    "XND": Index("1/100 of the Nasdaq-100", pm_roots=("XND",)),
    "XSP": Index("1/10 of the S&P 500", pm_roots=("XSP",)),
}
"""Every index. Any other symbol without a dash is a share or a fund."""


@dataclass(frozen=True)
class Spelling:
    """One vendor's spelling of symbols: ``None`` for what it does not give.

    ``share_class`` stands before a share class, ``index`` before an index, ``pair`` holds ``{base}`` and ``{quote}``.
    """

    share_class: str | None = None
    index: str | None = None
    pair: str | None = None


SPELLINGS: dict[str, Spelling] = {
    "alpaca": Spelling(share_class=".", pair="{base}/{quote}"),
    "cboe": Spelling(share_class=".", index="_"),
    "ccxt": Spelling(pair="{base}/{quote}"),
    "massive": Spelling(share_class=".", index="I:", pair="X:{base}{quote}"),
    "tradier": Spelling(share_class="/", index=""),
    "yahoo": Spelling(share_class="-", index="^", pair="{base}-{quote}"),
}
"""Every vendor's spelling: BRK.B, SPX and BTC-USD are BRK-B, ^SPX and BTC-USD at Yahoo."""


def canonical(text: str) -> str:
    """The canonical spelling of ``BRK-B``, ``BRK/B``, ``brk.b``, ``_SPX``, ``^SPX``, ``$AAPL`` or ``btc/usd``.

    Symbols become folder names and partition bounds: anything but letters and digits with at most one share class or
    currency raises :class:`UniverseError` naming the text and what was expected. So does ``^DJT``: ``^`` and ``_`` mark
    an index, and one that is not declared would become the share of that name.
    """
    bare = text.strip()
    if bare[:1] in _PREFIXES:
        bare = bare[1:]
    symbol = bare.upper()
    pair = _PAIR.fullmatch(symbol)
    symbol = f"{pair[1]}-{pair[2]}" if pair else symbol.translate(_CLASS_MARKS)
    if not symbol:
        raise UniverseError(f"Expected a symbol such as AAPL or BRK.B, was {text!r}: empty")
    if len(symbol) > MAX_LENGTH:
        wanted = f"Expected a symbol of at most {MAX_LENGTH} characters, such as AAPL"
        raise UniverseError(f"{wanted}, was {was(text, 40)}: {len(symbol)}")
    if not bare.isascii() or not (pair or _SPELLING.fullmatch(symbol)):
        raise UniverseError(
            f"Expected a symbol of letters and digits with at most one share class, such as AAPL or BRK.B, "
            f"or a pair such as BTC-USD, was {text!r}"
        )
    if marks_index(text):
        _require_index(symbol, text)
    return symbol


def marks_index(text: str) -> bool:
    """Whether a spelling says by ``^`` or ``_`` that it is an index."""
    return text.strip()[:1] in tuple(_INDEX_MARKS)


def _require_index(symbol: str, text: str) -> None:
    if symbol not in INDICES:
        raise UniverseError(f"Expected a declared index, was {text!r}. {nearest_hint(symbol, INDICES)}")


def canonical_list(texts: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The distinct symbols, sorted, and how many of ``texts`` repeated another one."""
    spelled_alike = [canonical(text) for text in texts]
    symbols = tuple(sorted(set(spelled_alike)))
    return symbols, len(spelled_alike) - len(symbols)


def is_index(symbol: str) -> bool:
    """Whether a canonical symbol is one of :data:`INDICES`."""
    return symbol in INDICES


def is_pair(symbol: str) -> bool:
    """Whether a canonical symbol is a crypto pair."""
    return "-" in symbol


def of_pairs(symbols: pl.Series) -> pl.Series:
    """Whether each canonical symbol is a crypto pair; false where there is none. Each distinct one is read once."""
    pairs = [text for text in symbols.drop_nulls().unique() if is_pair(text)]
    return symbols.is_in(pairs).fill_null(value=False)


def option_root(symbol: str) -> str:
    """The root under which a symbol's own options are listed: ``BRKB`` for ``BRK.B``, ``SPX`` for ``SPX``."""
    return symbol.replace(".", "")


def vendor_symbol(symbol: str, vendor: str) -> str:
    """A vendor's spelling (:data:`SPELLINGS`) of a canonical symbol: ``vendor_symbol("BRK.B", "yahoo") == "BRK-B"``.

    Raises :class:`NoDataError` for an index, a pair or a share of a vendor that gives none, :class:`UniverseError` for
    a symbol that is not in canonical spelling, :class:`ConfigError` for a vendor without one.
    """
    if canonical(symbol) != symbol:
        raise UniverseError(f"Expected the inside spelling {canonical(symbol)}, was {symbol!r}")
    said = _spelling(vendor)
    if is_pair(symbol):
        base, quote = symbol.split("-")
        return _given(said.pair, symbol, vendor, "crypto pairs").format(base=base, quote=quote)
    if is_index(symbol):
        return _given(said.index, symbol, vendor, "indices") + symbol
    return symbol.replace(".", _given(said.share_class, symbol, vendor, "shares"))


def canonical_symbol(text: str, vendor: str) -> str:
    """The canonical spelling of a symbol in the spelling of ``vendor``: the inverse of :func:`vendor_symbol`.

    Raises :class:`UniverseError` for what is no symbol, :class:`ConfigError` for a vendor without a spelling.
    """
    said = _spelling(vendor)
    if said.index and text.startswith(said.index):
        symbol = canonical(text.removeprefix(said.index))
        _require_index(symbol, text)
        return symbol
    if said.pair and not said.pair.startswith("{"):
        prefix = said.pair.partition("{")[0]
        joined = _JOINED_PAIR.fullmatch(text.removeprefix(prefix))
        if text.startswith(prefix) and joined:
            return canonical(f"{joined[1]}-{joined[2]}")
    return canonical(text)


def _spelling(vendor: str) -> Spelling:
    said = SPELLINGS.get(vendor)
    if said is None:
        raise ConfigError(
            f"No spelling of symbols is declared for the vendor '{vendor}'. {nearest_hint(vendor, SPELLINGS)}"
        )
    return said


def _given(mark: str | None, symbol: str, vendor: str, what: str) -> str:
    if mark is None:
        raise NoDataError(f"{vendor} gives no {what}", symbol=symbol)
    return mark
