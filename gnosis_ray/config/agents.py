"""Settings of the agents."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat

from gnosis_ray.config.section import Fraction, Section


class HedgeAgentConfig(Section):
    """Thresholds of the hedge agent."""

    strong_long_gamma_energy: Fraction
    flow_scale: PositiveFloat
    min_flow: NonNegativeFloat
    iv_reversion_per_day: Fraction
    horizon_days: PositiveFloat


class ContinuationConfig(Section):
    """How much of one-sided flow reaches the price, by depth of the book."""

    thin: Fraction
    normal: Fraction
    deep: Fraction


class LiquidityAgentConfig(Section):
    """Thresholds of the liquidity agent."""

    min_ofi: Fraction
    ofi_scale: PositiveFloat
    continuation: ContinuationConfig
    min_impact_t: float
    absorbed_factor: Fraction
    breakout_sigmas: PositiveFloat
    min_void: Fraction
    void_reach_sigma: PositiveFloat
    fake_breakout_conviction: Fraction
    min_magnet: Fraction
    min_pull_sigma: NonNegativeFloat
    magnet_conviction: Fraction
    horizon_days: PositiveFloat


class SentimentAgentConfig(Section):
    """Thresholds of the sentiment agent."""

    min_energy: Fraction
    shock_score: Fraction
    shock_confidence: Fraction
    divergence_score: Fraction
    divergence_sigmas: NonNegativeFloat
    horizon_days: PositiveFloat


class AgentsConfig(Section):
    """Which primary agents run, built-in or plugged in, and the thresholds of the built-in ones."""

    enabled: tuple[str, ...] = Field(min_length=1)
    hedge: HedgeAgentConfig
    liquidity: LiquidityAgentConfig
    sentiment: SentimentAgentConfig


class RegimeAdjustments(Section):
    """Factors on the confidence of a directional stance."""

    thin_liquidity_contrarian: Fraction
    unstable_contrarian: Fraction
    pin: Fraction
    gamma_squeeze_with_trend: PositiveFloat
    gamma_squeeze_against_trend: Fraction


class VolatilityStateConfig(Section):
    """Implied over realised volatility at which options are rich or cheap."""

    rich: PositiveFloat
    cheap: PositiveFloat


class ComposerConfig(Section):
    """Weights of the vote and when it takes a side."""

    weights: dict[str, NonNegativeFloat]
    direction_threshold: Fraction
    opposed_penalty: Fraction
    min_camp: Fraction
    default_horizon_days: PositiveFloat
    regime_adjustments: RegimeAdjustments
    volatility: VolatilityStateConfig
