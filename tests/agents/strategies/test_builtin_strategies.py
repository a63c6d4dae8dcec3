"""Every declared strategy can be had, and every idea is what its legs make it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.options.bsm import price
from gnosis_ray.schemas.core_schemas import Action, TradeIdea
from tests.agents.strategies.scenarios import (
    LARGE_EQUITY,
    chain,
    commissions,
    decide,
    only,
    profit_at_expiry,
    quotes,
    shares,
    skew,
    stance,
)
from tests.support.books import flat_smile

CASES: dict[str, tuple[Action, str]] = {
    "long_call": ("long", "cheap"),
    "long_put": ("short", "cheap"),
    "call_debit_spread": ("long", "fair"),
    "put_debit_spread": ("short", "fair"),
    "bull_put_spread": ("long", "rich"),
    "bear_call_spread": ("short", "rich"),
    "covered_call": ("long", "rich"),
    "iron_condor": ("spread", "rich"),
    "butterfly": ("spread", "rich"),
    "calendar_spread": ("spread", "cheap"),
    "long_straddle": ("complex", "cheap"),
    "long_strangle": ("complex", "cheap"),
    "long_stock": ("long", "fair"),
    "short_stock": ("short", "fair"),
}
SPREADS = {"call_debit_spread", "put_debit_spread", "bull_put_spread", "bear_call_spread", "iron_condor"}


def one(name: str) -> TradeIdea:
    action, state = CASES[name]
    [idea] = decide(stance(action, volatility=state), config=only(name)).ideas
    return idea


def test_the_cases_are_the_book() -> None:
    assert list(CASES) == [strategy.name for strategy in BUILTIN_STRATEGIES] == list(LARGE_EQUITY.strategies)


@pytest.mark.parametrize("name", CASES)
def test_every_strategy_can_be_had(name: str) -> None:
    idea = one(name)
    assert idea.strategy_type == name
    assert idea.recommended_units > 0
    assert idea.expected_value is not None
    assert idea.expected_value < 0, "trading costs"


@pytest.mark.parametrize("name", [name for name in CASES if name != "calendar_spread"])
def test_figures_are_those_of_the_legs(name: str) -> None:
    idea = one(name)
    strikes = [leg.strike for leg in idea.legs if leg.strike is not None]
    kinks = np.array([0.0, *strikes, 1e4, 2e4])
    values = profit_at_expiry(idea, kinks, LARGE_EQUITY)
    rising = values[-1] - values[-2]
    assert idea.max_loss == (math.inf if rising < -1 else pytest.approx(-values.min()))
    assert idea.max_profit is None if rising > 1 else idea.max_profit == pytest.approx(values.max())
    for level in idea.breakeven_levels:
        assert profit_at_expiry(idea, level, LARGE_EQUITY) == pytest.approx(0.0, abs=1e-3)
    turns = np.count_nonzero(np.diff(np.sign(profit_at_expiry(idea, np.linspace(0.013, 400, 40_000), LARGE_EQUITY))))
    assert turns == len(idea.breakeven_levels)


@pytest.mark.parametrize("name", sorted(SPREADS))
def test_the_textbook_holds(name: str) -> None:
    idea = one(name)
    by_kind = {kind: sorted(leg.strike or 0 for leg in idea.legs if leg.instrument_type == kind) for kind in "CP"}
    width = 100 * max(strikes[1] - strikes[0] for strikes in by_kind.values() if strikes)
    if name.endswith("debit_spread"):
        assert 0 < idea.cost_per_unit == idea.max_loss < width
        assert idea.max_profit == pytest.approx(width - idea.cost_per_unit)
    else:
        credit = -idea.cost_per_unit
        assert 0 < credit == idea.max_profit
        assert credit < width
        assert idea.max_loss == pytest.approx(width - credit)


def test_the_calendar_has_two_roots_and_loses_its_debit_at_most() -> None:
    idea = one("calendar_spread")
    near, far = idea.legs
    assert near.strike == far.strike
    assert (near.direction, far.direction) == ("sell", "buy")
    left = (np.datetime64(str(far.expiry)) - np.datetime64(str(near.expiry))).astype(int) / 365
    strike = near.strike or 0.0
    sigma = 0.30 - 0.15 * math.log(strike / 100) + 0.2 * math.log(strike / 100) ** 2

    def profit(spot: float) -> float:
        worth = float(price(1, spot, strike, left, 0.04, 0.0, sigma)) - max(spot - strike, 0.0)
        return 100 * worth - idea.cost_per_unit

    low, high = idea.breakeven_levels
    assert low < strike < high
    assert profit(low) == pytest.approx(0.0, abs=0.01)
    assert profit(high) == pytest.approx(0.0, abs=0.01)
    assert idea.max_profit == pytest.approx(profit(strike), abs=0.5)
    assert idea.max_loss == pytest.approx(idea.cost_per_unit, abs=0.01)


@pytest.mark.parametrize("name", CASES)
def test_an_expected_value_is_what_trading_costs(name: str) -> None:
    """Under the smile that priced the chain: half spreads, rounding and commissions, nothing else."""
    action, state = CASES[name]
    rows = chain(flat_smile)
    fair = {
        (str(day), k, t): mid for day, k, t, mid in rows.select("expiry", "strike", "type", "mid_price").iter_rows()
    }
    for idea in decide(stance(action, volatility=state), rows, only(name)).ideas:
        paid = commissions(idea, LARGE_EQUITY)
        for leg in idea.legs:
            worth = 100.0 if leg.strike is None else fair[str(leg.expiry), leg.strike, leg.instrument_type]
            sign = 1 if leg.direction == "buy" else -1
            paid += sign * shares(leg.qty, leg.instrument_type) * ((leg.price or 0.0) - worth)
        assert idea.expected_value == pytest.approx(-paid, abs=1e-6)
        assert paid > 0


def restless(moneyness: float) -> float:
    """The scenario's skew, every strike a point of volatility up or down."""
    return skew(moneyness) + (0.01 if round(math.exp(moneyness) * 40) % 2 else -0.01)


