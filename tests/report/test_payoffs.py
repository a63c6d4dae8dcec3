"""Payoffs: the ledger's own figures, and today's value beside them."""

from __future__ import annotations

import numpy as np
import pytest

from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.ideas import idea_figures
from gnosis_ray.report.payoffs import PayoffDiagram, payoff_diagram
from gnosis_ray.report.quotes import MarketSnapshot
from gnosis_ray.report.symbol_report import IdeaReport, SymbolReport
from gnosis_ray.schemas.core_schemas import TradeIdea
from tests.report.samples import recorded

SINGLE = ("call_debit_spread", "iron_condor", "covered_call")


def idea(report: SymbolReport, strategy: str) -> IdeaReport:
    return next(one for one in report.ideas if one.idea.strategy_type == strategy)


def diagram(report: SymbolReport, strategy: str) -> PayoffDiagram:
    drawn = idea(report, strategy).payoff
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("strategy", SINGLE)
def test_at_expiry_the_figures_of_the_idea_are_met(report: SymbolReport, strategy: str) -> None:
    figures, drawn = idea(report, strategy).idea, diagram(report, strategy)
    prices, profit = np.array(drawn.prices), np.array(drawn.lines[-1].profit)
    assert np.interp(figures.breakeven_levels, prices, profit) == pytest.approx(0.0, abs=1e-9)
    assert profit.max() == pytest.approx(figures.max_profit)
    assert profit.min() >= -figures.max_loss - 1e-9
    if strategy != "covered_call":
        assert profit.min() == pytest.approx(-figures.max_loss)


@pytest.mark.parametrize("strategy", [*SINGLE, "calendar"])
def test_today_a_trade_is_worth_what_it_costs_less_the_spread(report: SymbolReport, strategy: str) -> None:
    figures, drawn = idea(report, strategy).idea, diagram(report, strategy)
    assert report.price is not None
    now = float(np.interp(report.price, drawn.prices, drawn.lines[0].profit))
    spread = sum(
        100 * (leg.quote.ask - leg.quote.bid)
        for leg in idea(report, strategy).legs
        if leg.quote and leg.quote.ask and leg.quote.bid
    )
    assert -1.5 * spread - 3 <= now <= 0.02 * abs(figures.cost_per_unit)


def test_three_times_are_drawn_and_a_calendar_ends_at_its_front_expiry(report: SymbolReport) -> None:
    condor, calendar = diagram(report, "iron_condor"), diagram(report, "calendar")
    assert [line.days for line in condor.lines][:2] == [0.0, pytest.approx(condor.lines[-1].days / 2)]  # type: ignore[operator]
    assert "front expiry" in calendar.lines[-1].label
    assert calendar.lines[-1].days == condor.lines[-1].days
    strike = idea(report, "calendar").idea.legs[0].strike
    profit = calendar.lines[-1].profit
    best = calendar.prices[int(np.argmax(profit))]
    assert strike is not None
    assert best == pytest.approx(strike, rel=0.01)
    assert min(profit) >= -idea(report, "calendar").idea.max_loss


def test_stock_pays_a_dollar_a_dollar(report: SymbolReport) -> None:
    drawn = diagram(report, "short_stock")
    assert [line.label for line in drawn.lines] == ["at any time"]
    assert np.diff(drawn.lines[0].profit) == pytest.approx(-np.diff(drawn.prices))


def test_every_strike_breakeven_and_the_price_are_on_the_diagram(report: SymbolReport) -> None:
    for one in report.ideas:
        assert one.payoff is not None
        marks = [*one.idea.breakeven_levels, *(leg.leg.strike for leg in one.legs if leg.leg.strike), report.price]
        for mark in marks:
            assert mark is not None
            assert one.payoff.prices[0] < mark < one.payoff.prices[-1]


def _drawn_blind(entry: SymbolEntry, strategy: str, spot: float | None = 300.0) -> PayoffDiagram | str:
    ideas: list[TradeIdea] = recorded(entry).trade_ideas
    return payoff_diagram(next(i for i in ideas if i.strategy_type == strategy), MarketSnapshot(), spot, None)


def test_without_quotes_the_end_is_still_known(traded: SymbolEntry, report: SymbolReport) -> None:
    blind = _drawn_blind(traded, "iron_condor")
    assert isinstance(blind, PayoffDiagram)
    assert [line.label for line in blind.lines] == ["at expiry"]
    assert blind.note is not None
    seen = diagram(report, "iron_condor")
    assert np.interp(seen.prices, blind.prices, blind.lines[0].profit) == pytest.approx(seen.lines[-1].profit)


def test_what_cannot_be_drawn_says_why(traded: SymbolEntry) -> None:
    assert "several expiries" in str(_drawn_blind(traded, "calendar"))
    assert "price of the underlying" in str(_drawn_blind(traded, "iron_condor", None))


def test_exits_of_stock_are_prices_and_of_structures_what_a_unit_is_worth(report: SymbolReport) -> None:
    condor, stock = idea(report, "iron_condor").idea, idea(report, "short_stock").idea
    cost = condor.cost_per_unit
    rows = idea_figures(condor.model_copy(update={"target_exit_price": cost + 80.0, "stop_loss_price": cost - 60.0}))
    assert rows[-2:] == [("exit at a profit of", "$80.00", "$240.00"), ("exit at a loss of", "$60.00", "$180.00")]
    rows = idea_figures(stock.model_copy(update={"target_exit_price": 290.0, "stop_loss_price": 310.0}))
    assert rows[-2:] == [("take profit at", "290.00", ""), ("stop at", "310.00", "")]
