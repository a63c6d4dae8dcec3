"""Prices and greeks: textbooks, three libraries, finite differences, and what no arbitrage demands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from blackscholes import BlackScholesCall, BlackScholesPut
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vollib.black_scholes_merton import black_scholes_merton
from vollib.black_scholes_merton.greeks import analytical

from gnosis_ray.options.bsm import Greeks, greeks, price

CASES = [
    # w, spot, strike, tau, rate, carry, sigma
    (1.0, 100.0, 100.0, 0.5, 0.04, 0.01, 0.25),
    (-1.0, 100.0, 100.0, 0.5, 0.04, 0.01, 0.25),
    (1.0, 100.0, 140.0, 0.1, 0.03, 0.0, 0.6),
    (-1.0, 7575.39, 7000.0, 36 / 365, 0.04, 0.012, 0.14),
    (1.0, 42.0, 40.0, 2.0, 0.1, 0.0, 0.2),
    (-1.0, 10.0, 25.0, 1.5, 0.0, 0.05, 0.9),
]
MARKETS = st.tuples(
    st.floats(20.0, 500.0),  # spot
    st.floats(0.6, 1.6),  # strike / spot
    st.floats(7 / 365, 2.0),  # tau
    st.floats(0.0, 0.08),  # rate
    st.floats(-0.02, 0.08),  # carry
    st.floats(0.1, 1.2),  # sigma
).map(lambda m: (m[0], m[0] * m[1], *m[2:]))


def test_hull_and_haug() -> None:
    assert price([1, -1], 42, 40, 0.5, 0.1, 0, 0.2) == pytest.approx([4.7594, 0.8086], abs=5e-5)
    hull = greeks(1, 49, 50, 20 / 52, 0.05, 0, 0.2)
    assert hull.price == pytest.approx(2.4005, abs=5e-5)
    assert hull.delta == pytest.approx(0.5216, abs=5e-5)
    assert hull.gamma == pytest.approx(0.0655, abs=5e-5)
    assert hull.vega == pytest.approx(12.105, abs=5e-4)
    assert hull.theta == pytest.approx(-0.01179, abs=6e-6)
    assert greeks(-1, 105, 90, 0.25, 0.14, 0.14, 0.24).charm == pytest.approx(0.36999, abs=5e-6)


@pytest.mark.parametrize("case", CASES)
def test_against_quantlib(case: tuple[float, ...]) -> None:
    w, spot, strike, tau, rate, carry, sigma = case
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if w > 0 else ql.Option.Put, strike)
    forward = spot * np.exp((rate - carry) * tau)
    oracle = ql.BlackCalculator(payoff, forward, sigma * np.sqrt(tau), np.exp(-rate * tau))
    ours = greeks(*case)
    assert ours.price == pytest.approx(oracle.value(), rel=1e-11)
    assert ours.delta == pytest.approx(oracle.delta(spot), rel=1e-11)
    assert ours.gamma == pytest.approx(oracle.gamma(spot), rel=1e-11)
    assert ours.vega == pytest.approx(oracle.vega(tau), rel=1e-11)
    assert ours.theta == pytest.approx(oracle.theta(spot, tau) / 365, rel=1e-9)
    assert ours.rho == pytest.approx(oracle.rho(tau), rel=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_against_blackscholes(case: tuple[float, ...]) -> None:
    w, spot, strike, tau, rate, carry, sigma = case
    oracle = (BlackScholesCall if w > 0 else BlackScholesPut)(spot, strike, tau, rate, sigma, carry)
    ours = greeks(*case)
    assert ours.price == pytest.approx(oracle.price(), rel=1e-9)
    assert ours.delta == pytest.approx(oracle.delta(), rel=1e-9)
    assert ours.gamma == pytest.approx(oracle.gamma(), rel=1e-9)
    assert ours.vanna == pytest.approx(oracle.vanna(), rel=1e-9)
    assert ours.charm == pytest.approx(oracle.charm(), rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_against_vollib(case: tuple[float, ...]) -> None:
    w, spot, strike, tau, rate, carry, sigma = case
    arguments = ("c" if w > 0 else "p", spot, strike, tau, rate, sigma, carry)
    ours = greeks(*case)
    assert ours.price == pytest.approx(black_scholes_merton(*arguments), rel=1e-9)
    assert ours.gamma == pytest.approx(analytical.gamma(*arguments), rel=1e-7)
    assert ours.theta == pytest.approx(analytical.theta(*arguments), rel=1e-7)


@given(MARKETS)
@settings(deadline=None)
def test_put_call_parity(market: tuple[float, ...]) -> None:
    spot, strike, tau, rate, carry, _ = market
    call, put = greeks(1, *market), greeks(-1, *market)
    parity = spot * np.exp(-carry * tau) - strike * np.exp(-rate * tau)
    assert call.price - put.price == pytest.approx(parity, abs=1e-12 * (spot + strike))
    assert call.delta - put.delta == pytest.approx(np.exp(-carry * tau), rel=1e-12)
    assert (call.gamma, call.vega, call.vanna) == (put.gamma, put.vega, put.vanna)
    assert 0 <= put.price < strike


@given(MARKETS, st.sampled_from([1.0, -1.0]))
@example((20.0, 18.984375, 0.01953125, 0.0, 0.0, 0.1015625), 1.0)
@settings(deadline=None)
def test_greeks_are_derivatives(market: tuple[float, ...], w: float) -> None:
    spot, strike, tau, rate, carry, sigma = market
    ours = greeks(w, *market)
    step_s, step_v, step_t = spot * 1e-3 * sigma * tau**0.5, 1e-4, tau * 1e-4
    s = greeks(w, [spot - step_s, spot + step_s], strike, tau, rate, carry, sigma)
    v = greeks(w, spot, strike, tau, rate, carry, [sigma - step_v, sigma + step_v])
    t = greeks(w, spot, strike, [tau + step_t, tau - step_t], rate, carry, sigma)  # time passes: tau falls
    r = price(w, spot, strike, tau, [rate - 1e-5, rate + 1e-5], carry, sigma)
    assert ours.delta == pytest.approx(np.diff(s.price)[0] / (2 * step_s), abs=1e-5)
    assert ours.gamma == pytest.approx(np.diff(s.delta)[0] / (2 * step_s), rel=1e-4, abs=1e-7)
    assert ours.vega == pytest.approx(np.diff(v.price)[0] / (2 * step_v), rel=1e-4, abs=1e-5)
    assert ours.vanna == pytest.approx(np.diff(v.delta)[0] / (2 * step_v), rel=1e-4, abs=1e-5)
    assert ours.charm == pytest.approx(np.diff(t.delta)[0] / (2 * step_t), rel=1e-4, abs=1e-4)
    assert ours.theta * 365 == pytest.approx(np.diff(t.price)[0] / (2 * step_t), rel=1e-4, abs=1e-4)
    assert ours.rho == pytest.approx(np.diff(r)[0] / 2e-5, rel=1e-4, abs=1e-4)


def test_minutes_and_extremes_are_finite() -> None:
    minute = 1 / (365 * 24 * 60)
    strikes = np.array([1.0, 50.0, 99.9, 100.0, 100.1, 200.0, 1e6])
    for tau in (minute / 60, minute, 1 / 365, 5.0):
        both = [greeks(w, 100.0, strikes, tau, 0.04, 0.01, 0.3) for w in (1, -1)]
        for one in both:
            assert all(np.isfinite(getattr(one, f.name)).all() for f in dataclasses.fields(Greeks))
            assert (one.gamma >= 0).all()
            assert (one.vega >= 0).all()
        assert (both[0].delta >= 0).all()
        assert (both[1].delta <= 0).all()


@pytest.mark.parametrize("position", range(1, 7))
@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0])
def test_impossible_inputs_are_nan(position: int, value: float) -> None:
    case = [1.0, 100.0, 100.0, 0.5, 0.04, 0.01, 0.25]
    case[position] = value
    allowed = position in (4, 5) and not np.isnan(value)  # rates may be zero or negative
    assert np.isfinite(greeks(*case).price) == allowed


def test_shapes_broadcast() -> None:
    grid = greeks(np.array([[1.0], [-1.0]]), 100.0, np.array([90.0, 100.0, 110.0]), 0.5, 0.04, 0.0, 0.2)
    assert grid.charm.shape == (2, 3)
    assert grid.delta[1, 2] == greeks(-1, 100, 110, 0.5, 0.04, 0, 0.2).delta
