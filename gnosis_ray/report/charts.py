"""The charts of a symbol's report, one function each; None if the ledger has not the data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gnosis_ray.charts.chart_style import (
    FAINT,
    FONT,
    GOLD,
    GREEN,
    INK,
    LONG,
    PURPLE,
    SHORT,
    SOFT,
    Chart,
    Level,
    blank,
    dollar_axis,
    flat_levels,
    legend_below,
    price_axis,
    upright_levels,
)
from gnosis_ray.charts.number_formats import amount, dollars, percent, price
from gnosis_ray.report.chart_levels import dealer_levels, volume_levels
from gnosis_ray.report.glossary import spaced
from gnosis_ray.report.payoffs import exits_are_prices
from gnosis_ray.report.symbol_report import IdeaReport, SymbolReport

EXPIRIES_SHOWN = 14
TALL = 3.9
"""Inches: height of charts with the price upwards."""

SENTIMENT_SOURCES = ("news", "flow", "technical")
STRIKE_RANGE = 0.2
"""Share of the price: strikes further away are left out of the chart by strike."""


DEALER_COLOURS = {True: "green dealers who resist", False: "orange dealers who push"}

WHOLE = 0.995
"""Share of the gamma from which on a chart by strike need not name the share it shows."""


def charts_of(report: SymbolReport) -> dict[str, Chart]:
    """Every chart that the report has data for, by name, in the order of the page."""
    makers = {
        "price": price_chart,
        "gamma_profile": gamma_profile_chart,
        "gex_by_strike": gex_by_strike_chart,
        "gex_by_expiry": gex_by_expiry_chart,
        "volume_profile": volume_profile_chart,
        "energy": energy_chart,
        "energy_curve": energy_curve_chart,
        "sentiment": sentiment_chart,
        "vote": vote_chart,
    }
    drawn = {name: make(report) for name, make in makers.items()}
    return {name: chart for name, chart in drawn.items() if chart is not None}


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
    alt = f"Price over {len(days)} sessions, from {price(first)} to {price(last)}; {_levels_text(levels)}."
    return Chart(f"Price, {len(days)} sessions", alt, figure)


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
    alt += f"{amount(float(y.max()))} per 1% move, {amount(at_spot or 0.0)} at the price; {_levels_text(levels)}."
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
    return Chart("Volume by price: the value area is darker", f"Volume by price; {_levels_text(levels)}{area}.", figure)


def energy_chart(report: SymbolReport) -> Chart | None:
    """Cost of a 1% move each way: the parts of liquidity and dealers, both times the bias of the indicators."""
    sides = ("up", "down")
    measured = [report.value("elasticity", f"energy_to_move_1pct_{side}") for side in sides]
    totals = [total for total in measured if total is not None]
    liquidity = report.value("elasticity", "liquidity_cost_1pct")
    if len(totals) < len(sides) or liquidity is None:
        return None
    figure, axes = blank(2.5)
    texts, colours, ends = [], set(), [*totals]
    for row, (side, total) in enumerate(zip(sides, totals, strict=True)):
        bias = report.value("elasticity", f"indicator_bias_{side}") or 1.0
        dealers = (report.value("elasticity", f"hedge_cost_1pct_{side}") or 0.0) * bias
        flow = liquidity * bias
        ends += [flow, flow + dealers]
        colours |= {DEALER_COLOURS[dealers > 0]} if dealers else set()
        axes.barh(row, flow, height=0.34, color="#5aa0cf", label=None if row else "liquidity resists")
        axes.barh(
            row + (0.0 if dealers >= 0 else 0.36),
            dealers,
            left=flow,
            height=0.34,
            color=GREEN if dealers >= 0 else SHORT,
            label=None,
        )
        axes.plot([total, total], [row - 0.26, row + (0.26 if dealers >= 0 else 0.62)], color=INK, linewidth=2.2)
        texts.append(f"{side} {amount(total)} (liquidity {amount(flow)}, dealers {amount(dealers)})")
    dollar_axis(axes, "x", 5)
    axes.set_yticks([0, 1], [f"{side} 1%\n{amount(total)}" for side, total in zip(sides, totals, strict=True)])
    axes.invert_yaxis()
    axes.set_xlim(1.04 * min(0.0, *ends), 1.04 * max(ends))
    axes.set_xlabel("USD of net order flow")
    axes.grid(visible=False, axis="y")
    legend = ", ".join(["blue is liquidity", *sorted(colours)])
    return Chart(
        f"Energy of a 1% move: {legend}; black is the sum", f"Energy of a 1% move: {'; '.join(texts)}.", figure
    )


def energy_curve_chart(report: SymbolReport) -> Chart | None:
    """The cost of any move, with and without the hedging of dealers."""
    curve = report.energy
    if curve is None:
        return None
    figure, axes = blank()
    axes.plot(curve.move_pct, curve.liquidity_usd, color=LONG, linewidth=1.3, linestyle="--", label="liquidity alone")
    axes.plot(curve.move_pct, curve.usd, color=INK, linewidth=1.8, label="with dealers' hedging")
    expected = report.value("elasticity", "exp_move_pct")
    if expected is not None:
        axes.axvspan(
            -expected, expected, color=GOLD, alpha=0.10, linewidth=0, label=f"a day's expected move, ±{expected:.1f}%"
        )
    axes.set_xlim(curve.move_pct[0], curve.move_pct[-1])
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}%" if value else "0%"))
    dollar_axis(axes, "y")
    axes.set_xlabel("move of the price")
    axes.set_ylabel("USD of net order flow")
    legend_below(figure, 2)
    alt = f"Cost of moves from {curve.move_pct[0]:.1f}% ({amount(curve.usd[0])}) to {curve.move_pct[-1]:+.1f}% "
    return Chart("What any move costs", f"{alt}({amount(curve.usd[-1])}).", figure)


def sentiment_chart(report: SymbolReport) -> Chart | None:
    """The scores of the sentiment sources and of all together; a bar is the paler, the lower its confidence."""
    rows = []
    for name in (*SENTIMENT_SOURCES, "all"):
        prefix = "sentiment" if name == "all" else f"{name}_sentiment"
        score, confidence = (report.value("sentiment", f"{prefix}_{what}") for what in ("score", "confidence"))
        if score is not None:
            rows.append((name, score, confidence or 0.0))
    if not rows:
        return None
    figure, axes = blank(0.8 + 0.42 * len(rows))
    for row, (_name, score, confidence) in enumerate(rows):
        axes.barh(
            row, score, height=0.6, color=LONG if score >= 0 else SHORT, alpha=0.25 + 0.75 * confidence, linewidth=0
        )
    axes.set_yticks(range(len(rows)), [f"{name}, confidence {percent(confidence)}" for name, _, confidence in rows])
    axes.invert_yaxis()
    axes.axvline(0, color=SOFT, linewidth=0.9)
    axes.set_xlim(-1, 1)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["-1", "-0.5", "0", "0.5", "1"])
    axes.set_xlabel("score, -1 bearish to 1 bullish")
    axes.grid(visible=False, axis="y")
    text = "; ".join(f"{name} {score:+.2f}, confidence {percent(confidence)}" for name, score, confidence in rows)
    return Chart("Sentiment: paler bars have less confidence", f"Sentiment: {text}.", figure)


def vote_chart(report: SymbolReport) -> Chart | None:
    """Each agent's part of the vote, their sum, and the thresholds of a side."""
    adds = [
        (spaced(agent.layer.removeprefix("primary_")), agent.adds) for agent in report.agents if agent.adds is not None
    ]
    if not adds or report.composite.vote is None:
        return None
    rows = [*adds, ("vote", report.composite.vote)]
    figure, axes = blank(0.9 + 0.4 * len(rows))
    for row, (_name, value) in enumerate(rows):
        axes.barh(row, value, height=0.6, color=LONG if value >= 0 else SHORT, linewidth=0)
    axes.set_yticks(range(len(rows)), [f"{name} {value:+.3f}" for name, value in rows])
    axes.invert_yaxis()
    axes.axhline(len(adds) - 0.5, color=SOFT, linewidth=0.8)
    axes.axvline(0, color=SOFT, linewidth=0.9)
    threshold = report.composite.threshold or 0.0
    for side in (-threshold, threshold):
        axes.axvline(side, color=INK, linewidth=1.1, linestyle=":")
    reach = 1.15 * max(threshold * 2, *(abs(value) for _, value in rows))
    axes.set_xlim(-reach, reach)
    axes.set_xlabel(f"short   <   -{threshold:g}   flat   +{threshold:g}   >   long")
    axes.grid(visible=False, axis="y")
    text = "; ".join(f"{name} {value:+.3f}" for name, value in rows)
    return Chart(
        "The vote: weight x confidence x direction", f"The vote: {text}; a side from {threshold:g} on.", figure
    )


