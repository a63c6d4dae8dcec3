"""What a filled structure costs, risks, may gain, and is worth: every figure counts fills and commissions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np

from gnosis_ray.agents.strategies.fills import FilledLeg, expiries_of
from gnosis_ray.agents.strategies.market_view import MarketView
from gnosis_ray.options import payoff
from gnosis_ray.options.bsm import Floats
from gnosis_ray.options.payoff import PayoffSummary
from gnosis_ray.options.position import PositionLeg, first_expiry, position_cost, position_profit
from gnosis_ray.options.smile import Smile

Legs = tuple[FilledLeg, ...]

_GRID_POINTS = 401
_GRID_MOVES = 8.0


@dataclass(frozen=True)
class Odds:
    """Under the smile of each expiry, discounted, USD a unit; of stock alone, which has no smile, the expected value is
    what it costs to trade, and the probability is None."""

    probability_of_profit: float | None
    expected_value: float
    expected_edge: float


def summary_of(legs: Legs) -> PayoffSummary:
    """Cost, extremes and breakevens of one unit at the (near) expiry; exact where there is one expiry."""
    expiries = expiries_of(legs)
    if len(expiries) < 2:
        return payoff.summarise([leg.payoff_leg() for leg in legs])
    return summarise([leg.position_leg() for leg in legs], expiries[0].smile)


def expected_move(legs: Legs, stock_move: float) -> float:
    """Dollars that the largest leg's shares make of one standard deviation: up to the near expiry, by its smile; of
    stock alone ``stock_move`` a share, over the stance's horizon."""
    expiries = expiries_of(legs)
    move = expiries[0].smile.expected_move if expiries else stock_move
    return max(leg.shares for leg in legs) * move


def odds_of(legs: Legs, summary: PayoffSummary, view: MarketView) -> Odds:
    """What the market thinks of the trade, and what the view adds to it.

    A European price is the discounted mean of the payoff, and of the price that a later expiry will have at the nearer
    one: no simulation is needed. Dividends of stock come with it, so that it is worth its price. Value is that of the
    quotes; probability and edge go by the slope of the volatilities, so that they are those of the smoothed smile.
    """
    expiries = expiries_of(legs)
    stock = sum(leg.sign * leg.shares * leg.mid for leg in legs if leg.contract is None)
    value, edge = stock, stock * view.drift
    for expiry in expiries:
        own = [leg for leg in legs if leg.contract is not None and leg.contract.expiry is expiry]
        smooth = expiry.smile.smoothed
        value += _options_value(own, expiry.smile)
        edge += _options_value(own, smooth.moved(view.drift, view.vol_shift)) - _options_value(own, smooth)
    probability = None
    if expiries:
        probability = probability_of_profit(summary.breakevens, profit_at_expiry(legs), expiries[0].smile.smoothed)
    return Odds(probability, value - summary.cost, edge)


def profit_at_expiry(legs: Legs) -> Callable[[Floats], Floats]:
    """Profit in USD a unit by the price at the (near) expiry."""
    positions = [leg.position_leg() for leg in legs]
    until = first_expiry(positions) or 0.0
    return lambda prices: position_profit(positions, prices, until, american=True)


def profit_variance(legs: Legs, stock_move: float) -> float:
    """Second moment of the profit, USD squared a unit: under the near smile, of stock alone by ``stock_move``."""
    expiries = expiries_of(legs)
    if not expiries:
        return expected_move(legs, stock_move) ** 2
    profit = profit_at_expiry(legs)
    return expiries[0].smile.smoothed.expectation(lambda prices: profit(prices) ** 2)


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
    return PayoffSummary(
        cost=position_cost(legs),
        max_loss=inf if slope < 0 else max(0.0, -float(values.min())),
        max_profit=None if slope > 0 else float(values.max()),
        breakevens=tuple(_root(legs, until, prices[i], prices[i + 1]) for i in turns),
    )


def probability_of_profit(breakevens: Sequence[float], profit: Callable[[Floats], Floats], near: Smile) -> float:
    """P(profit > 0 at the near expiry): the mass between the breakevens where the profit is positive."""
    edges = [0.0, *breakevens, inf]
    top = 2.0 * max([near.forward, *breakevens])
    middles = np.array([0.5 * (low + min(high, top)) for low, high in pairwise(edges)])
    gains = profit(middles) > 0
    parts = [
        near.probability_between(low, high) for (low, high), gain in zip(pairwise(edges), gains, strict=True) if gain
    ]
    return min(1.0, sum(parts))


def _options_value(legs: Sequence[FilledLeg], smile: Smile) -> float:
    """USD a unit of legs of one expiry, each at its own volatility."""
    strikes = np.array([leg.contract.strike for leg in legs if leg.contract is not None])
    w = np.array([1.0 if leg.kind == "C" else -1.0 for leg in legs])
    shares = np.array([leg.sign * leg.shares for leg in legs])
    return float(np.sum(shares * smile.price(w, strikes)))


def _root(legs: Sequence[PositionLeg], until: float, low: float, high: float) -> float:
    """The zero between two prices of opposite sign: on a finer grid, then along its line."""
    prices = np.linspace(low, high, _GRID_POINTS)
    values = position_profit(legs, prices, until, american=True)
    place = int(np.flatnonzero(values[:-1] * values[1:] <= 0)[0])
    before, after = float(values[place]), float(values[place + 1])
    share = before / (before - after) if before != after else 0.0
    return float(prices[place] + share * (prices[place + 1] - prices[place]))
