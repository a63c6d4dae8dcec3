"""EDGE against the authors' own package, and against a planted spread."""

from __future__ import annotations

import numpy as np
import pytest
from bidask import edge
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.engines.liquidity.edge_spread import edge_spread
from gnosis_ray.engines.liquidity.row_statistics import Floats


def simulated(random: np.random.Generator, rows: int, bars: int, spread: float, sigma: float = 0.01) -> list[Floats]:
    """Bars of 40 trades on either side of a random walk: open, high, low, close, (rows, bars) each."""
    ticks = 40
    value = np.cumsum(random.normal(0.0, sigma / np.sqrt(ticks), (rows, bars * ticks)), axis=1)
    side = random.choice([-0.5, 0.5], value.shape)
    price = 100.0 * np.exp(value + side * spread).reshape(rows, bars, ticks)
    return [price[:, :, 0], price.max(axis=2), price.min(axis=2), price[:, :, -1]]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([0.0, 0.002, 0.02]), missing=st.booleans())
def test_it_is_the_package_row_by_row(seed: int, spread: float, missing: bool) -> None:
    random = np.random.default_rng(seed)
    prices = simulated(random, 4, 30, spread)
    if missing:
        gone = random.random((4, 30)) < 0.2
        prices = [np.where(gone, np.nan, column) for column in prices]
    expected = np.array([edge(*(column[row] for column in prices), sign=True) for row in range(4)])
    np.testing.assert_allclose(edge_spread(*prices), np.where(expected > 0, expected, np.nan), rtol=1e-9)


def test_a_planted_spread_is_found() -> None:
    prices = simulated(np.random.default_rng(1), 3, 400, 0.01)
    np.testing.assert_allclose(edge_spread(*prices), 0.01, rtol=0.15)


@pytest.mark.parametrize("bars", [2, 5])
def test_prices_that_stand_still_resolve_no_spread(bars: int) -> None:
    still = np.full((2, bars), 100.0)
    assert np.isnan(edge_spread(still, still, still, still)).all()


def test_no_bars_resolve_no_spread() -> None:
    nothing = np.full((2, 60), np.nan)
    assert np.isnan(edge_spread(nothing, nothing, nothing, nothing)).all()
