"""Profit of a trade idea over the price of its underlying: at expiry, and before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.payoff import PayoffLeg, payoff
from gnosis_ray.options.position import PositionLeg, first_expiry, position_value
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, SHARES_PER_CONTRACT, TRADING_DAYS_PER_YEAR
from gnosis_ray.schemas.core_schemas import TradeIdea, TradeLeg

POINTS = 81
"""Evenly spaced prices of a diagram; strikes and breakevens come on top."""

REACH_SIGMAS = 3.0
"""Deviations of the price to first expiry that a diagram spans on each side, at least."""

MARGIN = 0.06
"""Of the span, beside the outermost strike, breakeven or exit."""

STOCK_HORIZON_YEARS = 21 / TRADING_DAYS_PER_YEAR

UNKNOWN_ANNUAL_VOL = 0.3
"""Sets the span where no volatility is known."""


@dataclass(frozen=True)
class LegTerms:
    """What it takes to value an option leg before it expires: ``tau`` years from now to its expiry; the volatility
    that it was quoted at, the rate and the carry, all a year."""

    tau: float
    implied_vol: float
    rate: float
    carry: float


@dataclass(frozen=True)
class PayoffLine:
    """Profit in USD a unit at each price of the diagram; ``days`` from now, None where time does not matter."""

    label: str
    days: float | None
    profit: tuple[float, ...]


@dataclass(frozen=True)
class PayoffDiagram:
    """``prices`` of the underlying, USD, and a line for each time shown, the last one at (front) expiry."""

    prices: tuple[float, ...]
    lines: tuple[PayoffLine, ...]


def payoff_diagram(
    idea: TradeIdea, terms: Sequence[LegTerms | None], spot: float, annual_vol: float | None
) -> PayoffDiagram | None:
    """Profit now, halfway and at the first expiry, each less the idea's cost.

    Before expiry, and at the front expiry of several, legs are valued at the volatility that they were quoted at
    (sticky strike). ``terms``: of each leg of the idea, None for stock and where they are unknown: only the payoff at
    expiry is then known, and that of legs of several expiries not even then: None. ``spot`` USD; ``annual_vol``: the
    volatility a year that sets the span.
    """
    held = _held(idea.legs, terms)
    expiries = {leg.expiry for leg in idea.legs if leg.expiry is not None}
    if held is None and len(expiries) > 1:
        return None
    years = None if held is None else first_expiry(held)
    deviation = (annual_vol or UNKNOWN_ANNUAL_VOL) * np.sqrt(years or STOCK_HORIZON_YEARS)
    prices = _prices(idea, spot, float(deviation))
    if held is None or years is None:
        last = PayoffLine("at expiry" if expiries else "at any time", None, _at_expiry(idea, prices))
        return PayoffDiagram(tuple(prices.tolist()), (last,))
    lines = [
        PayoffLine(
            label, after * DAYS_PER_YEAR, tuple((position_value(held, prices, after) - idea.cost_per_unit).tolist())
        )
        for label, after in _moments(years, several=len(expiries) > 1)
    ]
    return PayoffDiagram(tuple(prices.tolist()), tuple(lines))


def exits_are_prices(idea: TradeIdea) -> bool:
    """Whether the exits are prices of the underlying; else they are what a unit is worth then, USD."""
    return all(leg.instrument_type == "STOCK" for leg in idea.legs)


def _moments(years: float, *, several: bool) -> list[tuple[str, float]]:
    half, days = years / 2, years * DAYS_PER_YEAR
    end = "at front expiry" if several else "at expiry"
    return [("today", 0.0), (f"in {half * DAYS_PER_YEAR:.0f} days", half), (f"{end}, {days:.0f} days", years)]


def _held(legs: Sequence[TradeLeg], terms: Sequence[LegTerms | None]) -> list[PositionLeg] | None:
    """The legs with what it takes to value them; None where the terms of an option are unknown."""
    held = []
    for leg, known in zip(legs, terms, strict=True):
        sign: int = 1 if leg.direction == "buy" else -1
        if leg.instrument_type == "STOCK":
            held.append(PositionLeg("STOCK", 1 if sign > 0 else -1, float(leg.qty), leg.price or 0.0))
            continue
        if known is None:
            return None
        held.append(
            PositionLeg(
                leg.instrument_type,
                1 if sign > 0 else -1,
                float(leg.qty * SHARES_PER_CONTRACT),
                leg.price or 0.0,
                leg.strike,
                known.tau,
                known.implied_vol,
                known.rate,
                known.carry,
            )
        )
    return held


def _at_expiry(idea: TradeIdea, prices: Floats) -> tuple[float, ...]:
    """The value of the legs at expiry less what the unit costs: fills and commissions are in that."""
    value = payoff([PayoffLeg.from_trade(leg, 0.0) for leg in idea.legs], prices)
    return tuple((value - idea.cost_per_unit).tolist())


def _prices(idea: TradeIdea, spot: float, deviation: float) -> Floats:
    """Evenly spaced prices, with the kinks among them."""
    kinks = [leg.strike for leg in idea.legs if leg.strike is not None]
    levels = (idea.target_exit_price, idea.stop_loss_price) if exits_are_prices(idea) else ()
    exits = [level for level in levels if level is not None]
    marks = [*kinks, *idea.breakeven_levels, *exits, spot]
    reach = REACH_SIGMAS * deviation
    low, high = min(spot * float(np.exp(-reach)), *marks), max(spot * float(np.exp(reach)), *marks)
    pad = MARGIN * (high - low)
    even = np.linspace(max(low - pad, 0.0), high + pad, POINTS)
    return np.unique(np.concatenate([even, kinks, idea.breakeven_levels]))
