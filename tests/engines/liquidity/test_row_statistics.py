"""Regressions along rows, and the theorem that Kyle's lambda has to satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from gnosis_ray.engines.liquidity.row_statistics import row_regression


def test_each_row_is_least_squares() -> None:
    random = np.random.default_rng(3)
    x = random.normal(2.0, 3.0, (5, 50))
    y = 0.5 + 0.7 * x + random.normal(0.0, 1.0, (5, 50))
    x[1, :7] = np.nan
    y[2, 10:20] = np.nan
    fit = row_regression(y, x, 10)
    for row in range(5):
        used = ~(np.isnan(x[row]) | np.isnan(y[row]))
        oracle = linregress(x[row, used], y[row, used])
        assert fit.slope[row] == pytest.approx(oracle.slope, rel=1e-12)
        assert fit.t[row] == pytest.approx(oracle.slope / oracle.stderr, rel=1e-9)
        assert fit.r2[row] == pytest.approx(oracle.rvalue**2, rel=1e-9)


def test_a_row_alone_has_the_bits_it_has_among_many() -> None:
    random = np.random.default_rng(4)
    y, x = random.normal(size=(300, 390)), random.normal(size=(300, 390))
    many, alone = row_regression(y, x, 10), row_regression(y[77:78], x[77:78], 10)
    assert (many.slope[77], many.t[77], many.r2[77]) == (alone.slope[0], alone.t[0], alone.r2[0])


def test_too_few_points_and_flow_without_variation_have_no_slope() -> None:
    y, x = np.array([[1.0, 2.0, 3.0, np.nan], [1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 2.0, 4.0, 1.0], [5.0] * 4])
    fit = row_regression(y, x, 4)
    assert np.isnan(fit.slope).all()
    assert np.isnan(fit.t).all()


def test_kyles_theorem() -> None:
    """Kyle (1985), theorem 1: Sigma0 4, sigma_u 100 -> lambda = sqrt(Sigma0) / (2 sigma_u) = .01.

    The insider trades beta (v - p0) with beta = sigma_u / sqrt(Sigma0); a competitive market maker's price is the
    regression of the value on the flow that he sees.
    """
    random = np.random.default_rng(1985)
    value = random.normal(0.0, 2.0, (1, 200_000))
    flow = 100.0 / 2.0 * value + random.normal(0.0, 100.0, value.shape)
    fit = row_regression(value, flow, 30)
    assert fit.slope[0] == pytest.approx(0.01, rel=0.01)
    assert fit.r2[0] == pytest.approx(0.5, abs=0.01)  # half of what the insider knows is in the price
