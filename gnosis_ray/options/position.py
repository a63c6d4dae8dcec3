"""Value of a structure of options and stock before it expires, each leg at its own volatility.

Every leg is repriced by Black-Scholes-Merton at the volatility it was entered at (sticky strike). At expiry this is
the intrinsic value, so that a structure with one expiry ends on :func:`gnosis_ray.options.payoff.payoff`; structures
of several expiries have no exact payoff, and are valued here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gnosis_ray.options import bsm
from gnosis_ray.options.bsm import Floats

_LEAST_SPOT = 1e-300
"""Stands for a worthless underlying, whose logarithm does not exist."""
_ROUNDING_YEARS = 1e-12


@dataclass(frozen=True)
class PositionLeg:
    """One leg as held.

    ``sign`` is +1 bought, -1 sold; ``shares`` of the underlying that the leg stands for (contracts times 100);
    ``price`` USD per share paid if bought, received if sold. ``strike`` (USD), ``tau`` (years from entry to expiry) and
    ``implied_vol`` (a year) are None for stock, and only for stock; ``rate`` and ``carry`` are continuously compounded
    a year. Raises ValueError where they do not go together.
    """

    instrument_type: Literal["C", "P", "STOCK"]
    sign: Literal[-1, 1]
    shares: float
    price: float
    strike: float | None = None
    tau: float | None = None
    implied_vol: float | None = None
    rate: float = 0.0
    carry: float = 0.0

    def __post_init__(self) -> None:
        given = [value is not None for value in (self.strike, self.tau, self.implied_vol)]
        if any(given) if self.instrument_type == "STOCK" else not all(given):
            raise ValueError(
                "Expected strike, tau and implied_vol for an option and for nothing else, "
                f"were {self.strike}, {self.tau} and {self.implied_vol} for {self.instrument_type}"
            )
        if not self.shares > 0:
            raise ValueError(f"Expected shares above 0, was {self.shares}")


def position_cost(legs: Sequence[PositionLeg]) -> float:
    """USD paid to enter; negative for a credit. Commissions are not in it."""
    return float(sum(leg.sign * leg.shares * leg.price for leg in legs))


def first_expiry(legs: Sequence[PositionLeg]) -> float | None:
    """Years from entry to the earliest expiry of the legs; None for stock alone."""
    return min((leg.tau for leg in legs if leg.tau is not None), default=None)


def position_value(
    legs: Sequence[PositionLeg], spots: npt.ArrayLike, after_years: float, *, american: bool = False
) -> Floats:
    """Value in USD of all legs at each price of the underlying, ``after_years`` after entry; same shape as ``spots``.

    A leg at its expiry is worth its intrinsic value. Raises ValueError where a leg expired before ``after_years``: what
    it settled at depends on the price of that day, which is not the price of this one. Stock is worth its price;
    dividends on it are left out. ``american``: an option is worth at least its intrinsic value.
    """
    at = np.maximum(np.asarray(spots, dtype=np.float64), _LEAST_SPOT)
    expiry = first_expiry(legs)
    if expiry is not None and after_years > expiry + _ROUNDING_YEARS:
        raise ValueError(f"Expected a time before the first expiry at {expiry} years, was {after_years}")
    total = np.zeros_like(at)
    for leg in legs:
        total += leg.sign * leg.shares * (at if leg.strike is None else _option_value(leg, at, after_years, american))
    return total


def position_profit(
    legs: Sequence[PositionLeg], spots: npt.ArrayLike, after_years: float, *, american: bool = False
) -> Floats:
    """:func:`position_value` less what the legs cost, USD; raises as it does."""
    return position_value(legs, spots, after_years, american=american) - position_cost(legs)


def _option_value(leg: PositionLeg, at: Floats, after_years: float, american: bool) -> Floats:
    """USD per share of one option leg."""
    if leg.strike is None or leg.tau is None or leg.implied_vol is None:
        raise ValueError("Expected an option, was stock")
    w = 1.0 if leg.instrument_type == "C" else -1.0
    left = leg.tau - after_years
    intrinsic = np.maximum(w * (at - leg.strike), 0.0)
    if left <= _ROUNDING_YEARS:
        return intrinsic
    european = bsm.price(w, at, leg.strike, left, leg.rate, leg.carry, leg.implied_vol)
    return np.maximum(european, intrinsic) if american else european
