"""Implied volatility, vectorised: the inverse of :func:`gnosis_ray.options.bsm.price`.

The price is turned into that of the out-of-the-money option by put-call parity and normalised: with x = -|ln(F/K)|,
beta = price e^{r tau} / sqrt(F K) and s = sigma sqrt(tau), solve b(x, s) = beta. With h = x/s and t = s/2

    b = 1/2 e^{-(h^2 + t^2)/2} D,   D = erfcx(-(h + t)/sqrt 2) - erfcx(-(h - t)/sqrt 2),

which neither cancels nor underflows where N(d1) and N(d2) do (Jaeckel 2015, "Let's be rational", eq. 6.5). Halley's
iteration on ln b, whose derivative sqrt(2/pi)/D needs no further exponential, starts from Jaeckel's closed guesses
(2006, "By implication", eq. 3.7 to 3.9), is kept inside a bracket, and drops an element once it has converged. Every
element is solved alone: its bits do not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, ndtr, ndtri

from gnosis_ray.options.bsm import FloatLike, Floats

MAX_ITERATIONS = 64
"""Bisection alone would need no more from the widest bracket; typical prices take three."""
_CONVERGED = 1e-5
"""Relative step after which the cubic convergence of Halley's method leaves only rounding."""
_MAX_TOTAL_VOL = 50.0
"""Upper end of the bracket for s; the price there equals its bound to the last bit."""
_CHUNK = 16384
"""Elements solved together: their temporaries stay in the cache."""
_SQRT_HALF = np.sqrt(0.5)
_SQRT_2_OVER_PI = np.sqrt(2.0 / np.pi)


class IvReason(IntEnum):
    """Why there is, or is not, an implied volatility; ``name.lower()`` is the word for reports."""

    SOLVED = 0
    NO_PRICE = 1
    """The price is not finite or not positive."""
    EXPIRED = 2
    """No time is left."""
    BAD_INPUT = 3
    """Spot or strike is not positive, or an input is not finite."""
    BELOW_INTRINSIC = 4
    """At or below the discounted intrinsic value: no volatility is low enough."""
    ABOVE_BOUND = 5
    """At or above the discounted forward (call) or strike (put): no volatility is high enough."""


@dataclass(frozen=True)
class ImpliedVols:
    """``sigma`` a year, NaN where ``reason`` (int8 of :class:`IvReason`) is not ``SOLVED``; arrays of one shape."""

    sigma: Floats
    reason: npt.NDArray[np.int8]


