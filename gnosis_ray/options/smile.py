"""One expiry's smile as a distribution of the price at expiry: prices, probabilities, and the same under a view.

The volatility is a shape-preserving cubic in log-moneyness ln(K/F) through the quoted strikes, flat beyond the
outermost: tails that nobody quotes are not made up. The distribution follows from the prices alone
(Breeden, Litzenberger 1978), hence from the slope of the volatilities, which between neighbouring strikes is mostly
noise of the quotes: :attr:`Smile.smoothed` is the smile to ask for probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, sqrt

import numpy as np
import numpy.typing as npt
from scipy.interpolate import splev, splrep
from scipy.special import ndtr

from gnosis_ray.options import bsm
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.interpolation import MonotoneCubic

_REACH = 8.0
"""Standard deviations to either side that the distribution is tabulated over."""
_POINTS = 1281
_INV_SQRT_2PI = 1.0 / np.sqrt(2.0 * np.pi)
_LEAST_VOL = 1e-4
"""What a shift never takes a volatility below."""


@dataclass(frozen=True)
class _Distribution:
    """P(price at expiry > forward e^k) on ascending ``log_moneyness``; never rises, within [0, 1]."""

    log_moneyness: Floats
    survival: Floats


@dataclass(frozen=True, eq=False)
class Smile:
    """Volatilities of one expiry.

    ``forward`` in USD; ``tau`` in years from the time of the quotes; ``rate`` continuously compounded a year;
    ``log_moneyness`` ln(K/F) of the quoted strikes, strictly ascending, (K,); ``vols`` a year, (K,); ``errors`` what
    each of them may be off by, a year, (K,), None where they are exact. Raises ValueError where a figure is not
    positive or a strike is missing.
    """

    forward: float
    tau: float
    rate: float
    log_moneyness: Floats
    vols: Floats
    errors: Floats | None = None

    def __post_init__(self) -> None:
        if not (self.forward > 0 and self.tau > 0):
            raise ValueError(f"Expected forward and tau above 0, were {self.forward} and {self.tau}")
        if self.vols.size == 0 or self.vols.shape != self.log_moneyness.shape or not np.all(self.vols > 0):
            raise ValueError("Expected a positive volatility at each of one strike or more")
        if self.errors is not None and (self.errors.shape != self.vols.shape or not np.all(self.errors > 0)):
            raise ValueError("Expected a positive error at each strike")

    @property
    def atm_vol(self) -> float:
        """At the forward, interpolated linearly between the two nearest strikes."""
        return float(np.interp(0.0, self.log_moneyness, self.vols))

    @property
    def discount(self) -> float:
        """USD now for a dollar at expiry."""
        return exp(-self.rate * self.tau)

    @property
    def expected_move(self) -> float:
        """One standard deviation of the price up to expiry, USD: F sigma sqrt(tau) at the money."""
        return self.forward * self.atm_vol * sqrt(self.tau)

    def vol(self, strikes: npt.ArrayLike) -> Floats:
        """Volatility a year at each strike; same shape."""
        return self._curve(np.log(np.asarray(strikes, dtype=np.float64) / self.forward))

    def price(self, w: npt.ArrayLike, strikes: npt.ArrayLike) -> Floats:
        """European price in USD a share, discounted, each strike at its own volatility; ``w`` +1 call, -1 put."""
        spot = self.forward * self.discount
        return bsm.price(w, spot, strikes, self.tau, self.rate, 0.0, self.vol(strikes))

    def delta(self, w: npt.ArrayLike, strikes: npt.ArrayLike, carry: float = 0.0) -> Floats:
        """Delta a share at the strike's own volatility; ``carry`` is the yield of the underlying."""
        # w e^{-q tau} N(w d1), with d1 = s/2 - k/s, k = ln(K/F), s = sigma(k) sqrt(tau)
        k = np.log(np.asarray(strikes, dtype=np.float64) / self.forward)
        total = self._curve(k) * self.tau**0.5
        side = np.asarray(w, dtype=np.float64)
        return np.asarray(side * exp(-carry * self.tau) * ndtr(side * (0.5 * total - k / total)))

    def survival(self, strikes: npt.ArrayLike) -> Floats:
        """P(price at expiry > strike), 1 at 0 and below; never rises with the strike."""
        at = np.asarray(strikes, dtype=np.float64)
        table = self._distribution
        k = np.log(np.maximum(at, 1e-300) / self.forward)
        return np.where(at <= 0, 1.0, np.interp(k, table.log_moneyness, table.survival))

    def probability_between(self, low: float, high: float) -> float:
        """P(low < price at expiry <= high); ``high`` may be infinite."""
        upper = 0.0 if high == np.inf else float(self.survival(high))
        return max(0.0, float(self.survival(low)) - upper)

    def expectation(self, payoff: Callable[[Floats], Floats]) -> float:
        """Undiscounted mean of ``payoff`` of the price at expiry, by the midpoint rule over the distribution."""
        table = self._distribution
        mass = -np.diff(np.concatenate([[1.0], table.survival, [0.0]]))
        middle = 0.5 * (table.log_moneyness[1:] + table.log_moneyness[:-1])
        k = np.concatenate([table.log_moneyness[:1], middle, table.log_moneyness[-1:]])
        return float(np.sum(mass * payoff(self.forward * np.exp(k))))

    @cached_property
    def smoothed(self) -> Smile:
        """The smoothest cubic spline whose residuals are as large as the errors (Reinsch 1967); itself without errors.

        Never outside the quoted volatilities.
        """
        if self.errors is None or self.vols.size == 1:
            return self
        degree = min(3, self.vols.size - 1)
        spline = splrep(self.log_moneyness, self.vols, w=1.0 / self.errors, k=degree, s=self.vols.size, quiet=1)
        fitted = np.clip(splev(self.log_moneyness, spline), self.vols.min(), self.vols.max())
        return replace(self, vols=fitted, errors=None)

    def moved(self, drift: float, vol_shift: float) -> Smile:
        """The same shape around a forward moved by ``drift`` (a fraction), all volatilities by ``vol_shift`` a year."""
        vols = np.maximum(self.vols + vol_shift, _LEAST_VOL)
        return replace(self, forward=self.forward * (1.0 + drift), vols=vols)

    @cached_property
    def _curve(self) -> MonotoneCubic:
        return MonotoneCubic.through(self.log_moneyness, self.vols)

    @cached_property
    def _distribution(self) -> _Distribution:
        """-dC/dK undiscounted = N(d2) - phi(d2) sqrt(tau) dvol/dk; quotes that contradict each other are averaged."""
        reach = _REACH * float(self.vols.max()) * self.tau**0.5
        k = np.linspace(-reach, reach, _POINTS)
        total = self._curve(k) * self.tau**0.5
        d2 = -k / total - 0.5 * total
        skew = _INV_SQRT_2PI * np.exp(-0.5 * d2 * d2) * self.tau**0.5 * self._curve.slope(k)
        raw = np.clip(ndtr(d2) - skew, 0.0, 1.0)
        # the nearest distribution that never rises: the mean of the monotone envelopes from both sides
        falling = np.minimum.accumulate(raw)
        rising = np.maximum.accumulate(raw[::-1])[::-1]
        return _Distribution(k, 0.5 * (falling + rising))
