"""The cubic is SciPy's, point for point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from gnosis_ray.options.interpolation import MonotoneCubic

VALUES = st.floats(-1.0, 1.0).map(lambda value: round(value, 12))
"""By steps that SciPy can divide by."""
STEPS = st.lists(st.tuples(st.floats(0.01, 1.0), VALUES), min_size=2, max_size=12)


@given(steps=STEPS)
def test_it_is_scipys_between_the_ends(steps: list[tuple[float, float]]) -> None:
    x = np.cumsum([width for width, _ in steps])
    y = np.array([value for _, value in steps])
    at = np.linspace(x[0], x[-1], 101)
    cubic, oracle = MonotoneCubic.through(x, y), PchipInterpolator(x, y)
    assert cubic(at) == pytest.approx(oracle(at), abs=1e-9)
    assert cubic.slope(at[1:-1]) == pytest.approx(oracle(at[1:-1], 1), rel=1e-6, abs=1e-6)


@given(steps=STEPS)
def test_it_never_overshoots_and_is_flat_beyond(steps: list[tuple[float, float]]) -> None:
    x = np.cumsum([width for width, _ in steps])
    y = np.array([value for _, value in steps])
    cubic = MonotoneCubic.through(x, y)
    values = cubic(np.linspace(x[0] - 1, x[-1] + 1, 301))
    assert values.min() >= y.min() - 1e-12
    assert values.max() <= y.max() + 1e-12
    ends = np.array([x[0] - 0.5, x[-1] + 0.5])
    assert cubic(ends) == pytest.approx([y[0], y[-1]])
    assert cubic.slope(ends) == pytest.approx([0.0, 0.0])


def test_a_step_too_small_to_divide_by_is_no_step() -> None:
    cubic = MonotoneCubic.through(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.0, 2e-311]))
    assert cubic(np.array([0.5, 1.5])) == pytest.approx(0.0)


def test_one_point_is_a_constant() -> None:
    cubic = MonotoneCubic.through(np.array([0.3]), np.array([0.2]))
    assert cubic(np.array([-1.0, 0.3, 2.0])) == pytest.approx(0.2)
    assert cubic.slope(np.array([0.3])) == pytest.approx(0.0)
