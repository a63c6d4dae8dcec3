"""Charts of the cost of moving the price; None if the ledger has not the data."""

from __future__ import annotations

from matplotlib.ticker import FuncFormatter

from gnosis_ray.charts.chart_style import (
    GOLD,
    GREEN,
    INK,
    LONG,
    SHORT,
    Chart,
    blank,
    dollar_axis,
    legend_below,
)
from gnosis_ray.charts.number_formats import amount
from gnosis_ray.report.symbol_report import SymbolReport

DEALER_COLOURS = {True: "green dealers who resist", False: "orange dealers who push"}


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
