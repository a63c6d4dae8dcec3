"""A smile is a distribution: its prices, its probabilities and its moments must be of one and the same."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import QuantLib
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from gnosis_ray.options.bsm import Floats, price
from gnosis_ray.options.smile import Smile

TAU, RATE = 40 / 365, 0.04
STRIKES = np.linspace(60.0, 150.0, 37)


def flat(sigma: float = 0.3, forward: float = 100.0) -> Smile:
    return Smile(forward, TAU, RATE, np.array([0.0]), np.array([sigma]))


def skewed(forward: float = 100.0) -> Smile:
    """A smile without arbitrage (SSVI: Gatheral, Jacquier 2014), dear below, rising again above."""
    k = np.linspace(-0.5, 0.4, 91)
    theta, rho, phi = 0.3**2 * TAU, -0.5, 1.2 / np.sqrt(0.3**2 * TAU)
    variance = 0.5 * theta * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    return Smile(forward, TAU, RATE, k, np.sqrt(variance / TAU))


def _call(strike: float, prices: Floats) -> Floats:
    return np.maximum(prices - strike, 0.0)


def test_the_check_value_of_the_call_spread() -> None:
    """Spot 100, 5%, 20%, 30 days: 100/105 costs 1.76259."""
    tau = 30 / 365
    smile = Smile(100 * np.exp(0.05 * tau), tau, 0.05, np.array([0.0]), np.array([0.2]))
    low, high = smile.price(1, np.array([100.0, 105.0]))
    assert low - high == pytest.approx(1.76259, abs=5e-6)


@pytest.mark.parametrize("w", [1, -1])
def test_prices_are_those_of_black_1976(w: int) -> None:
    kind = QuantLib.Option.Call if w > 0 else QuantLib.Option.Put
    smile = skewed()
    for strike, ours in zip(STRIKES, smile.price(w, STRIKES), strict=True):
        deviation = float(smile.vol(strike)) * TAU**0.5
        assert ours == pytest.approx(QuantLib.blackFormula(kind, strike, 100.0, deviation, smile.discount), abs=1e-10)


@pytest.mark.parametrize("smile", [flat(), skewed()])
def test_put_call_parity(smile: Smile) -> None:
    gap = smile.price(1, STRIKES) - smile.price(-1, STRIKES)
    assert gap == pytest.approx(smile.discount * (smile.forward - STRIKES), abs=1e-10)


def test_a_flat_smile_is_lognormal() -> None:
    smile, total = flat(), 0.3 * TAU**0.5
    d2 = np.log(100 / STRIKES) / total - total / 2
    assert smile.survival(STRIKES) == pytest.approx(ndtr(d2), abs=2e-5)
    assert smile.expected_move == pytest.approx(100 * total)
    assert smile.delta(1, 100.0) == pytest.approx(ndtr(total / 2))
    assert smile.delta(-1, 100.0, carry=0.02) == pytest.approx(-np.exp(-0.02 * TAU) * ndtr(-total / 2))


def test_probabilities_are_the_slope_of_the_prices() -> None:
    """Skew included: inside the quoted strikes."""
    smile, step, inside = skewed(), 1e-4, STRIKES[STRIKES > 65]
    calls = smile.price(1, np.array([inside - step, inside + step]))
    slope = -(calls[1] - calls[0]) / (2 * step) / smile.discount
    assert smile.survival(inside) == pytest.approx(slope, abs=4e-4)
    d2 = -np.log(inside / 100) / (smile.vol(inside) * TAU**0.5) - smile.vol(inside) * TAU**0.5 / 2
    assert np.abs(smile.survival(inside) - ndtr(d2)).max() > 0.02


@pytest.mark.parametrize("smile", [flat(), skewed(), skewed(317.5)])
def test_means_over_the_distribution_are_the_prices(smile: Smile) -> None:
    assert smile.expectation(lambda s: np.ones_like(s)) == pytest.approx(1.0)
    assert smile.expectation(lambda s: s) == pytest.approx(smile.forward, rel=2e-4)
    for k in (-0.15, 0.0, 0.1):
        strike = smile.forward * np.exp(k)
        mean = smile.discount * smile.expectation(partial(_call, strike))
        assert mean == pytest.approx(float(smile.price(1, strike)), abs=4e-4 * smile.forward)


def test_monte_carlo_agrees() -> None:
    """Draws by inverting the distribution give the price of a strangle."""
    smile = skewed()
    prices = np.linspace(30, 250, 8001)
    draws = np.interp(np.random.default_rng(7).random(400_000), 1.0 - smile.survival(prices), prices)
    mean = np.mean(np.maximum(90 - draws, 0) + np.maximum(draws - 108, 0)) * smile.discount
    assert mean == pytest.approx(float(smile.price(-1, 90.0) + smile.price(1, 108.0)), abs=0.02)
    assert np.mean((draws > 95) & (draws <= 105)) == pytest.approx(smile.probability_between(95, 105), abs=0.003)


@given(
    drift=st.floats(-0.1, 0.1),
    shift=st.floats(-0.05, 0.2),
)
def test_a_moved_smile_is_the_same_shape_elsewhere(drift: float, shift: float) -> None:
    smile = skewed()
    moved = smile.moved(drift, 0.0)
    scaled = (1 + drift) * smile.price(1, STRIKES / (1 + drift))
    assert moved.price(1, STRIKES) == pytest.approx(scaled, rel=1e-9, abs=1e-9)
    assert smile.moved(0.0, shift).vol(STRIKES) == pytest.approx(smile.vol(STRIKES) + shift)
    assert smile.moved(0.0, -9.0).vol(100.0) > 0


@given(vols=st.lists(st.floats(0.05, 2.0), min_size=1, max_size=12))
def test_quotes_that_contradict_each_other_still_make_probabilities(vols: list[float]) -> None:
    smile = Smile(100.0, TAU, RATE, np.linspace(-0.3, 0.3, len(vols)), np.array(vols))
    survival = smile.survival(np.concatenate([[-1.0, 0.0], np.geomspace(1, 1e4, 400)]))
    assert survival[0] == survival[1] == 1.0
    assert np.all(np.diff(survival) <= 0)
    assert np.all((survival >= 0) & (survival <= 1))
    assert 0 <= smile.probability_between(90, 110) <= smile.probability_between(0, np.inf) <= 1


def test_noise_of_quotes_stays_out_of_the_probabilities() -> None:
    """Strikes 1% apart, volatilities off by a point either way: as quoted the slopes say anything, smoothed they do
    not."""
    clean = skewed()
    noise = 0.01 * np.random.default_rng(3).choice([-1.0, 1.0], clean.vols.size)
    noisy = replace(clean, vols=clean.vols + noise, errors=np.full(clean.vols.size, 0.01))
    inside = STRIKES[(STRIKES > 70) & (STRIKES < 135)]
    true = clean.survival(inside)
    assert np.abs(noisy.survival(inside) - true).max() > 0.04
    assert noisy.smoothed.survival(inside) == pytest.approx(true, abs=0.02)
    assert noisy.smoothed.vol(inside) == pytest.approx(clean.vol(inside), abs=0.006)


def test_a_smile_of_tight_quotes_is_kept() -> None:
    clean = skewed()
    assert clean.smoothed is clean
    tight = replace(clean, errors=np.full(clean.vols.size, 1e-4))
    assert tight.smoothed.vols == pytest.approx(clean.vols, abs=5e-4)
    assert tight.smoothed.survival(STRIKES) == pytest.approx(clean.survival(STRIKES), abs=0.005)


@given(rows=st.lists(st.tuples(st.floats(0.05, 2.0), st.floats(1e-4, 1.0)), min_size=1, max_size=12))
def test_any_smile_can_be_smoothed(rows: list[tuple[float, float]]) -> None:
    vols, errors = (np.array(column) for column in zip(*rows, strict=True))
    smile = Smile(100.0, TAU, RATE, np.linspace(-0.3, 0.3, len(rows)), vols, errors)
    assert np.all((smile.smoothed.vols >= vols.min()) & (smile.smoothed.vols <= vols.max()))
    assert smile.smoothed.smoothed is smile.smoothed


def test_errors_go_with_the_volatilities() -> None:
    for errors in ([0.01], [0.01, 0.0], [0.01, float("nan")]):
        with pytest.raises(ValueError, match="error"):
            Smile(100.0, TAU, RATE, np.array([0.0, 0.1]), np.array([0.3, 0.3]), np.array(errors))


def test_wings_are_flat_where_nobody_quotes() -> None:
    smile = skewed()
    assert smile.vol(1.0) == pytest.approx(float(smile.vols[0]))
    assert smile.vol(1e4) == pytest.approx(float(smile.vols[-1]))
    far = price(-1, 100 * smile.discount, 40.0, TAU, RATE, 0.0, smile.vols[0])
    assert smile.price(-1, 40.0) == pytest.approx(far)


@pytest.mark.parametrize(("forward", "vols"), [(0.0, [0.2]), (100.0, [0.0]), (100.0, [])])
def test_impossible_smiles_are_refused(forward: float, vols: list[float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Smile(forward, TAU, RATE, np.zeros(len(vols)), np.array(vols))
