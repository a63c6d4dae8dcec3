"""Payoffs: the textbook table, and any structure against a dense numeric grid."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.options.bsm import price
from gnosis_ray.options.payoff import PayoffLeg, cost, payoff, summarise
from gnosis_ray.schemas.core_schemas import TradeLeg

STRIKES = st.integers(1, 40).map(lambda k: 5.0 * k)
OPTIONS = st.builds(
    PayoffLeg,
    instrument_type=st.sampled_from(["C", "P"]),
    sign=st.sampled_from([-1, 1]),
    shares=st.integers(1, 5).map(lambda n: 100.0 * n),
    strike=STRIKES,
    premium=st.integers(0, 3000).map(lambda cents: cents / 100),
)
STOCK = st.builds(
    PayoffLeg,
    instrument_type=st.just("STOCK"),
    sign=st.sampled_from([-1, 1]),
    shares=st.integers(1, 5).map(lambda n: 100.0 * n),
    strike=st.none(),
    premium=st.integers(1, 20000).map(lambda cents: cents / 100),
)
STRUCTURES = st.lists(OPTIONS | STOCK, min_size=1, max_size=6)
FAR = 5000.0


def option(kind: str, sign: int, strike: float, premium: float) -> PayoffLeg:
    direction = "buy" if sign > 0 else "sell"
    leg = TradeLeg.model_validate({"instrument_type": kind, "direction": direction, "qty": 1, "strike": strike})
    return PayoffLeg.from_trade(leg, premium)


def stock(sign: int, premium: float) -> PayoffLeg:
    direction = "buy" if sign > 0 else "sell"
    leg = TradeLeg.model_validate({"instrument_type": "STOCK", "direction": direction, "qty": 100})
    return PayoffLeg.from_trade(leg, premium)


@given(STRUCTURES)
@settings(max_examples=150, deadline=None)
def test_summary_agrees_with_a_dense_grid(legs: list[PayoffLeg]) -> None:
    summary = summarise(legs)
    grid = np.linspace(0.0, FAR, 200_001)  # every strike is a grid point
    values = payoff(legs, grid)
    tail = values[-1] - values[-2]

    assert (summary.max_loss == inf) == (tail < -1e-6)
    assert (summary.max_profit is None) == (tail > 1e-6)
    if summary.max_loss != inf:
        assert summary.max_loss == pytest.approx(max(0.0, -values.min()), abs=1e-6)
    if summary.max_profit is not None:
        assert summary.max_profit == pytest.approx(values.max(), abs=1e-6)

    crossings = grid[:-1][np.sign(values[:-1]) * np.sign(values[1:]) < 0]
    roots = np.array(summary.breakevens)
    assert all(np.abs(roots - crossing).min() < 0.05 for crossing in crossings)
    assert np.abs(payoff(legs, roots)).max(initial=0.0) < 1e-6
    assert list(roots) == sorted(set(roots))


@given(STRUCTURES)
@settings(deadline=None)
def test_payoff_of_the_opposite_side_is_the_negative(legs: list[PayoffLeg]) -> None:
    opposite = [
        PayoffLeg(leg.instrument_type, 1 if leg.sign < 0 else -1, leg.shares, leg.strike, leg.premium) for leg in legs
    ]
    prices = np.linspace(0.0, 300.0, 61)
    np.testing.assert_allclose(payoff(opposite, prices), -payoff(legs, prices))
    assert cost(opposite) == pytest.approx(-cost(legs))


def test_call_debit_spread() -> None:
    bought, sold = price(1, 100, [100, 105], 30 / 365, 0.05, 0.0, 0.2)
    legs = [option("C", 1, 100, bought), option("C", -1, 105, sold)]
    summary = summarise(legs)
    assert cost(legs) / 100 == pytest.approx(1.76259, abs=5e-6)
    assert summary.breakevens == pytest.approx((101.76259,), abs=5e-6)
    assert summary.max_loss == pytest.approx(176.259, abs=5e-4)
    assert summary.max_profit == pytest.approx(500 - 176.259, abs=5e-4)


def test_put_spreads() -> None:
    debit = summarise([option("P", 1, 100, 3.0), option("P", -1, 95, 1.2)])
    assert [debit.max_loss, debit.max_profit] == pytest.approx([180.0, 320.0])
    assert debit.breakevens == pytest.approx((98.2,))
    credit = summarise([option("P", -1, 100, 3.0), option("P", 1, 95, 1.2)])
    assert credit.cost == pytest.approx(-180)
    assert [credit.max_loss, credit.max_profit] == pytest.approx([320.0, 180.0])
    assert credit.breakevens == pytest.approx((98.2,))


def test_iron_condor_loses_its_widest_wing() -> None:
    legs = [option("P", 1, 85, 0.4), option("P", -1, 95, 1.4), option("C", -1, 105, 1.5), option("C", 1, 110, 0.5)]
    summary = summarise(legs)
    assert summary.max_profit == pytest.approx(200)
    assert summary.max_loss == pytest.approx(800)
    assert summary.breakevens == pytest.approx((93.0, 107.0))


def test_covered_call_and_stock() -> None:
    covered = summarise([stock(1, 100.0), option("C", -1, 105, 2.0)])
    assert [covered.max_profit, covered.max_loss] == pytest.approx([700.0, 9800.0])
    assert covered.breakevens == pytest.approx((98.0,))
    long = summarise([stock(1, 100.0)])
    assert (long.max_profit, long.max_loss, long.breakevens) == (None, 10_000.0, (100.0,))
    short = summarise([stock(-1, 100.0)])
    assert (short.max_profit, short.max_loss, short.breakevens) == (10_000.0, inf, (100.0,))


def test_a_stretch_of_zeros_gives_its_ends() -> None:
    assert summarise([option("C", 1, 100, 0.0), option("C", -1, 110, 0.0)]).breakevens == (0.0, 100.0)


def test_impossible_legs_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected a strike for an option only"):
        PayoffLeg("C", 1, 100.0, None, 1.0)
    with pytest.raises(ValueError, match="Expected shares above 0"):
        PayoffLeg("C", 1, 0.0, 100.0, 1.0)
    with pytest.raises(ValueError, match="at least one leg"):
        summarise([])
