"""One strategy evaluated on one market: a candidate trade with all its figures, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf

from gnosis_ray.agents.strategies.contracts import ContractBook, ExpiryContracts
from gnosis_ray.agents.strategies.fills import FilledLeg, StockQuote, fill_legs
from gnosis_ray.agents.strategies.legs import OptionContract, arrangements
from gnosis_ray.agents.strategies.market_view import MarketView
from gnosis_ray.agents.strategies.sizing import affordable_units, kelly_units
from gnosis_ray.agents.strategies.strategy_spec import Basis, Share, StrategySpec
from gnosis_ray.agents.strategies.trade_metrics import Odds, expected_move, odds_of, profit_variance, summary_of
from gnosis_ray.config import TradeConfig
from gnosis_ray.options.payoff import PayoffSummary
from gnosis_ray.schemas.conventions import UNBOUNDED_STOPS

ARRANGEMENTS = 4
"""Choices of contracts tried in one expiry before the next one."""
EXPIRIES = 3
"""Expiries, or pairs of them, tried."""


@dataclass(frozen=True)
class ExitLevels:
    """When to leave: what one unit is worth, USD with the sign of its cost (stock alone: the price of a share), the
    loss at the stop in USD a unit, and days before the near expiry (None for stock alone)."""

    target: float
    stop: float
    stop_loss: float
    days: int | None


@dataclass(frozen=True, eq=False)
class Candidate:
    """A strategy with contracts, fills, figures, exits and size; ``risk`` is the loss that sized it, USD a unit."""

    strategy: StrategySpec
    legs: tuple[FilledLeg, ...]
    summary: PayoffSummary
    odds: Odds
    levels: ExitLevels
    risk: float
    units: int
    fit: int

    @property
    def reward_to_risk(self) -> float:
        """(expected value + expected edge) / risk."""
        return (self.odds.expected_value + self.odds.expected_edge) / self.risk


@dataclass(frozen=True, eq=False)
class CandidateInputs:
    """The tradable contracts and the stock quote; a reason in place of either where it is missing."""

    book: ContractBook | str
    stock: StockQuote | str


@dataclass(frozen=True, eq=False)
class StrategyEvaluation:
    """One strategy under one view. ``stock`` is None where no leg needs it."""

    strategy: StrategySpec
    view: MarketView
    stock: StockQuote | None
    config: TradeConfig

    def run(self, inputs: CandidateInputs) -> Candidate | str:
        """The first arrangement of contracts, nearest to what is declared, that passes every floor; else the reason of
        the one that was tried first."""
        if not self.strategy.has_options:
            return self._assess((None,) * len(self.strategy.legs))
        if isinstance(inputs.book, str):
            return inputs.book
        reasons, pairs = [], 0
        for near, far in islice(self._expiries(inputs.book), EXPIRIES):
            pairs += 1
            for contracts in islice(arrangements(self.strategy, near, far), ARRANGEMENTS):
                found = self._assess(contracts)
                if not isinstance(found, str):
                    return found
                reasons.append(found)
        return reasons[0] if reasons else "no_contracts" if pairs else "no_expiry"

    def _expiries(self, book: ContractBook) -> Iterator[tuple[ExpiryContracts, ExpiryContracts | None]]:
        """In order of preference; none that would be left as soon as it is entered."""
        days = self.strategy.exits.days if self.strategy.exits else 0
        for near in book.near():
            if near.dte - days < self.config.min_holding_days:
                continue
            if not self.strategy.needs_far:
                yield near, None
            else:
                yield from ((near, far) for far in islice(book.far(near), 1))

    def _assess(self, contracts: tuple[OptionContract | None, ...]) -> Candidate | str:
        """Cheap refusals before dear figures; an edge against it takes a point off the fit."""
        legs = fill_legs(self.strategy.legs, contracts, self.stock, self.config)
        if any(leg.price <= 0 for leg in legs):
            return "worthless_leg"
        summary = summary_of(legs)
        refused = _refused(self.strategy, summary)
        if refused:
            return refused
        move = self.stock.move if self.stock else 0.0
        levels = self._levels(legs, summary, expected_move(legs, move))
        risk = summary.max_loss if summary.max_loss < inf else UNBOUNDED_STOPS * levels.stop_loss
        units = affordable_units(risk, legs, self.view, self.config)
        if units == 0:
            return "zero_units"
        odds = odds_of(legs, summary, self.view)
        against = self._against(summary, odds, sum(leg.paid for leg in legs))
        if against:
            return against
        if self.view.forecast_return is not None:
            mean = odds.expected_value + odds.expected_edge
            units = min(units, kelly_units(mean, profit_variance(legs, move), self.config))
        fit = self.strategy.fit(self.view.state, self.view.tags) - int(odds.expected_edge <= 0)
        return Candidate(self.strategy, legs, summary, odds, levels, risk, units, fit) if units else "no_kelly_bet"

    def _against(self, summary: PayoffSummary, odds: Odds, paid: float) -> str | None:
        """Why the odds make this no trade; ``paid``: what trading it costs against the mids, USD a unit.

        What pays after costs by its own smile stands on quotes that contradict each other; nor may a smaller such gift
        hide the costs, as it can in the money, where the smile stands on the quotes of the other side. A neutral trade
        stands on the view of volatility alone: if that speaks against it, it has no reason. One with a side may lose by
        its own view what trading may cost, and no more.
        """
        if not self.strategy.has_options:
            return None
        if odds.expected_value > 0:
            return "quotes_disagree"
        most = min(summary.max_loss, inf if summary.max_profit is None else summary.max_profit)
        allowed = self.config.max_cost_share * most
        if max(paid, -odds.expected_value) > allowed:
            return "costs_too_much"
        neutral = self.strategy.side == "neutral"
        by_the_view = odds.expected_edge if neutral else odds.expected_value + odds.expected_edge + allowed
        return "no_edge" if by_the_view <= 0 else None

    def _levels(self, legs: tuple[FilledLeg, ...], summary: PayoffSummary, move: float) -> ExitLevels:
        exits = self.strategy.exits
        if exits is None:
            return self._stock_levels(legs)
        loss = min(_dollars(exits.stop, summary, move), summary.max_loss)
        gain = min(_dollars(exits.target, summary, move), inf if summary.max_profit is None else summary.max_profit)
        return ExitLevels(summary.cost + gain, summary.cost - loss, loss, exits.days)

    def _stock_levels(self, legs: tuple[FilledLeg, ...]) -> ExitLevels:
        """Of one share: the configured multiples of the expected move away, never at or below nothing."""
        price, move = (self.stock.price, self.stock.move) if self.stock else (0.0, 0.0)
        sign, distance = legs[0].sign, self.config.stop_sigma * move
        return ExitLevels(
            target=max(0.01, price + sign * self.config.target_sigma * move),
            stop=max(0.01, price - sign * distance),
            stop_loss=distance * sum(leg.shares for leg in legs),
            days=None,
        )


def try_strategy(
    strategy: StrategySpec, view: MarketView, inputs: CandidateInputs, config: TradeConfig
) -> Candidate | str:
    """A candidate within every floor, else the reason why there is none."""
    if not any(leg.instrument_type == "STOCK" for leg in strategy.legs):
        return StrategyEvaluation(strategy, view, None, config).run(inputs)
    if isinstance(inputs.stock, str):
        return inputs.stock
    return StrategyEvaluation(strategy, view, inputs.stock, config).run(inputs)


def _refused(strategy: StrategySpec, summary: PayoffSummary) -> str | None:
    """Why the payoff makes this no trade."""
    if summary.max_loss <= 0:
        return "impossible_quotes"
    if summary.max_profit is None:
        return None
    if summary.max_profit <= 0:
        return "no_profit_possible"
    bounded = summary.max_loss < inf
    return "low_reward" if bounded and summary.max_profit < strategy.min_reward * summary.max_loss else None


def _dollars(share: Share, summary: PayoffSummary, move: float) -> float:
    """A declared share in USD a unit. Where the maximum profit has no bound the premium stands for it."""
    base: dict[Basis, float] = {
        "max_profit": abs(summary.cost) if summary.max_profit is None else summary.max_profit,
        "max_loss": summary.max_loss,
        "premium": abs(summary.cost),
        "expected_move": move,
    }
    return share.share * base[share.of]
