"""Which structures fit a stance: by what options cost against what the price does, and by regime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gnosis_ray.config import VolatilityStateConfig
from gnosis_ray.schemas.core_schemas import Action, StandardSnapshot

Volatility = Literal["cheap", "fair", "rich"]
PREFIX = "use_"

SUITED: Mapping[tuple[Action, Volatility | None], tuple[str, ...]] = {
    ("long", "cheap"): ("long_call", "call_debit_spread", "long_stock"),
    ("long", "fair"): ("call_debit_spread", "long_stock"),
    ("long", "rich"): ("bull_put_spread", "covered_call", "long_stock"),
    ("long", None): ("long_stock",),
    ("short", "cheap"): ("long_put", "put_debit_spread", "short_stock"),
    ("short", "fair"): ("put_debit_spread", "short_stock"),
    ("short", "rich"): ("bear_call_spread", "short_stock"),
    ("short", None): ("short_stock",),
    ("flat", "rich"): ("iron_condor",),
    ("flat", "cheap"): ("long_straddle", "long_strangle"),
    ("spread", "rich"): ("iron_condor", "butterfly"),
    ("spread", "fair"): ("butterfly", "calendar_spread"),
    ("spread", "cheap"): ("calendar_spread",),
    ("complex", "fair"): ("long_straddle", "long_strangle"),
    ("complex", "cheap"): ("long_straddle", "long_strangle"),
}
"""Best first: options are bought where they are cheap and sold where they are rich. ``spread`` is a quarrel in a market
that dealers hold (the price stays), ``complex`` one in a market that they chase (it moves, nobody knows where)."""

PINNED: Mapping[Volatility, tuple[str, ...]] = {
    "rich": ("butterfly", "iron_condor"),
    "fair": ("butterfly", "calendar_spread"),
    "cheap": ("calendar_spread",),
}
"""Instead, for a stance without a side while the price is pinned to a wall."""

SHORT_OF_MOVEMENT = frozenset({"iron_condor", "butterfly", "calendar_spread"})
"""They lose in a large move either way: never in a gamma squeeze."""

SHORT_CALLS = frozenset({"covered_call", "bear_call_spread"})
"""They lose, or stop earning, in a rise: never while a gamma squeeze runs up."""


def implied_over_realised(snapshot: StandardSnapshot) -> float | None:
    """30-day at-the-money implied over 20-day Yang-Zhang realised volatility; None where either is unknown."""
    implied, realised = snapshot.hedge.get("atm_iv_30d"), snapshot.elasticity.get("realised_vol_20d")
    return implied / realised if implied and realised else None


def volatility_state(ratio: float | None, config: VolatilityStateConfig) -> Volatility | None:
    """What options cost: ``rich`` above, ``cheap`` below, else ``fair``; None where it is not known."""
    if ratio is None:
        return None
    return "rich" if ratio > config.rich else "cheap" if ratio < config.cheap else "fair"


def hints(action: Action, volatility: Volatility | None, regimes: frozenset[str], trend: float) -> list[str]:
    """Strategies that fit, best first; empty where none does. ``trend``: ``ret_5d``, of which the sign is read."""
    suited = SUITED.get((action, volatility), ())
    if action in ("flat", "spread") and volatility is not None and "pin" in regimes:
        suited = PINNED[volatility]
    if "gamma_squeeze" not in regimes:
        return list(suited)
    barred = SHORT_OF_MOVEMENT | (SHORT_CALLS if trend > 0 else frozenset())
    return [name for name in suited if name not in barred]
