"""Payoffs: the ledger's own figures, and today's value beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.options.payoff_diagram import PayoffDiagram
from gnosis_ray.report.ideas import idea_figures
from gnosis_ray.report.symbol_report import IdeaReport, SymbolReport, build_symbol_report
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


def blind(entry: SymbolEntry, strategy: str) -> IdeaReport:
    """The report of an idea of a ledger that has no quotes and payoffs."""
    bare = {name: rows for name, rows in entry.evidence.items() if name not in ("leg_quotes", "payoffs")}
    return idea(build_symbol_report(replace(entry, evidence=bare)), strategy)


def test_without_quotes_the_end_is_still_known(traded: SymbolEntry, report: SymbolReport) -> None:
    unquoted = blind(traded, "iron_condor")
    assert unquoted.payoff is not None
    assert [line.label for line in unquoted.payoff.lines] == ["at expiry"]
    assert "only the payoff at expiry" in (unquoted.note or "")
    seen = diagram(report, "iron_condor")
    at_expiry = np.interp(seen.prices, unquoted.payoff.prices, unquoted.payoff.lines[0].profit)
    inside = (np.array(seen.prices) >= unquoted.payoff.prices[0]) & (
        np.array(seen.prices) <= unquoted.payoff.prices[-1]
    )
    assert at_expiry[inside] == pytest.approx(np.array(seen.lines[-1].profit)[inside])


def test_what_cannot_be_drawn_says_why(traded: SymbolEntry) -> None:
    assert "several expiries" in (blind(traded, "calendar").no_payoff or "")
    snapshot = recorded(traded).snapshot.model_copy(update={"hedge": {}, "liquidity": {}})
    priceless = replace(traded, record=recorded(traded).model_copy(update={"snapshot": snapshot}))
    assert "price of the underlying" in (blind(priceless, "iron_condor").no_payoff or "")


def test_exits_of_stock_are_prices_and_of_structures_what_a_unit_is_worth(report: SymbolReport) -> None:
    condor, stock = idea(report, "iron_condor").idea, idea(report, "short_stock").idea
    cost = condor.cost_per_unit
    rows = idea_figures(condor.model_copy(update={"target_exit_price": cost + 80.0, "stop_loss_price": cost - 60.0}))
    assert rows[-2:] == [("exit at a profit of", "$80.00", "$240.00"), ("exit at a loss of", "$60.00", "$180.00")]
    rows = idea_figures(stock.model_copy(update={"target_exit_price": 290.0, "stop_loss_price": 310.0}))
    assert rows[-2:] == [("take profit at", "290.00", ""), ("stop at", "310.00", "")]
