"""The prices that charts draw lines at."""

from __future__ import annotations

from gnosis_ray.charts.chart_style import GOLD, INK, LONG, PURPLE, SHORT, Level
from gnosis_ray.report.symbol_report import Story


def dealer_levels(story: Story) -> list[Level]:
    """The price that the chain was quoted around, the walls and zero gamma; what is absent is left out."""
    named = (
        ("chain's price" if story.apart else "price", story.spot, INK, "-"),
        ("call wall", story.value("hedge", "call_wall"), LONG, "--"),
        ("put wall", story.value("hedge", "put_wall"), SHORT, "--"),
        ("zero gamma", story.value("hedge", "zero_gamma"), PURPLE, ":"),
    )
    return [Level(name, at, colour, style) for name, at, colour, style in named if at is not None]


def volume_levels(story: Story) -> list[Level]:
    """The last price, the one with most volume, the magnet and the voids; what is absent is left out."""
    named = (
        ("most volume", story.value("liquidity", "poc"), LONG, "-"),
        ("price", story.price, INK, "-"),
        ("magnet", story.value("liquidity", "volume_magnet_level"), GOLD, "--"),
        ("void above", story.value("liquidity", "liquidity_void_above"), PURPLE, ":"),
        ("void below", story.value("liquidity", "liquidity_void_below"), PURPLE, ":"),
    )
    return [Level(name, at, colour, style) for name, at, colour, style in named if at is not None]
