"""Which strategies suit a view, and which of the candidates are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gnosis_ray.agents.strategies.candidate import Candidate
from gnosis_ray.agents.strategies.market_view import MarketView
from gnosis_ray.agents.strategies.strategy_spec import StrategySpec
from gnosis_ray.config import TradeConfig
from gnosis_ray.errors import ConfigError, nearest_hint


def select_by_name(strategies: Iterable[StrategySpec], names: Sequence[str]) -> tuple[StrategySpec, ...]:
    """The strategies of these names, each once, in the order of the names. Raises ConfigError for an unknown one."""
    known = {strategy.name: strategy for strategy in strategies}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"Unknown strategy '{unknown[0]}' in trade.strategies. {nearest_hint(unknown[0], sorted(known))}"
        )
    return tuple(known[name] for name in dict.fromkeys(names))


def unsuitable(strategy: StrategySpec, view: MarketView, config: TradeConfig) -> str | None:
    """Why the view does not call for this strategy; None where it does.

    A flat stance takes only what the composer hints at.
    """
    if view.action not in strategy.stances:
        return f"stance_{view.action}"
    if view.action == "flat" and not (config.neutral_when_flat and strategy.hinted(view.tags)):
        return "stance_flat"
    if strategy.forbids & view.tags:
        return f"regime_{min(strategy.forbids & view.tags)}"
    if (view.state or "fair") not in strategy.volatility:
        return f"volatility_{view.state or 'unknown'}"
    return None


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first: by preferences met, then by expected value and edge over risk, then by name."""
    return sorted(candidates, key=lambda c: (-c.fit, -c.reward_to_risk, c.strategy.name))
