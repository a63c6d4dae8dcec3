"""Statistics along the rows of a matrix: each row by itself, so that a batch of one equals a batch of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


BLOCK = 128
"""Rows of a wide matrix worked on together: what lies between two steps stays in a processor's cache."""


def blocks(rows: int) -> Iterator[slice]:
    """Slices of ``BLOCK`` rows each; how rows are cut changes no figure."""
    for start in range(0, rows, BLOCK):
        yield slice(start, min(start + BLOCK, rows))


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """``numerator / denominator``, NaN where the denominator is not positive."""
    usable = denominator > 0
    return np.where(usable, numerator / np.where(usable, denominator, 1.0), np.nan)


def row_mean(values: Floats) -> Floats:
    """(n, m) -> (n,): the mean of what is not NaN, NaN where nothing is."""
    known = ~np.isnan(values)
    return divided(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def row_sums(row: Ints, weights: Floats, rows: int) -> Floats:
    """(k,) values owned by ``row`` -> (rows,) sums, added in the order given."""
    return np.asarray(np.bincount(row, weights=weights, minlength=rows)[:rows], dtype=np.float64)


@dataclass(frozen=True)
class Fit:
    """Least squares of a row: ``slope``, its ``t`` statistic, and ``r2``; (n,) each, NaN where absent."""

    slope: Floats
    t: Floats
    r2: Floats


def row_regression(y: Floats, x: Floats, min_points: int) -> Fit:
    """y = a + slope x + e along each row of two (n, m) matrices, over the columns where both are known.

    Absent with fewer than ``min_points`` columns or where x does not vary; t is absent too where the fit is perfect.
    """
    used = ~(np.isnan(y) | np.isnan(x))
    count = used.sum(axis=1).astype(np.float64)
    dy = _centred(y, used, count)
    dx = _centred(x, used, count)
    enough = count >= max(min_points, 3)
    sxx = np.where(enough, (dx * dx).sum(axis=1), np.nan)
    slope = divided((dx * dy).sum(axis=1), sxx)
    residual = dy - np.where(used, slope[:, None] * dx, 0.0)
    unexplained = (residual * residual).sum(axis=1)
    error = np.sqrt(divided(divided(unexplained, count - 2.0), sxx))
    r2 = 1.0 - divided(unexplained, (dy * dy).sum(axis=1))
    return Fit(slope, divided(slope, error), np.where(enough, r2, np.nan))


def _centred(values: Floats, used: Flags, count: Floats) -> Floats:
    kept = np.where(used, values, 0.0)
    return np.where(used, kept - divided(kept.sum(axis=1), count)[:, None], 0.0)
