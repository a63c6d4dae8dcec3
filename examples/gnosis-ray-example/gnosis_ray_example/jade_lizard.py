"""A strategy: a short put and a short call spread. It is only a declaration: gnosis-ray does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gnosis_ray.agents.strategies.strategy_spec import AtDelta, Beyond, Exits, LegRule, Share, StrategySpec


def make(settings: Mapping[str, Any]) -> StrategySpec:
    """``delta``: of both short strikes, .25 where it is not given."""
    delta = settings.get("delta", 0.25)
    near = AtDelta(delta, delta - 0.12, delta + 0.12)
    return StrategySpec(
        name="jade_lizard",
        side="long",
        legs=(
            LegRule("P", "sell", near),
            LegRule("C", "sell", near),
            LegRule("C", "buy", Beyond(1, 0.4)),
        ),
        stances=frozenset({"long", "flat"}),
        volatility=frozenset({"fair", "rich"}),
        prefers=frozenset({"rich"}),
        avoids=frozenset({"gamma_squeeze"}),
        short_premium=True,
        exits=Exits(Share("max_profit", 0.5), Share("premium", 1.5), days=7),
        because="dear puts pay for a call spread, so that a rise costs nothing",
    )
