"""The prices at which charts draw lines."""

from __future__ import annotations

from collections.abc import Sequence

from gnosis_ray.charts.chart_style import GOLD, INK, LONG, PURPLE, SHORT, Level
from gnosis_ray.charts.number_formats import price
from gnosis_ray.report.symbol_report import SymbolReport


def dealer_levels(report: SymbolReport) -> list[Level]:
    """The price that the chain was quoted around, the walls and zero gamma; what is absent is left out."""
    named = (
        ("chain's price" if report.prices_differ else "price", report.spot, INK, "-"),
        ("call wall", report.value("hedge", "call_wall"), LONG, "--"),
        ("put wall", report.value("hedge", "put_wall"), SHORT, "--"),
        ("zero gamma", report.value("hedge", "zero_gamma"), PURPLE, ":"),
    )
    return [Level(name, at, colour, style) for name, at, colour, style in named if at is not None]


def volume_levels(report: SymbolReport) -> list[Level]:
    """The last price, the one with most volume, the magnet and the voids; what is absent is left out."""
    named = (
        ("most volume", report.value("liquidity", "poc"), LONG, "-"),
        ("price", report.price, INK, "-"),
        ("magnet", report.value("liquidity", "volume_magnet_level"), GOLD, "--"),
        ("void above", report.value("liquidity", "liquidity_void_above"), PURPLE, ":"),
        ("void below", report.value("liquidity", "liquidity_void_below"), PURPLE, ":"),
    )
    return [Level(name, at, colour, style) for name, at, colour, style in named if at is not None]


def levels_text(levels: Sequence[Level]) -> str:
    """The levels as text: ``call wall 320, put wall 290``."""
    return ", ".join(f"{level.name} {price(level.at)}" for level in levels)
