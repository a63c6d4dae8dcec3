"""Settings of the agents."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Fraction, Section


class HedgeAgentConfig(Section):
    """Thresholds of the hedge agent."""

    strong_long_gamma_energy: Fraction
    flow_scale: PositiveFloat
    min_flow: NonNegativeFloat
    iv_reversion_per_day: Fraction
    horizon_days: PositiveFloat


class AgentsConfig(Section):
    """Which primary agents run, and their thresholds."""

    enabled: tuple[Literal["hedge"], ...] = Field(min_length=1)
    hedge: HedgeAgentConfig


class ComposerConfig(Section):
    """Weights of the vote and when it takes a side."""

    weights: dict[str, NonNegativeFloat]
    direction_threshold: Fraction
    opposed_penalty: Fraction
    default_horizon_days: PositiveFloat


class TradeConfig(Section):
    """Risk, costs and exits of trades. USD."""

    equity_usd: PositiveFloat
    risk_fraction: Fraction
    max_risk_usd: PositiveFloat
    min_confidence: Fraction
    half_spread_bps: NonNegativeFloat
    commission_per_share: NonNegativeFloat
    stop_sigma: PositiveFloat
    target_sigma: PositiveFloat
    max_price_age_days: PositiveFloat
    max_price_disagreement: PositiveFloat
    max_units: PositiveInt