def payoff_chart(report: IdeaReport, spot: float | None) -> Chart | None:
    """Profit of one unit over the price of the underlying: today, halfway, at expiry."""
    diagram, idea = report.payoff, report.idea
    if diagram is None:
        return None
    figure, axes = blank(3.8)
    prices = np.array(diagram.prices)
    shades = (LONG, GOLD, INK)[-len(diagram.lines) :]
    for line, colour in zip(diagram.lines, shades, strict=True):
        last = line is diagram.lines[-1]
        axes.plot(prices, line.profit, color=colour, linewidth=2 if last else 1.5, label=line.label)
    end = np.array(diagram.lines[-1].profit)
    axes.fill_between(prices, end, 0, where=end >= 0, color=GREEN, alpha=0.16, linewidth=0, interpolate=True)
    axes.fill_between(prices, end, 0, where=end <= 0, color=SHORT, alpha=0.16, linewidth=0, interpolate=True)
    axes.axhline(0, color=SOFT, linewidth=0.9)
    axes.set_xlim(prices[0], prices[-1])
    axes.margins(y=0.08)
    levels = [Level("breakeven", at, PURPLE, "--") for at in idea.breakeven_levels]
    levels += [] if spot is None else [Level("price", spot, INK)]
    exits = (("take profit", idea.target_exit_price, GREEN), ("stop", idea.stop_loss_price, SHORT))
    for name, at, colour in exits:
        if at is not None and exits_are_prices(idea):
            levels.append(Level(name, at, colour, ":"))
        elif at is not None:
            profit = at - idea.cost_per_unit
            axes.axhline(
                profit, color=colour, linestyle=":", linewidth=1.3, label=f"{name}, {dollars(profit, signed=True)}"
            )
    upright_levels(axes, levels)
    price_axis(axes, "x")
    dollar_axis(axes, "y")
    axes.set_xlabel("price of the underlying, USD")
    axes.set_ylabel("profit of one unit, USD")
    if axes.get_legend_handles_labels()[1] != [diagram.lines[-1].label]:
        legend_below(figure, 3)
    alt = f"Profit of one unit {diagram.lines[-1].label}: from {amount(float(end.min()))} to "
    alt += f"{amount(float(end.max()))}; {_levels_text(levels)}."
    return Chart(f"Payoff of the {spaced(idea.strategy_type)}", alt, figure)


def _value_area(axes: Axes, report: SymbolReport) -> None:
    low, high = report.value("liquidity", "value_area_low"), report.value("liquidity", "value_area_high")
    if low is not None and high is not None:
        axes.axhspan(low, high, color=LONG, alpha=0.06, linewidth=0)


def _levels_text(levels: Sequence[Level]) -> str:
    return ", ".join(f"{level.name} {price(level.at)}" for level in levels)
