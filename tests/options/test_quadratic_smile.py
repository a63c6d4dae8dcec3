"""Smiles against NumPy's own least squares, each expiry for itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.data.chains.volatility import is_bisection_artefact
from gnosis_ray.options.quadratic_smile import fit_smiles


@given(st.integers(0, 10_000), st.integers(4, 40))
@settings(deadline=None)
def test_least_squares(seed: int, points: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.3, 0.2, points)
    sigma = 0.3 - 0.2 * x + 1.5 * x * x + rng.normal(0, 0.01, points)
    fit = fit_smiles(np.zeros(points, dtype=np.intp), x, sigma, 1)
    oracle = np.polynomial.Polynomial.fit(x, sigma, 2)
    np.testing.assert_allclose(fit.at(np.zeros(points, dtype=np.intp), x), oracle(x), rtol=1e-6)
    assert fit.residual[0] == pytest.approx(np.sqrt(np.mean((sigma - oracle(x)) ** 2)), rel=1e-6)


def test_groups_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(20), 15)
    x, sigma = rng.uniform(-0.2, 0.2, 300), rng.uniform(0.1, 0.5, 300)
    whole = fit_smiles(group, x, sigma, 20).at(group, x)
    for one in range(20):
        mine = group == one
        zeros = np.zeros(15, dtype=np.intp)
        alone = fit_smiles(zeros, x[mine], sigma[mine], 1).at(zeros, x[mine])
        np.testing.assert_array_equal(alone, whole[mine])


def test_nothing_beyond_the_points_nor_without_them() -> None:
    x = np.array([-0.1, -0.05, 0.0, 0.05, 0.1])
    fit = fit_smiles(np.zeros(5, dtype=np.intp), x, 0.2 + x * x, 2)
    asked = np.array([-0.11, -0.1, 0.02, 0.1, 0.2])
    np.testing.assert_array_equal(
        np.isfinite(fit.at(np.zeros(5, dtype=np.intp), asked)), [False, True, True, True, False]
    )
    assert np.isnan(fit.at(np.ones(5, dtype=np.intp), asked)).all()
    assert fit.points.tolist() == [5, 0]


def test_unfinished_bisections() -> None:
    stuck = [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.5 + 1e-5, 0.25 + 1e-5, 0.03126, float(np.float32(0.12501))]
    honest = [0.1249, 0.2503, 0.3, 0.0626, 0.4999, 0.75, 2.5]
    assert is_bisection_artefact(np.array(stuck), 2e-6).all()
    assert not is_bisection_artefact(np.array(honest), 2e-6).any()
