"""A strategy: a short put and a short call spread. It is only a declaration: gnosis-ray does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gnosis_ray as gr


def make(settings: Mapping[str, Any]) -> gr.StrategySpec:
    """``delta``: of both short strikes, .25 where it is not given."""
    rules = gr.strategies
    delta = settings.get("delta", 0.25)
    near = rules.AtDelta(delta, delta - 0.12, delta + 0.12)
    return gr.StrategySpec(
        name="jade_lizard",
        side="long",
        legs=(
            rules.LegRule("P", "sell", near),
            rules.LegRule("C", "sell", near),
            rules.LegRule("C", "buy", rules.Beyond(1, 0.4)),
        ),
        stances=frozenset({"long", "flat"}),
        volatility=frozenset({"fair", "rich"}),
        prefers=frozenset({"rich"}),
        avoids=frozenset({"gamma_squeeze"}),
        short_premium=True,
        exits=rules.Exits(rules.Share("max_profit", 0.5), rules.Share("premium", 1.5), days=7),
        because="dear puts pay for a call spread, so that a rise costs nothing",
    )
