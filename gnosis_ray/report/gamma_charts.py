"""Charts of dealers' gamma: over the price, by strike, by expiry; None if the ledger has not the data."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from gnosis_ray.charts.chart_style import (
    FONT,
    INK,
    LONG,
    SHORT,
    SOFT,
    Chart,
    blank,
    dollar_axis,
    price_axis,
    upright_levels,
)
from gnosis_ray.charts.number_formats import amount, percent, price
from gnosis_ray.report.chart_levels import dealer_levels, levels_text
from gnosis_ray.report.symbol_report import SymbolReport

EXPIRIES_SHOWN = 14

STRIKE_RANGE = 0.2
"""Share of the price: strikes further away are left out of the chart by strike."""

WHOLE = 0.995
"""Share of the gamma from which on a chart by strike need not name the share it shows."""


def gamma_profile_chart(report: SymbolReport) -> Chart | None:
    """Net dealer gamma recomputed at each price."""
    profile = report.profiles["gamma_profile"]
    if not profile.x:
        return None
    figure, axes = blank()
    x, y = np.array(profile.x), np.array(profile.value)
    axes.plot(x, y, color=INK, linewidth=1.4)
    axes.fill_between(x, y, 0, where=y >= 0, color=LONG, alpha=0.25, linewidth=0, interpolate=True)
    axes.fill_between(x, y, 0, where=y <= 0, color=SHORT, alpha=0.25, linewidth=0, interpolate=True)
    axes.axhline(0, color=SOFT, linewidth=0.9)
    axes.set_xlim(x[0], x[-1])
    axes.margins(y=0.06)
    levels = dealer_levels(report)
    upright_levels(axes, levels)
    price_axis(axes, "x")
    dollar_axis(axes, "y")
    axes.set_xlabel("price of the underlying, USD")
    axes.set_ylabel("USD to trade per 1% move")
    at_spot = report.value("hedge", "gex_usd_per_pct")
    alt = f"Net dealer gamma at prices from {price(x[0])} to {price(x[-1])}: {amount(float(y.min()))} to "
    alt += f"{amount(float(y.max()))} per 1% move, {amount(at_spot or 0.0)} at the price; {levels_text(levels)}."
    return Chart("Dealers' gamma over the price: blue dampens moves, orange amplifies them", alt, figure)


def gex_by_strike_chart(report: SymbolReport) -> Chart | None:
    """Net dealer gamma of each strike near the price."""
    profile = report.profiles["gex_by_strike"]
    if not profile.x or report.spot is None:
        return None
    x, y = np.array(profile.x), np.array(profile.value)
    near = np.abs(x / report.spot - 1) <= STRIKE_RANGE
    if not near.any():
        return None
    share = float(np.abs(y[near]).sum() / np.abs(y).sum()) if np.abs(y).any() else 1.0
    x, y = x[near], y[near]
    figure, axes = blank()
    gap = float(np.median(np.diff(x))) if len(x) > 1 else 0.01 * report.spot
    axes.bar(x, y, width=0.8 * gap, color=[LONG if value >= 0 else SHORT for value in y], linewidth=0)
    axes.axhline(0, color=SOFT, linewidth=0.9)
    pad = max(gap, 0.02 * (x[-1] - x[0]))
    axes.set_xlim(min(x[0], report.spot) - pad, max(x[-1], report.spot) + pad)
    upright_levels(axes, [level for level in dealer_levels(report) if level.name != "zero gamma"])
    price_axis(axes, "x")
    dollar_axis(axes, "y")
    axes.set_xlabel("strike, USD")
    axes.set_ylabel("USD to trade per 1% move")
    top = int(np.argmax(np.abs(y)))
    alt = (
        f"Net dealer gamma of {len(x)} strikes within 20% of the price, {percent(share)} of the whole; the largest is "
    )
    alt += f"{amount(float(y[top]))} at {price(float(x[top]))}."
    part = "" if share > WHOLE else f" ({percent(share)} of it: within 20% of the price)"
    return Chart(f"Dealers' gamma by strike{part}", alt, figure)


def gex_by_expiry_chart(report: SymbolReport) -> Chart | None:
    """Net dealer gamma of each expiry, near ones first; those far out as one bar."""
    profile = report.profiles["gex_by_expiry"]
    if not profile.x:
        return None
    names = [f"{report.as_of.date() + timedelta(days=days):%d %b %y}" for days in profile.x]
    values = list(profile.value)
    if len(values) > EXPIRIES_SHOWN:
        names = [*names[: EXPIRIES_SHOWN - 1], "later"]
        values = [*values[: EXPIRIES_SHOWN - 1], sum(values[EXPIRIES_SHOWN - 1 :])]
    figure, axes = blank()
    axes.bar(names, values, color=[LONG if value >= 0 else SHORT for value in values], linewidth=0)
    axes.axhline(0, color=SOFT, linewidth=0.9)
    axes.tick_params(axis="x", labelrotation=60, labelsize=FONT - 1)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
        label.set_rotation_mode("anchor")
    axes.grid(visible=False, axis="x")
    dollar_axis(axes, "y")
    axes.set_ylabel("USD to trade per 1% move")
    axes.set_xlabel("expiry")
    top = max(range(len(values)), key=lambda i: abs(values[i]))
    alt = f"Net dealer gamma of {len(profile.x)} expiries; the largest is {amount(values[top])}, {names[top]}."
    return Chart("Dealers' gamma by expiry", alt, figure)
