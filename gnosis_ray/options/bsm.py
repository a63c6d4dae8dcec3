"""Black-Scholes-Merton price and greeks over NumPy arrays (Merton 1973; Haug 2007, ch. 1-2).

Arguments broadcast against each other: ``w`` is +1 for a call and -1 for a put, ``spot`` and ``strike`` are USD,
``tau`` years, ``rate`` and ``carry`` continuously compounded a year (``carry`` is the yield q of the underlying),
``sigma`` volatility a year. Where an input is not positive (spot, strike, tau, sigma) or not finite the answer is NaN.
Every element is computed alone: an array of one gives the same bits as an array of many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from gnosis_ray.schemas.conventions import DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]
FloatLike = npt.ArrayLike

_INV_SQRT_2PI = 1.0 / np.sqrt(2.0 * np.pi)


@dataclass(frozen=True)
class Greeks:
    """Price and sensitivities of European options, arrays of one shape, per share of the underlying."""

    price: Floats
    delta: Floats
    gamma: Floats
    """Per USD of the underlying."""
    vega: Floats
    """Per 1.00 of volatility."""
    theta: Floats
    """Per calendar day."""
    rho: Floats
    """Per 1.00 of rate."""
    vanna: Floats
    """d delta / d sigma, per 1.00 of volatility; the same for call and put."""
    charm: Floats
    """d delta / d t, a year."""


@dataclass(frozen=True)
class _Terms:
    """What price and greeks share."""

    w: Floats
    spot: Floats
    strike: Floats
    tau: Floats
    sigma: Floats
    root_tau: Floats
    d1: Floats
    d2: Floats
    discount: Floats
    carry_discount: Floats
    cdf_d1: Floats
    """N(w d1)."""
    cdf_d2: Floats
    """N(w d2)."""

    def price(self) -> Floats:
        # V = w [S e^{-q tau} N(w d1) - K e^{-r tau} N(w d2)] (Merton 1973)
        bought = self.spot * self.carry_discount * self.cdf_d1
        paid = self.strike * self.discount * self.cdf_d2
        return self.w * (bought - paid)


def price(
    w: FloatLike,
    spot: FloatLike,
    strike: FloatLike,
    tau: FloatLike,
    rate: FloatLike,
    carry: FloatLike,
    sigma: FloatLike,
) -> Floats:
    """Price in USD per share; shapes broadcast, NaN where an input is impossible."""
    with np.errstate(all="ignore"):
        return _terms(w, spot, strike, tau, rate, carry, sigma).price()


def greeks(
    w: FloatLike,
    spot: FloatLike,
    strike: FloatLike,
    tau: FloatLike,
    rate: FloatLike,
    carry: FloatLike,
    sigma: FloatLike,
) -> Greeks:
    """Price and all greeks in one pass; shapes broadcast, NaN where an input is impossible.

    Vanna is -e^{-q tau} phi(d1) d2 / sigma; charm is w q e^{-q tau} N(w d1)
    - e^{-q tau} phi(d1) [2 (r - q) tau - d2 sigma sqrt tau] / (2 tau sigma sqrt tau) (Haug 2007, 2.5 and 2.7).
    """
    with np.errstate(all="ignore"):
        r, q = np.asarray(rate, dtype=np.float64), np.asarray(carry, dtype=np.float64)
        t = _terms(w, spot, strike, tau, rate, carry, sigma)
        total = t.sigma * t.root_tau
        # e^{-q tau} phi(d1), which every second-order greek has as a factor
        density = t.carry_discount * np.exp(-0.5 * t.d1 * t.d1) * _INV_SQRT_2PI
        held = t.w * t.carry_discount * t.cdf_d1  # the delta
        owed = t.w * t.strike * t.discount * t.cdf_d2
        # vega = S e^{-q tau} phi(d1) sqrt(tau)
        # dV/dt = -vega sigma / (2 tau) - r w K e^{-r tau} N(w d2) + q w S e^{-q tau} N(w d1)
        vega = t.spot * density * t.root_tau
        decay = -0.5 * vega * t.sigma / t.tau - r * owed + q * t.spot * held
        return Greeks(
            price=t.price(),
            delta=held,
            gamma=density / (t.spot * total),
            vega=vega,
            theta=decay / DAYS_PER_YEAR,
            rho=t.tau * owed,
            vanna=-density * t.d2 / t.sigma,
            charm=q * held - density * (2.0 * (r - q) * t.tau - t.d2 * total) / (2.0 * t.tau * total),
        )


def _terms(
    w: FloatLike,
    spot: FloatLike,
    strike: FloatLike,
    tau: FloatLike,
    rate: FloatLike,
    carry: FloatLike,
    sigma: FloatLike,
) -> _Terms:
    side, s, k, t, r, q, vol = (
        np.asarray(value, dtype=np.float64) for value in (w, spot, strike, tau, rate, carry, sigma)
    )
    possible = (s > 0) & (k > 0) & (t > 0) & (vol > 0) & np.isfinite(s) & np.isfinite(k)
    root_tau = np.sqrt(t)
    total = np.where(possible, vol * root_tau, np.nan)
    # d1 = [ln(S/K) + (r - q) tau] / (sigma sqrt(tau)) + sigma sqrt(tau) / 2; d2 = d1 - sigma sqrt(tau)
    d1 = (np.log(s / k) + (r - q) * t) / total + 0.5 * total
    d2 = d1 - total
    return _Terms(
        w=side,
        spot=s,
        strike=k,
        tau=t,
        sigma=vol,
        root_tau=root_tau,
        d1=d1,
        d2=d2,
        discount=np.exp(-r * t),
        carry_discount=np.exp(-q * t),
        cdf_d1=ndtr(side * d1),
        cdf_d2=ndtr(side * d2),
    )
