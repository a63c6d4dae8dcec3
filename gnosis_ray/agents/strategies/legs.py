"""From leg rules to listed contracts: each rule offers strikes, the best first, given those of the legs before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gnosis_ray.agents.strategies.contracts import ExpiryContracts
from gnosis_ray.agents.strategies.strategy_spec import (
    AtDelta,
    AtForward,
    Beyond,
    LegRule,
    Mirror,
    SameStrike,
    SameWidth,
    StrategySpec,
)

OFFERS = 4
"""Strikes tried for a rule before giving up."""
_EQUAL = 1e-9

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OptionContract:
    """One listed contract of an expiry: its place among the strikes, and its quote in USD a share."""

    expiry: ExpiryContracts
    kind: Literal["C", "P"]
    place: int

    @property
    def row(self) -> int:
        """Of the expiry's (2, K) arrays."""
        return 0 if self.kind == "C" else 1

    @property
    def strike(self) -> float:
        """USD."""
        return float(self.expiry.strikes[self.place])

    @property
    def bid(self) -> float:
        """USD a share."""
        return float(self.expiry.bid[self.row, self.place])

    @property
    def ask(self) -> float:
        """USD a share."""
        return float(self.expiry.ask[self.row, self.place])

    @property
    def depth(self) -> float:
        """Contracts of open interest, or of volume where that is unknown."""
        return float(self.expiry.depth[self.row, self.place])

    @property
    def delta(self) -> float:
        """A share, by the smile."""
        return float(self.expiry.delta[self.row, self.place])


Chosen = tuple[OptionContract | None, ...]
"""One contract a leg, None for stock."""


def arrangements(strategy: StrategySpec, near: ExpiryContracts, far: ExpiryContracts | None) -> Iterator[Chosen]:
    """Choices of tradable contracts that fit together, the nearest to what is declared first.

    The later legs vary first. Raises ValueError where the strategy has a far leg and ``far`` is None.
    """
    if strategy.needs_far and far is None:
        raise ValueError(f"Expected a far expiry for {strategy.name}, was None")
    return _complete(strategy.legs, near, far, ())


def _complete(
    rules: Sequence[LegRule], near: ExpiryContracts, far: ExpiryContracts | None, chosen: Chosen
) -> Iterator[Chosen]:
    """Depth first: for each strike that a rule offers, those of the rules after it."""
    if len(chosen) == len(rules):
        yield chosen
        return
    rule = rules[len(chosen)]
    if rule.instrument_type == "STOCK":
        yield from _complete(rules, near, far, (*chosen, None))
        return
    expiry = far if rule.expiry == "far" and far is not None else near
    for place in _offers(rule, expiry, chosen):
        contract = OptionContract(expiry, rule.instrument_type, int(place))
        yield from _complete(rules, near, far, (*chosen, contract))


def _offers(rule: LegRule, expiry: ExpiryContracts, chosen: Chosen) -> Places:
    """Places of strikes, the preferred one first; the lower strike of two as good."""
    row = 0 if rule.instrument_type == "C" else 1
    tradable = np.flatnonzero(expiry.tradable[row])
    strikes = expiry.strikes[tradable]
    match rule.strike:
        case AtDelta(target, low, high):
            size = np.abs(expiry.delta[row, tradable])
            return _nearest(tradable, np.abs(size - target), (size >= low) & (size <= high))
        case AtForward(moves):
            distance = np.abs(strikes - expiry.smile.forward)
            return _nearest(tradable, distance, distance <= moves * expiry.smile.expected_move)
        case Beyond(leg, moves, most):
            wanted = moves * expiry.smile.expected_move
            beyond = strikes - _strike_of(chosen, leg)
            inside = (beyond * wanted > 0) & (np.abs(beyond) <= most * abs(wanted))
            return _nearest(tradable, np.abs(beyond - wanted), inside)
        case SameStrike(leg):
            return tradable[np.abs(strikes - _strike_of(chosen, leg)) < _EQUAL]
        case Mirror(leg, around):
            mirrored = 2.0 * _strike_of(chosen, around) - _strike_of(chosen, leg)
            return tradable[np.abs(strikes - mirrored) < _EQUAL]
        case SameWidth(leg, low, high):
            width = abs(_strike_of(chosen, high) - _strike_of(chosen, low))
            distance = np.abs(strikes - _strike_of(chosen, leg) - width)
            return _nearest(tradable, distance, distance <= 0.5 * width)
        case None:
            raise ValueError("Expected a strike rule, was None")


def _nearest(places: Places, distance: npt.NDArray[np.float64], allowed: npt.NDArray[np.bool_]) -> Places:
    kept = np.flatnonzero(allowed)
    order = np.argsort(distance[kept], kind="stable")[:OFFERS]
    return places[kept[order]]


def _strike_of(chosen: Chosen, leg: int) -> float:
    contract = chosen[leg]
    if contract is None:
        raise ValueError(f"Expected leg {leg} to be an option, was stock")
    return contract.strike
