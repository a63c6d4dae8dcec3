"""Payoff at expiry of a structure of options and stock: exact, because it is piecewise linear in the price.

All figures are USD. The price of the underlying runs from 0 to infinity; the kinks are the strikes, so that extremes
and roots follow from the values at the kinks and the slope beyond the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
import numpy.typing as npt

from gnosis_ray.options.bsm import Floats
from gnosis_ray.schemas.conventions import SHARES_PER_CONTRACT
from gnosis_ray.schemas.core_schemas import TradeLeg

_ROUNDING = 1e-12
"""Relative size below which a value at a kink is a rounding error of zero."""


@dataclass(frozen=True)
class PayoffLeg:
    """One leg held to expiry.

    ``sign`` is +1 bought, -1 sold; ``shares`` of the underlying that the leg stands for (contracts times 100);
    ``premium`` in USD per share, paid if bought and received if sold (for stock: its price); ``strike`` is None for
    stock only. Raises ValueError where they do not go together.
    """

    instrument_type: Literal["C", "P", "STOCK"]
    sign: Literal[-1, 1]
    shares: float
    strike: float | None
    premium: float

    def __post_init__(self) -> None:
        if (self.instrument_type == "STOCK") != (self.strike is None):
            raise ValueError(f"Expected a strike for an option only, was {self.strike} for {self.instrument_type}")
        if not self.shares > 0:
            raise ValueError(f"Expected shares above 0, was {self.shares}")

    @classmethod
    def from_trade(cls, leg: TradeLeg, premium: float) -> PayoffLeg:
        """A contract leg bought or sold at ``premium`` USD per share."""
        return cls(
            instrument_type=leg.instrument_type,
            sign=1 if leg.direction == "buy" else -1,
            shares=float(leg.qty if leg.instrument_type == "STOCK" else leg.qty * SHARES_PER_CONTRACT),
            strike=leg.strike,
            premium=premium,
        )


@dataclass(frozen=True)
class PayoffSummary:
    """``cost`` to enter (a credit is negative), ``max_loss`` (at least 0, ``inf`` where unbounded), ``max_profit``
    (None where unbounded) and ``breakevens``: the prices, ascending, at which the payoff is zero (both ends of a
    stretch on which it is)."""

    cost: float
    max_loss: float
    max_profit: float | None
    breakevens: tuple[float, ...]


def payoff(legs: Sequence[PayoffLeg], prices: npt.ArrayLike) -> Floats:
    """Profit in USD at expiry of all legs, at each price of the underlying; same shape as ``prices``."""
    at = np.asarray(prices, dtype=np.float64)
    total = np.zeros_like(at)
    for leg in legs:
        # sign shares (intrinsic value - premium)
        total += leg.sign * leg.shares * (_intrinsic(leg, at) - leg.premium)
    return total


def cost(legs: Sequence[PayoffLeg]) -> float:
    """USD paid to enter; negative for a credit."""
    return float(sum(leg.sign * leg.shares * leg.premium for leg in legs))


def summarise(legs: Sequence[PayoffLeg]) -> PayoffSummary:
    """Extremes and breakevens over prices from 0 to infinity. Raises ValueError where there is no leg."""
    if not legs:
        raise ValueError("Expected at least one leg, was none")
    kinks = np.unique([0.0, *(leg.strike for leg in legs if leg.strike is not None)])
    values = payoff(legs, kinks)
    values[np.abs(values) <= _ROUNDING * _scale(legs)] = 0.0
    # piecewise linear: extremes lie at 0, at a strike, or at infinity, where calls and stock set the slope
    slope = float(sum(leg.sign * leg.shares for leg in legs if leg.instrument_type != "P"))
    return PayoffSummary(
        cost=cost(legs),
        max_loss=inf if slope < 0 else max(0.0, -float(values.min())),
        max_profit=None if slope > 0 else float(values.max()),
        breakevens=_roots(kinks, values, slope),
    )


def _intrinsic(leg: PayoffLeg, at: Floats) -> Floats:
    if leg.strike is None:
        return at
    return np.maximum(at - leg.strike if leg.instrument_type == "C" else leg.strike - at, 0.0)


def _scale(legs: Sequence[PayoffLeg]) -> float:
    return sum(leg.shares * (abs(leg.premium) + (leg.strike or 0.0)) for leg in legs)


def _roots(kinks: Floats, values: Floats, slope: float) -> tuple[float, ...]:
    """Zeros of the line through ``(kinks, values)`` that continues with ``slope`` beyond the last."""
    roots = [float(kink) for kink, value in zip(kinks, values, strict=True) if value == 0.0]
    for left, right, before, after in zip(kinks[:-1], kinks[1:], values[:-1], values[1:], strict=True):
        if before * after < 0:
            roots.append(float(left + (right - left) * (before / (before - after))))
    if values[-1] * slope < 0:
        roots.append(float(kinks[-1] - values[-1] / slope))
    return tuple(sorted(roots))
