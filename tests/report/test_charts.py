"""Charts draw the story's own figures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from gnosis_ray.charts.chart_style import Chart, svg
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.charts import charts_of, payoff_chart
from gnosis_ray.report.symbol_report import SymbolReport, build_symbol_report
from tests.report.test_symbol_report import degraded


@pytest.fixture(scope="module")
def charts(report: SymbolReport) -> dict[str, Chart]:
    return charts_of(report)


def bar_lengths(chart: Chart, *, across: bool = False) -> list[float]:
    bars = [patch for patch in chart.figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [bar.get_width() if across else bar.get_height() for bar in bars]


def test_every_chart_has_axes_with_units_and_an_alternative_text(
    report: SymbolReport, charts: dict[str, Chart]
) -> None:
    payoffs = [payoff_chart(idea, report.price) for idea in report.ideas]
    drawn = [*charts.values(), *(chart for chart in payoffs if chart is not None)]
    assert len(drawn) == 9 + 5
    for chart in drawn:
        axes = chart.figure.axes[0]
        assert axes.get_xlabel() or "sessions" in chart.title
        assert axes.get_ylabel() or axes.get_yticklabels()
        assert len(chart.alt) > 20


def test_the_gamma_profile_is_the_ledgers(report: SymbolReport, charts: dict[str, Chart]) -> None:
    axes = charts["gamma_profile"].figure.axes[0]
    line = axes.lines[0]
    assert tuple(np.asarray(line.get_xdata())) == report.profiles["gamma_profile"].x
    assert tuple(np.asarray(line.get_ydata())) == report.profiles["gamma_profile"].value
    labels = [text.get_text() for text in axes.texts]
    assert f"call wall {report.value('hedge', 'call_wall'):,.2f}" in labels
    assert f"price {report.spot:,.2f}" in labels


def test_bars_by_expiry_and_strike_sum_to_what_they_show(report: SymbolReport, charts: dict[str, Chart]) -> None:
    net = report.value("hedge", "gex_usd_per_pct")
    assert sum(bar_lengths(charts["gex_by_expiry"])) == pytest.approx(net)
    strikes = np.array(report.profiles["gex_by_strike"].x)
    assert report.spot is not None
    near = np.abs(strikes / report.spot - 1) <= 0.2
    shown = np.array(report.profiles["gex_by_strike"].value)[near].sum()
    assert sum(bar_lengths(charts["gex_by_strike"])) == pytest.approx(shown)


def test_the_volume_profile_is_the_whole_volume(report: SymbolReport, charts: dict[str, Chart]) -> None:
    total = sum(bar_lengths(charts["volume_profile"], across=True))
    assert total == pytest.approx(100 * sum(report.profiles["volume_profile"].value))
    assert total == pytest.approx(100, abs=2)


def test_the_parts_of_an_energy_make_the_whole(report: SymbolReport, charts: dict[str, Chart]) -> None:
    up = report.value("elasticity", "energy_to_move_1pct_up")
    liquidity, dealers, *_ = bar_lengths(charts["energy"], across=True)
    assert liquidity + dealers == pytest.approx(up, rel=1e-3)


def test_a_payoff_is_its_diagram(report: SymbolReport) -> None:
    for idea in report.ideas:
        chart = payoff_chart(idea, report.price)
        assert chart is not None
        assert idea.payoff is not None
        lines = chart.figure.axes[0].lines[: len(idea.payoff.lines)]
        for drawn, line in zip(lines, idea.payoff.lines, strict=True):
            assert tuple(np.asarray(drawn.get_ydata())) == line.profit


def test_what_is_missing_is_not_drawn(entry: SymbolEntry) -> None:
    found = charts_of(build_symbol_report(degraded(entry)))
    assert "price" not in found
    assert not {"gamma_profile", "gex_by_strike", "gex_by_expiry", "energy_curve"} & found.keys()
    assert {"sentiment", "vote"} <= found.keys()


def test_the_same_chart_is_the_same_picture(report: SymbolReport) -> None:
    pictures = [svg(charts_of(report)["gamma_profile"].figure) for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert b"<svg" in pictures[0]
    assert b"<script" not in pictures[0]
