"""A quadratic smile through volatilities of last trades, an expiry at a time.

Sums run over rows in their order (``np.bincount``), each expiry for itself: a batch gives the same bits as one symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.options.bsm import Floats

Ids = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Smiles:
    """One fit a group (an expiry): sigma(x) = level + slope p1(x) + bend p2(x), p1 and p2 orthogonal polynomials.

    ``points`` used, ``residual`` root mean square in volatility, ``lowest`` and ``highest`` x of the points. Where a
    group has fewer than three distinct x the fit is NaN.
    """

    points: npt.NDArray[np.int64]
    residual: Floats
    lowest: Floats
    highest: Floats
    level: Floats
    slope: Floats
    bend: Floats
    centre: Floats
    skewness: Floats
    spread: Floats

    def at(self, group: Ids, x: Floats) -> Floats:
        """The volatility of each row's group at log-moneyness ``x``; NaN outside the points: no extrapolation."""
        first = x - self.centre[group]
        second = first * first - self.skewness[group] * first - self.spread[group]
        value = self.level[group] + self.slope[group] * first + self.bend[group] * second
        inside = (x >= self.lowest[group]) & (x <= self.highest[group])
        return np.where(inside & (value > 0), value, np.nan)


def fit_smiles(group: Ids, x: Floats, sigma: Floats, groups: int) -> Smiles:
    """Least squares per group by Forsythe's orthogonal polynomials (1957): no matrix, no loss of digits.

    ``group`` in [0, groups), ``x`` log-moneyness ln(K/F) and ``sigma``, one entry a point.
    """

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)

    lowest, highest = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(lowest, group, x)
    np.maximum.at(highest, group, x)
    with np.errstate(all="ignore"):
        points = np.bincount(group, minlength=groups)
        centre = total(x) / points
        first = x - centre[group]
        norm = total(first * first)
        skewness, spread = total(first * first * first) / norm, norm / points
        second = first * first - skewness[group] * first - spread[group]
        level = total(sigma) / points
        slope = total(sigma * first) / norm
        bend = total(sigma * second) / total(second * second)
        error = sigma - level[group] - slope[group] * first - bend[group] * second
        residual = np.sqrt(total(error * error) / points)
    return Smiles(points, residual, lowest, highest, level, slope, bend, centre, skewness, spread)
