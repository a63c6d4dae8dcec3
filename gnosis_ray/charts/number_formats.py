"""Number formats of a trading desk: dollars by size, percents, units as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_SIZES = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
SHORTENED_FROM = 1e5
"""USD from which an amount is shortened; below it is a price, kept to the cent."""

LEAST_PERCENT = 0.01
"""Percent below which one digit that counts is shown."""


def dollars(usd: float, *, signed: bool = False) -> str:
    """``$1.2bn``, ``-$340m``, ``$182.35``; ``unbounded`` for infinity."""
    if math.isinf(usd):
        return "unbounded"
    sign = "-" if usd < 0 else "+" if signed and usd > 0 else ""
    size = abs(usd)
    if size < SHORTENED_FROM:
        return f"{sign}${size:,.2f}"
    return f"{sign}${short(size, keep_zeros=True)}"


def plural(count: int, noun: str) -> str:
    """``1 symbol``, ``503 symbols``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def amount(usd: float) -> str:
    """Dollars of flow or gamma, three digits whatever the size: ``$93.5k``, ``-$1.20bn``."""
    return f"{'-' if usd < 0 else ''}${short(abs(usd), keep_zeros=True)}" if usd else "$0"


def short(size: float, *, keep_zeros: bool = False) -> str:
    """A number of any size in three digits: ``1.23bn``, ``-45k``, ``0.5``; ``1.20bn`` where zeros are kept."""
    sign, size = ("-" if size < 0 else ""), abs(size)
    rounded = float(f"{size:.3g}")
    unit, name = next(((unit, name) for unit, name in _SIZES if rounded >= unit), (1.0, ""))
    scaled = rounded / unit
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    text = f"{scaled:.{digits}f}" if keep_zeros and scaled >= 1 else f"{scaled:.3g}"
    return f"{sign}{text}{name}"


def percent(share: float, *, signed: bool = False) -> str:
    """A fraction in percent, three digits."""
    return _percents(share * 100, signed=signed)


def price(usd: float) -> str:
    """A price or a strike: to the cent, without a currency; whole ones without cents."""
    return f"{usd:,.0f}" if usd == round(usd) and usd >= 1 else f"{usd:,.2f}"


def measured(value: float, unit: str) -> tuple[str, str]:
    """``value`` of a feature as text, and the rest of its unit to show beside it."""
    write, rest = _UNITS.get(unit, (_plain, unit))
    return write(value), rest


def _percents(value: float, *, signed: bool = False) -> str:
    size = abs(value)
    if size == 0:
        return "0%"
    if size < LEAST_PERCENT:
        return f"{value:+.1g}%" if signed else f"{value:.1g}%"
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{value:+,.{digits}f}%" if signed else f"{value:,.{digits}f}%"


def _plain(value: float) -> str:
    size = abs(value)
    if value == round(value) and size < SHORTENED_FROM:
        return f"{value:,.0f}"
    if size >= SHORTENED_FROM:
        return short(value)
    return f"{value:,.2f}" if size >= 10 else f"{value:.3g}"


def _signed_percents(value: float) -> str:
    return _percents(value, signed=True)


def _points(value: float) -> str:
    return f"{value * 100:+.1f} points"


_UNITS: Mapping[str, tuple[Callable[[float], str], str]] = {
    "USD": (dollars, ""),
    "USD a day": (amount, "a day"),
    "USD per 1% move": (amount, "per 1% move"),
    "USD per volatility point": (amount, "per volatility point"),
    "USD per calendar day": (amount, "per calendar day"),
    "USD of the stock per 1% of its own move": (amount, "per 1% of its own move"),
    "fraction": (percent, ""),
    "fraction of at-the-money volatility": (percent, "of at-the-money volatility"),
    "percent": (_percents, ""),
    "percent of spot": (_signed_percents, "of spot"),
    "volatility a year": (percent, "a year"),
    "volatility": (_points, "of volatility"),
    "log return": (percent, "log return"),
    "simple return": (lambda value: percent(value, signed=True), ""),
}
"""Unit of a FeatureSpec -> its number format, and the rest of the unit to show beside it."""
