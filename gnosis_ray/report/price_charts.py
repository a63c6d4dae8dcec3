"""Charts of the price and of the volume by price; None if the ledger or the source has not the data."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gnosis_ray.charts.chart_style import (
    FAINT,
    INK,
    LONG,
    Chart,
    blank,
    flat_levels,
    price_axis,
)
from gnosis_ray.charts.number_formats import price
from gnosis_ray.report.chart_levels import dealer_levels, levels_text, volume_levels
from gnosis_ray.report.symbol_report import SymbolReport

TALL = 3.9
"""Inches: height of charts with the price upwards."""


def price_chart(report: SymbolReport) -> Chart | None:
    """Closes and daily ranges with the levels of dealers and volume."""
    if not report.bars:
        return None
    figure, axes = blank(TALL)
    days = np.array([date2num(bar.closed_at) for bar in report.bars])  # type: ignore[no-untyped-call]
    lows, highs = [bar.low for bar in report.bars], [bar.high for bar in report.bars]
    axes.fill_between(days, lows, highs, color=FAINT, linewidth=0, label="day's range")
    axes.plot(days, [bar.close for bar in report.bars], color=INK, linewidth=1.5, label="close")
    extra = ("most volume", "price") if report.prices_differ else ("most volume",)
    levels = [*dealer_levels(report), *(level for level in volume_levels(report) if level.name in extra)]
    reach = [*lows, *highs]
    span = max(reach) - min(reach)
    near = [level.at for level in levels if min(reach) - 0.4 * span <= level.at <= max(reach) + 0.4 * span]
    low, high = min([*reach, *near]), max([*reach, *near])
    axes.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    _value_area(axes, report)
    flat_levels(axes, levels)
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlim(days[0], days[-1])
    price_axis(axes, "y")
    axes.set_ylabel("price, USD")
    axes.grid(visible=False, axis="x")
    first, last = report.bars[0].close, report.bars[-1].close
    alt = f"Price over {len(days)} sessions, from {price(first)} to {price(last)}; {levels_text(levels)}."
    return Chart(f"Price, {len(days)} sessions", alt, figure)


def volume_profile_chart(report: SymbolReport) -> Chart | None:
    """Volume by price, with the value area, the magnet and the voids."""
    profile = report.profiles["volume_profile"]
    if not profile.x:
        return None
    figure, axes = blank(TALL)
    x, share = np.array(profile.x), np.array(profile.value) * 100
    low, high = report.value("liquidity", "value_area_low"), report.value("liquidity", "value_area_high")
    inside = np.zeros(len(x), dtype=bool) if low is None or high is None else (x >= low) & (x <= high)
    height = float(np.median(np.diff(x))) if len(x) > 1 else 0.001 * x[0]
    axes.barh(x[inside], share[inside], height=height, color="#5aa0cf", linewidth=0)
    axes.barh(x[~inside], share[~inside], height=height, color="#bcd3e6", linewidth=0)
    levels = volume_levels(report)
    shown = [*x, *(level.at for level in levels)]
    pad = 0.03 * (max(shown) - min(shown)) or height
    axes.set_ylim(min(shown) - pad, max(shown) + pad)
    flat_levels(axes, levels)
    price_axis(axes, "y")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("share of the volume in a band of 0.1%")
    axes.set_ylabel("price, USD")
    area = "" if low is None or high is None else f"; value area {price(low)} to {price(high)}"
    return Chart("Volume by price: the value area is darker", f"Volume by price; {levels_text(levels)}{area}.", figure)


def _value_area(axes: Axes, report: SymbolReport) -> None:
    low, high = report.value("liquidity", "value_area_low"), report.value("liquidity", "value_area_high")
    if low is not None and high is not None:
        axes.axhspan(low, high, color=LONG, alpha=0.06, linewidth=0)
