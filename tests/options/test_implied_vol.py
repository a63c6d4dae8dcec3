"""Implied volatility: textbooks, libraries, the round trip, reasons, and independence of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black_scholes_merton.implied_volatility import implied_volatility

from gnosis_ray.options.bsm import Floats, greeks, price
from gnosis_ray.options.implied_vol import IvReason, implied_vol


def market(size: int, seed: int = 5) -> tuple[Floats, ...]:
    """``w, spot, strike, tau, rate, carry, sigma`` of out-of-the-money options, minutes to two years."""
    rng = np.random.default_rng(seed)
    spot = rng.uniform(5, 5000, size)
    strike = spot * np.exp(rng.normal(size=size) * 0.3)
    tau = np.exp(rng.uniform(np.log(10 / 525_600), np.log(2.0), size))
    rate, carry = rng.uniform(0, 0.08, size), rng.uniform(-0.02, 0.05, size)
    w = np.where(strike > spot * np.exp((rate - carry) * tau), 1.0, -1.0)
    return w, spot, strike, tau, rate, carry, rng.uniform(0.02, 4.0, size)


def test_hull() -> None:
    assert implied_vol(1.875, 1, 21, 20, 0.25, 0.1, 0).sigma == pytest.approx(0.2345, abs=5e-5)


def test_round_trip_to_ten_digits() -> None:
    w, spot, strike, tau, rate, carry, sigma = market(20_000)
    ours = greeks(w, spot, strike, tau, rate, carry, sigma)
    visible = (ours.price > 1e-12 * spot) & (ours.vega > 1e-6 * spot)
    found = implied_vol(ours.price, w, spot, strike, tau, rate, carry)
    assert visible.mean() > 0.4
    assert (found.reason[visible] == IvReason.SOLVED).all()
    np.testing.assert_allclose(found.sigma[visible], sigma[visible], rtol=1e-10)
    solved = found.reason == IvReason.SOLVED
    again = price(w, spot, strike, tau, rate, carry, found.sigma)
    np.testing.assert_allclose(again[solved], ours.price[solved], rtol=1e-9, atol=1e-14)


@given(
    st.sampled_from([1.0, -1.0]),
    st.floats(-0.5, 0.5),
    st.floats(1 / 365, 2.0),
    st.floats(0.0, 0.08),
    st.floats(-0.02, 0.08),
    st.floats(0.03, 3.0),
)
@settings(deadline=None, max_examples=300)
def test_price_of_the_volatility_of_a_price(
    w: float, log_money: float, tau: float, rate: float, carry: float, sigma: float
) -> None:
    strike = 100 * np.exp(log_money)
    paid = price(w, 100, strike, tau, rate, carry, sigma)
    found = implied_vol(paid, w, 100, strike, tau, rate, carry)
    if found.reason == IvReason.SOLVED:
        assert price(w, 100, strike, tau, rate, carry, found.sigma) == pytest.approx(paid, rel=1e-9, abs=1e-12)
    else:  # time value lost in the rounding of the price
        time_value = price(-w, 100, strike, tau, rate, carry, sigma)
        assert min(paid, time_value) < 1e-12
        assert found.reason in (IvReason.NO_PRICE, IvReason.BELOW_INTRINSIC)


@given(st.floats(1.0, 3.0), st.integers(-14, 0), st.floats(-3, 3))
@settings(deadline=None, max_examples=300)
def test_any_price_between_the_bounds_has_a_volatility(mantissa: float, exponent: int, log_money: float) -> None:
    bound = 100 * min(1.0, np.exp(log_money))
    paid = bound * 0.333 * mantissa * 10.0**exponent
    w = 1.0 if log_money > 0 else -1.0
    found = implied_vol(paid, w, 100, 100 * np.exp(log_money), 0.1, 0, 0)
    assert found.reason == IvReason.SOLVED
    assert price(w, 100, 100 * np.exp(log_money), 0.1, 0, 0, found.sigma) == pytest.approx(paid, rel=1e-9)


@pytest.mark.parametrize("w", [1.0, -1.0])
@pytest.mark.parametrize("strike", [80.0, 100.0, 125.0])
def test_against_libraries(w: float, strike: float) -> None:
    tau, rate, carry = 0.3, 0.04, 0.01
    paid = float(price(w, 100, strike, tau, rate, carry, 0.37)) * 1.01
    ours = float(implied_vol(paid, w, 100, strike, tau, rate, carry).sigma)
    assert ours == pytest.approx(
        implied_volatility(paid, 100.0, strike, tau, rate, carry, "c" if w > 0 else "p"), rel=1e-8
    )
    kind = ql.Option.Call if w > 0 else ql.Option.Put
    forward = 100 * np.exp((rate - carry) * tau)
    total = ql.blackFormulaImpliedStdDev(kind, strike, forward, paid, np.exp(-rate * tau), 0.0, ql.nullDouble(), 1e-13)
    assert ours == pytest.approx(total / np.sqrt(tau), rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0.0, 1, 100, 100, 0.5, 0, 0), IvReason.NO_PRICE),
        ((np.nan, 1, 100, 100, 0.5, 0, 0), IvReason.NO_PRICE),
        ((np.inf, 1, 100, 100, 0.5, 0, 0), IvReason.NO_PRICE),
        ((1.0, 1, 100, 100, 0.0, 0, 0), IvReason.EXPIRED),
        ((1.0, 1, 100, 100, -0.1, 0, 0), IvReason.EXPIRED),
        ((1.0, 1, 0.0, 100, 0.5, 0, 0), IvReason.BAD_INPUT),
        ((1.0, 1, 100, -5.0, 0.5, 0, 0), IvReason.BAD_INPUT),
        ((1.0, 1, 100, 100, np.nan, 0, 0), IvReason.BAD_INPUT),
        ((9.99, 1, 110, 100, 0.5, 0, 0), IvReason.BELOW_INTRINSIC),
        ((9.99, -1, 100, 110, 0.5, 0, 0), IvReason.BELOW_INTRINSIC),
        ((100.01, 1, 100, 120, 0.5, 0, 0), IvReason.ABOVE_BOUND),
        ((90.1, -1, 100, 90, 0.5, 0, 0), IvReason.ABOVE_BOUND),
    ],
)
def test_reasons(arguments: tuple[float, ...], reason: IvReason) -> None:
    found = implied_vol(*arguments)
    assert found.reason == reason
    assert np.isnan(found.sigma)


def test_each_element_is_solved_alone() -> None:
    w, spot, strike, tau, rate, carry, sigma = market(20_011)
    paid = price(w, spot, strike, tau, rate, carry, sigma)
    whole = implied_vol(paid, w, spot, strike, tau, rate, carry)
    for size in (1, 3, 8, 17, 1000):
        for start in (0, 5, 12_345):
            part = slice(start, start + size)
            alone = implied_vol(paid[part], w[part], spot[part], strike[part], tau[part], rate[part], carry[part])
            np.testing.assert_array_equal(alone.sigma, whole.sigma[part])
            np.testing.assert_array_equal(alone.reason, whole.reason[part])


def test_shapes_are_kept() -> None:
    found = implied_vol(np.full((2, 3), 5.0), 1, 100, np.array([95.0, 100.0, 105.0]), 0.5, 0.0, 0.0)
    assert found.sigma.shape == found.reason.shape == (2, 3)
    assert implied_vol([], 1, 100, 100, 0.5, 0, 0).sigma.shape == (0,)
