"""The charts of a symbol's report, by name; of sentiment, the vote and payoffs here, of the rest in their own files."""

from __future__ import annotations

import numpy as np

from gnosis_ray.charts.chart_style import (
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
    legend_below,
    price_axis,
    upright_levels,
)
from gnosis_ray.charts.number_formats import amount, dollars, percent
from gnosis_ray.options.payoff_diagram import exits_are_prices
from gnosis_ray.report.chart_levels import levels_text
from gnosis_ray.report.energy_charts import energy_chart, energy_curve_chart
from gnosis_ray.report.gamma_charts import gamma_profile_chart, gex_by_expiry_chart, gex_by_strike_chart
from gnosis_ray.report.glossary import spaced
from gnosis_ray.report.price_charts import price_chart, volume_profile_chart
from gnosis_ray.report.symbol_report import IdeaReport, SymbolReport

SENTIMENT_SOURCES = ("news", "flow", "technical")


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
    alt += f"{amount(float(end.max()))}; {levels_text(levels)}."
    return Chart(f"Payoff of the {spaced(idea.strategy_type)}", alt, figure)