def implied_vol(
    price: FloatLike,
    w: FloatLike,
    spot: FloatLike,
    strike: FloatLike,
    tau: FloatLike,
    rate: FloatLike,
    carry: FloatLike,
) -> ImpliedVols:
    """The volatility at which Black-Scholes-Merton gives ``price`` (USD per share), for broadcast arrays.

    Units as in :mod:`gnosis_ray.options.bsm`. Relative accuracy 1e-10 where vega is not negligible. Raises nothing:
    a price that no volatility gives is NaN with its reason.
    """
    arrays = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (price, w, spot, strike, tau, rate, carry))
    )
    shape = arrays[0].shape
    flat = [np.ascontiguousarray(array).ravel() for array in arrays]
    sigma = np.full(flat[0].size, np.nan)
    reason = np.zeros(flat[0].size, dtype=np.int8)
    with np.errstate(all="ignore"):
        for start in range(0, sigma.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            sigma[part], reason[part] = _invert(*(array[part] for array in flat))
    return ImpliedVols(sigma.reshape(shape), reason.reshape(shape))


def _invert(
    price: Floats, w: Floats, spot: Floats, strike: Floats, tau: Floats, rate: Floats, carry: Floats
) -> tuple[Floats, npt.NDArray[np.int8]]:
    log_forward = np.log(spot / strike) + (rate - carry) * tau
    money = w * log_forward
    # Everything in units of the discounted sqrt(F K): the bound of an out-of-the-money option is e^{x/2}.
    scale = np.sqrt(spot * strike) * np.exp(-0.5 * (rate + carry) * tau)
    half = 0.5 * np.abs(log_forward)
    bound = np.exp(-half)
    # beta = price / scale - intrinsic: the normalised out-of-the-money price b(x, s), with x = -|ln(F/K)|, s = sigma
    # sqrt(tau); parity makes it the same for the in-the-money side
    intrinsic = np.where(money > 0, np.exp(half) - bound, 0.0)
    beta = price / scale - intrinsic

    reason = np.select(
        [
            ~np.isfinite(price) | (price <= 0),
            tau <= 0,
            ~np.isfinite(scale) | ~np.isfinite(log_forward) | ~(scale > 0),
            ~(beta > 0),
            beta >= bound,
        ],
        [IvReason.NO_PRICE, IvReason.EXPIRED, IvReason.BAD_INPUT, IvReason.BELOW_INTRINSIC, IvReason.ABOVE_BOUND],
        IvReason.SOLVED,
    ).astype(np.int8)
    good = np.flatnonzero(reason == IvReason.SOLVED)
    sigma = np.full(price.size, np.nan)
    sigma[good] = _solve(-2.0 * half[good], beta[good], bound[good]) / np.sqrt(tau[good])
    return sigma, reason


def _solve(x: Floats, beta: Floats, bound: Floats) -> Floats:
    """Total volatility s with b(x, s) = beta, for x <= 0 and 0 < beta < e^{x/2}."""
    answer = _guess(x, beta, bound)
    target = np.log(beta)
    s = answer.copy()
    low = np.zeros_like(s)
    high = np.full_like(s, _MAX_TOTAL_VOL)
    active = np.arange(s.size)
    for _ in range(MAX_ITERATIONS):
        if active.size == 0:
            break
        step, error = _halley_step(x, s, target)
        low = np.where(error < 0, s, low)
        high = np.where(error > 0, s, high)
        trial = s - step
        # A converged step is taken even where rounding has put the bracket's end on the root.
        done = np.abs(step) <= _CONVERGED * s
        moved = np.where(done | ((trial > low) & (trial < high)), trial, 0.5 * (low + high))
        answer[active] = moved
        going = ~done
        active, s, x = active[going], moved[going], x[going]
        target, low, high = target[going], low[going], high[going]
    return answer


def _halley_step(x: Floats, s: Floats, target: Floats) -> tuple[Floats, Floats]:
    """``(step, error)`` of f(s) = ln b(x, s) - target: s - step is the next guess."""
    # b(x, s) = e^{-(h^2 + t^2)/2} [erfcx(-(h + t)/sqrt 2) - erfcx(-(h - t)/sqrt 2)] / 2, with h = x/s, t = s/2
    h = x / s
    t = 0.5 * s
    difference = erfcx(-_SQRT_HALF * (h + t)) - erfcx(-_SQRT_HALF * (h - t))
    error = np.log(0.5 * difference) - 0.5 * (h * h + t * t) - target
    slope = _SQRT_2_OVER_PI / difference
    curvature = h * h / s - 0.25 * s - slope  # f''/f', by b''/b' = h^2/s - s/4
    # Halley: s - n / (1 - n f''/(2 f')), with n = f/f'
    newton = error / slope
    return newton / np.maximum(1.0 - 0.5 * newton * curvature, 0.5), error


def _guess(x: Floats, beta: Floats, bound: Floats) -> Floats:
    """Jaeckel's guesses around the inflection point s_c = sqrt(2 |x|): exact at the money, right in the limits."""
    # below the inflection ln b ~ -x^2/(2 s^2) to leading order; above it bound - b ~ N(-s/2)
    size = -x
    at_inflection = 0.5 * bound * (1.0 - erfcx(np.sqrt(size)))
    low = np.sqrt(2.0 * size * size / (size - 4.0 * np.log(beta / at_inflection)))
    share = (bound - beta) / (bound - at_inflection)
    high = -2.0 * ndtri(share * ndtr(-np.sqrt(0.5 * size)))
    guess = np.where(beta < at_inflection, low, high)
    usable = np.isfinite(guess) & (guess > 0)
    return np.clip(np.where(usable, guess, np.sqrt(2.0 * size) + 1e-8), 1e-12, 0.99 * _MAX_TOTAL_VOL)
