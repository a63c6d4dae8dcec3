"""What the market's regimes make of a side: factors on its confidence, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from gnosis_ray.config import RegimeAdjustments
from gnosis_ray.schemas.core_schemas import StandardSnapshot


@dataclass(frozen=True)
class Adjustment:
    """A factor, and why in a few words."""

    factor: float
    why: str


def regimes_of(snapshot: StandardSnapshot) -> frozenset[str]:
    """Every engine's regime."""
    return frozenset(summary.regime for summary in snapshot.engines.values() if summary.regime is not None)


def adjustments(snapshot: StandardSnapshot, side: int, config: RegimeAdjustments) -> list[Adjustment]:
    """Factors on a stance that looks to ``side`` (1 or -1), in a fixed order.

    They depend on the market and on the side alone, never on who voted: so agreement cannot lower a confidence.
    """
    regimes = regimes_of(snapshot)
    trend = snapshot.elasticity.get("ret_5d", 0.0) * side
    against = f"against the five-day move of {snapshot.elasticity.get('ret_5d', 0.0):+.1%}"
    squeezed = "gamma_squeeze" in regimes
    rules = [
        (
            trend < 0 and "thin_liquidity" in regimes,
            Adjustment(config.thin_liquidity_contrarian, f"{against} in a thin book"),
        ),
        (
            trend < 0 and snapshot.elasticity.get("unstable", 0.0) > 0,
            Adjustment(config.unstable_contrarian, f"{against}, which dealers would complete by themselves"),
        ),
        ("pin" in regimes, Adjustment(config.pin, "the price is pinned to its wall")),
        (squeezed and trend > 0, Adjustment(config.gamma_squeeze_with_trend, "a gamma squeeze runs this way")),
        (squeezed and trend < 0, Adjustment(config.gamma_squeeze_against_trend, "a gamma squeeze runs the other way")),
    ]
    return [adjustment for applies, adjustment in rules if applies]
