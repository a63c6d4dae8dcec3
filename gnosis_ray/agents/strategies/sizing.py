"""How many units: risk a trade, a forecast's Kelly fraction, and what the contracts can bear."""

from __future__ import annotations

from math import floor

from gnosis_ray.agents.strategies.fills import FilledLeg
from gnosis_ray.agents.strategies.market_view import MarketView
from gnosis_ray.config import TradeConfig


def affordable_units(risk: float, legs: tuple[FilledLeg, ...], view: MarketView, config: TradeConfig) -> int:
    """The least of every cap, as if this were the only trade; 0 where not one unit is affordable.

    ``risk``: USD a unit that are taken to be lost.
    """
    if not risk > 0:
        return 0
    budget = min(config.risk_fraction * config.equity_usd * view.confidence, config.max_risk_usd)
    depths = [leg.contract.depth / leg.rule.ratio for leg in legs if leg.contract is not None]
    caps = [budget / risk, float(config.max_units), *(config.max_interest_share * depth for depth in depths)]
    return floor(min(caps))


def kelly_units(mean: float, variance: float, config: TradeConfig) -> int:
    """A fraction of Kelly's bet: mean over second moment of the profit, times equity (Kelly 1956; Thorp 2006, for
    edges small against the risk). ``mean`` USD and ``variance`` USD squared a unit; 0 where nothing is to be gained."""
    bet = config.kelly_fraction * config.equity_usd * mean / variance if variance > 0 else 0.0
    return max(0, floor(bet))
