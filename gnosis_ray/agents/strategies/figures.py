"""What a filled structure costs, risks, may gain, and is worth: every figure counts fills and commissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np

from gnosis_ray.agents.strategies.fills import FilledLeg, expiries_of
from gnosis_ray.agents.strategies.view import View
from gnosis_ray.options import payoff
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.payoff import PayoffSummary
from gnosis_ray.options.position import PositionLeg, first_expiry, position_cost, position_profit
from gnosis_ray.options.smile import Smile

_GRID_POINTS = 401
_GRID_MOVES = 8.0


@dataclass(frozen=True)
class Figures:
    """USD a unit. ``summary``: cost, extremes and breakevens at the near expiry; the rest under the smile of each
    expiry, discounted; of stock alone, which has none, the expected value is what it costs to trade.

    ``variance``: second moment of the profit, USD squared, for sizing. ``expected_move``: dollars that all shares of
    the unit make of one standard deviation of the price.
    """

    summary: PayoffSummary
    probability_of_profit: float | None
    expected_value: float
    expected_edge: float
    variance: float
    expected_move: float


def figures_of(legs: tuple[FilledLeg, ...], view: View, stock_move: float | None) -> Figures:
    """All figures of one unit; ``stock_move`` is the expected move of a share, for stock alone."""
    expiries = expiries_of(legs)
    if not expiries:
        return _of_stock(legs, view, stock_move or 0.0)
    near = expiries[0].smile
    positions = [leg.position_leg() for leg in legs]
    summary = payoff.summarise([leg.payoff_leg() for leg in legs]) if len(expiries) == 1 else summarise(positions, near)
    value = _market_value(legs, None)
    until = first_expiry(positions) or 0.0

    def profit(prices: Floats) -> Floats:
        return position_profit(positions, prices, until, american=True)

    shares = max(leg.shares for leg in legs)
    return Figures(
        summary=summary,
        probability_of_profit=probability_of_profit(summary.breakevens, profit, near),
        expected_value=value - summary.cost,
        expected_edge=_market_value(legs, view) - value,
        variance=near.expectation(lambda prices: profit(prices) ** 2),
        expected_move=shares * near.expected_move,
    )


def summarise(legs: Sequence[PositionLeg], near: Smile) -> PayoffSummary:
    """Extremes and breakevens at the nearest of several expiries, on a grid of prices refined at each root.

    Legs that live on keep their volatility and are worth at least their intrinsic value. The extremes are those of the
    grid, of the strikes, of nothing and of the slope beyond.
    """
    until = first_expiry(legs) or 0.0
    strikes = [leg.strike for leg in legs if leg.strike is not None]
    reach = np.linspace(-_GRID_MOVES, _GRID_MOVES, _GRID_POINTS) * near.atm_vol * near.tau**0.5
    prices = np.unique(np.concatenate([[0.0], near.forward * np.exp(reach), strikes]))
    values = position_profit(legs, prices, until, american=True)
    slope = sum(leg.sign * leg.shares for leg in legs if leg.instrument_type != "P")
    turns = np.flatnonzero(values[:-1] * values[1:] < 0)
    cost = position_cost(legs)
    return PayoffSummary(
        cost=cost,
        max_loss=inf if slope < 0 else max(0.0, -float(values.min())),
        max_profit=None if slope > 0 else float(values.max()),
        breakevens=tuple(_root(legs, until, prices[i], prices[i + 1]) for i in turns),
    )


def probability_of_profit(breakevens: Sequence[float], profit: Callable[[Floats], Floats], near: Smile) -> float:
    """P(profit > 0 at the near expiry): the mass between the breakevens where the profit is positive."""
    edges = [0.0, *breakevens, inf]
    top = 2.0 * max([near.forward, *breakevens])
    total = 0.0
    for low, high in pairwise(edges):
        inside = np.array([0.5 * (low + min(high, top))])
        if high > low and float(profit(inside)[0]) > 0:
            total += near.probability_between(low, high)
    return min(1.0, total)


def _market_value(legs: tuple[FilledLeg, ...], view: View | None) -> float:
    """What all legs are worth at the smile of each, moved by the view where there is one; stock at its price.

    A European price is the discounted mean of the payoff, and of the price that a later expiry will have at the nearer
    one: no simulation is needed. Dividends of stock come with it, so that it is worth its price.
    """
    total = 0.0
    moved: dict[int, Smile] = {}
    for leg in legs:
        if leg.contract is None:
            total += leg.sign * leg.shares * leg.mid * (1.0 + (view.drift if view else 0.0))
            continue
        smile = leg.contract.expiry.smile
        if view is not None:
            smile = moved.setdefault(id(smile), smile.moved(view.drift, view.vol_shift))
        w = 1.0 if leg.kind == "C" else -1.0
        total += leg.sign * leg.shares * float(smile.price(w, leg.contract.strike))
    return total


def _root(legs: Sequence[PositionLeg], until: float, low: float, high: float) -> float:
    """The zero between two prices of opposite sign: on a finer grid, then along its line."""
    prices = np.linspace(low, high, _GRID_POINTS)
    values = position_profit(legs, prices, until, american=True)
    place = int(np.flatnonzero(values[:-1] * values[1:] <= 0)[0])
    before, after = float(values[place]), float(values[place + 1])
    share = before / (before - after) if before != after else 0.0
    return float(prices[place] + share * (prices[place + 1] - prices[place]))


def _of_stock(legs: tuple[FilledLeg, ...], view: View, move: float) -> Figures:
    """Stock has no smile: what it costs on average is the spread and the commission."""
    summary = payoff.summarise([leg.payoff_leg() for leg in legs])
    shares = sum(leg.shares for leg in legs)
    held = sum(leg.sign * leg.shares * leg.mid for leg in legs)
    return Figures(
        summary=summary,
        probability_of_profit=None,
        expected_value=held - summary.cost,
        expected_edge=held * view.drift,
        variance=(shares * move) ** 2,
        expected_move=shares * move,
    )