@pytest.mark.parametrize(
    "name", ["long_call", "call_debit_spread", "bear_call_spread", "covered_call", "iron_condor", "long_straddle"]
)
def test_noise_within_the_spread_moves_neither_odds_nor_edge(name: str) -> None:
    """The slope from strike to strike is noise, and both live by it. Of trades that cost nearly the same on both."""
    action, state = CASES[name]
    loose = only(name, trade__max_cost_share=9.0)
    view = stance(action, volatility=state)
    [calm], [noisy] = (decide(view, chain(smile, spread=0.12), loose).ideas for smile in (skew, restless))
    assert [(leg.strike, leg.expiry) for leg in calm.legs] == [(leg.strike, leg.expiry) for leg in noisy.legs]
    assert noisy.probability_of_profit == pytest.approx(calm.probability_of_profit, abs=0.04)
    assert noisy.expected_edge == pytest.approx(calm.expected_edge, rel=0.15, abs=0.5)


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith("stock")])
def test_a_probability_is_the_mass_where_the_trade_pays(name: str) -> None:
    """Against a quadrature of the lognormal density; of the calendar, between its roots."""
    action, state = CASES[name]
    rows = chain(flat_smile)
    [idea] = decide(stance(action, volatility=state), rows, only(name)).ideas
    near = min(leg.expiry for leg in idea.legs if leg.expiry)
    tau = float(rows.filter(rows["expiry"].cast(str) == near)["tau"][0])
    z = np.linspace(-8, 8, 200_001)
    prices = 100 * np.exp(0.04 * tau - 0.5 * 0.09 * tau + 0.3 * tau**0.5 * z)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    if name == "calendar_spread":
        low, high = idea.breakeven_levels
        pays = (prices > low) & (prices < high)
    else:
        pays = profit_at_expiry(idea, prices, LARGE_EQUITY) > 0
    assert idea.probability_of_profit == pytest.approx(float(density[pays].sum()), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([name for name in CASES if name != "calendar_spread"]),
    level=st.floats(0.12, 0.9),
    tilt=st.floats(-0.3, 0.1),
    spread=st.floats(0.0, 0.15),
    confidence=st.floats(0.15, 1.0),
    interest=st.sampled_from([0.0, 60.0, 400.0, 5000.0]),
)
def test_on_any_chain_ideas_keep_their_promises(
    name: str, level: float, tilt: float, spread: float, confidence: float, interest: float
) -> None:
    action, state = CASES[name]
    rows = chain(lambda k: level * (1 + tilt * math.tanh(3 * k)), spread=spread, interest=interest)
    quoted, config = quotes(rows), only(name)
    for idea in decide(stance(action, confidence, state), rows, config).ideas:
        for leg in idea.legs:
            if leg.strike is None:
                continue
            bid, ask = quoted[str(leg.expiry), leg.strike, leg.instrument_type]
            assert 0 < bid <= ask
            assert bid <= (leg.price or 0.0) <= ask
            assert (leg.price or 0.0) >= (bid + ask) / 2 - 1e-9 or leg.direction == "sell"
        strikes = [leg.strike for leg in idea.legs if leg.strike is not None]
        values = profit_at_expiry(idea, np.array([0.0, *strikes, 1e4]), config)
        assert idea.cost_per_unit == pytest.approx(-profit_of_nothing(idea, config), abs=1e-6)
        if idea.max_loss < math.inf:
            assert idea.max_loss == pytest.approx(-values.min(), abs=1e-6)
            budget = min(config.risk_fraction * config.equity_usd * idea.confidence, config.max_risk_usd)
            assert idea.recommended_units * idea.max_loss <= budget * (1 + 1e-9)
        for at in idea.breakeven_levels:
            assert profit_at_expiry(idea, at, config) == pytest.approx(0.0, abs=1e-3)
        if name in SPREADS:
            assert (idea.cost_per_unit > 0) == name.endswith("debit_spread")
            assert idea.max_profit is not None
            assert idea.max_profit > 0


def profit_of_nothing(idea: TradeIdea, config: object) -> float:
    """Minus the cost: the profit if every leg were worth nothing."""
    total = -commissions(idea, LARGE_EQUITY)
    for leg in idea.legs:
        sign = 1 if leg.direction == "buy" else -1
        total -= sign * shares(leg.qty, leg.instrument_type) * (leg.price or 0.0)
    return total
