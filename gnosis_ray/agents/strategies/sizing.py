"""How many units: risk a trade, a forecast's Kelly fraction, and what the contracts can bear."""

from __future__ import annotations

from math import floor

from gnosis_ray.agents.strategies.figures import Figures
from gnosis_ray.agents.strategies.fills import FilledLeg
from gnosis_ray.agents.strategies.view import View
from gnosis_ray.config import TradeConfig


def units_of(risk: float, figures: Figures, legs: tuple[FilledLeg, ...], view: View, config: TradeConfig) -> int:
    """The least of every cap, as if this were the only trade; 0 where not one unit is affordable.

    ``risk``: USD a unit. With a model's forecast a fraction of Kelly's bet joins the caps: mean over second moment of
    the profit, times equity (Kelly 1956; Thorp 2006, for small edges).
    """
    if not risk > 0:
        return 0
    budget = min(config.risk_fraction * config.equity_usd * view.confidence, config.max_risk_usd)
    caps = [budget / risk, float(config.max_units)]
    if view.forecast_return is not None:
        caps.append(_kelly(figures, config))
    caps += [
        config.max_interest_share * leg.contract.depth / leg.rule.ratio for leg in legs if leg.contract is not None
    ]
    return max(0, floor(min(caps)))


def _kelly(figures: Figures, config: TradeConfig) -> float:
    mean = figures.expected_value + figures.expected_edge
    return config.kelly_fraction * config.equity_usd * mean / figures.variance if figures.variance > 0 else 0.0
