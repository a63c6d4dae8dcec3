"""One strategy tried on one market: a candidate trade with all its figures, or the word that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from gnosis_ray.agents.strategies.contracts import ContractBook, ExpiryContracts
from gnosis_ray.agents.strategies.declaration import Basis, Share, Strategy
from gnosis_ray.agents.strategies.figures import Figures, figures_of
from gnosis_ray.agents.strategies.fills import FilledLeg, StockQuote, expiries_of, fill_legs
from gnosis_ray.agents.strategies.legs import choose_contracts
from gnosis_ray.agents.strategies.sizing import units_of
from gnosis_ray.agents.strategies.view import View
from gnosis_ray.config import TradeConfig

UNBOUNDED_STOPS = 3
"""Stop distances that stand for the loss of a trade whose loss has no bound."""


@dataclass(frozen=True)
class Levels:
    """When to leave: what one unit is worth, USD with the sign of its cost (stock alone: the price of a share), the
    loss at the stop in USD a unit, and days before the near expiry (None for stock alone)."""

    target: float
    stop: float
    stop_loss: float
    days: int | None


@dataclass(frozen=True, eq=False)
class Candidate:
    """A strategy with contracts, fills, figures, exits and size; ``risk`` is the loss that sized it, USD a unit."""

    strategy: Strategy
    legs: tuple[FilledLeg, ...]
    figures: Figures
    levels: Levels
    risk: float
    units: int
    fit: int

    @property
    def reward_to_risk(self) -> float:
        """(expected value + expected edge) / risk."""
        return (self.figures.expected_value + self.figures.expected_edge) / self.risk


@dataclass(frozen=True, eq=False)
class Market:
    """What there is to trade with. A word in place of either says why it is missing."""

    book: ContractBook | str
    stock: StockQuote | str


def try_strategy(strategy: Strategy, view: View, market: Market, config: TradeConfig) -> Candidate | str:
    """The best expiry that gives a trade within every floor; else the reason of the one that came furthest."""
    needs_stock = any(leg.instrument_type == "STOCK" for leg in strategy.legs)
    if needs_stock and isinstance(market.stock, str):
        return market.stock
    stock = None if isinstance(market.stock, str) else market.stock
    if not strategy.has_options:
        return _assess(
            strategy, fill_legs(strategy.legs, (None,) * len(strategy.legs), stock, config), view, stock, config
        )
    if isinstance(market.book, str):
        return market.book
    reasons = []
    for near, far in _expiries(strategy, market.book, config):
        contracts = choose_contracts(strategy, near, far)
        if contracts is None:
            reasons.append("no_contracts")
            continue
        found = _assess(strategy, fill_legs(strategy.legs, contracts, stock, config), view, stock, config)
        if not isinstance(found, str):
            return found
        reasons.append(found)
    assessed = [reason for reason in reasons if reason != "no_contracts"]
    return (assessed or reasons or ["no_expiry"])[0]


def _expiries(
    strategy: Strategy, book: ContractBook, config: TradeConfig
) -> list[tuple[ExpiryContracts, ExpiryContracts | None]]:
    """Expiries, or pairs of them, in order of preference; none that would be left as soon as it is entered."""
    days = strategy.exits.days if strategy.exits else 0
    near = [expiry for expiry in book.near() if expiry.dte - days >= config.min_holding_days]
    if not strategy.needs_far:
        return [(expiry, None) for expiry in near]
    return [(expiry, far) for expiry in near for far in book.far(expiry)[:1]]


def _assess(
    strategy: Strategy, legs: tuple[FilledLeg, ...], view: View, stock: StockQuote | None, config: TradeConfig
) -> Candidate | str:
    if any(leg.price <= 0 for leg in legs):
        return "worthless_leg"
    figures = figures_of(legs, view, stock.move if stock else None)
    refused = _refused(strategy, figures, config)
    if refused:
        return refused
    levels = _levels(strategy, legs, figures, stock, config)
    risk = figures.summary.max_loss if figures.summary.max_loss < inf else UNBOUNDED_STOPS * levels.stop_loss
    units = units_of(risk, figures, legs, view, config)
    return (
        Candidate(strategy, legs, figures, levels, risk, units, strategy.fit(view.state, view.tags))
        if units
        else "zero_units"
    )


def _refused(strategy: Strategy, figures: Figures, config: TradeConfig) -> str | None:
    """Why the figures make this no trade."""
    summary = figures.summary
    if summary.max_loss <= 0:
        return "impossible_quotes"
    if summary.max_profit is not None and summary.max_profit <= 0:
        return "no_profit_possible"
    if summary.max_profit is not None and summary.max_profit < strategy.min_reward * summary.max_loss:
        return "low_reward"
    bounded = min(summary.max_loss, inf if summary.max_profit is None else summary.max_profit)
    if strategy.has_options and -figures.expected_value > config.max_cost_share * bounded:
        return "costs_too_much"
    return None


def _levels(
    strategy: Strategy, legs: tuple[FilledLeg, ...], figures: Figures, stock: StockQuote | None, config: TradeConfig
) -> Levels:
    if strategy.exits is None:
        return _stock_levels(legs, stock, config)
    summary = figures.summary
    gain = _dollars(strategy.exits.target, figures)
    loss = min(_dollars(strategy.exits.stop, figures), summary.max_loss)
    if summary.max_profit is not None:
        gain = min(gain, summary.max_profit)
    return Levels(summary.cost + gain, summary.cost - loss, loss, strategy.exits.days if expiries_of(legs) else None)


def _stock_levels(legs: tuple[FilledLeg, ...], stock: StockQuote | None, config: TradeConfig) -> Levels:
    """Of one share: the configured multiples of the expected move away, never at or below nothing."""
    price, move = (stock.price, stock.move) if stock else (0.0, 0.0)
    sign = legs[0].sign
    distance = config.stop_sigma * move
    return Levels(
        target=max(0.01, price + sign * config.target_sigma * move),
        stop=max(0.01, price - sign * distance),
        stop_loss=distance * sum(leg.shares for leg in legs),
        days=None,
    )


def _dollars(share: Share, figures: Figures) -> float:
    """A declared share in USD a unit. Where the maximum profit has no bound the premium stands for it."""
    summary = figures.summary
    most = abs(summary.cost) if summary.max_profit is None else summary.max_profit
    base: dict[Basis, float] = {
        "max_profit": most,
        "max_loss": summary.max_loss,
        "premium": abs(summary.cost),
        "expected_move": figures.expected_move,
    }
    return share.share * base[share.of]
