"""Settings of the agents, the composer and the trade agent; each is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

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


class TradeConfig(Section):
    """Risk, costs, floors and views of trades. USD; days to expiry are calendar days."""

    strategies: tuple[str, ...] = Field(min_length=1)
    max_ideas: PositiveInt
    equity_usd: PositiveFloat
    risk_fraction: Fraction
    max_risk_usd: PositiveFloat
    max_units: PositiveInt
    max_interest_share: Fraction
    kelly_fraction: Fraction
    min_confidence: Fraction
    neutral_min_confidence: Fraction
    neutral_max_confidence: Fraction
    neutral_when_flat: bool
    volatility_view_scale: PositiveFloat
    event_ratio: PositiveFloat
    information_coefficient: Fraction
    realised_weight: Fraction
    half_spread_bps: NonNegativeFloat
    commission_per_share: NonNegativeFloat
    commission_per_contract: NonNegativeFloat
    fill_share: Fraction
    max_cost_share: PositiveFloat
    stop_sigma: PositiveFloat
    target_sigma: PositiveFloat
    max_price_age_days: PositiveFloat
    max_price_disagreement: PositiveFloat
    min_dte: PositiveFloat
    target_dte: PositiveFloat
    max_dte: PositiveFloat
    far_min_dte: PositiveFloat
    far_max_dte: PositiveFloat
    min_holding_days: PositiveFloat
    max_spread_share: PositiveFloat
    max_spread_usd: NonNegativeFloat
    min_open_interest: NonNegativeFloat
    min_volume: NonNegativeFloat
    open_interest_window: PositiveFloat
    min_open_interest_coverage: Fraction
    smile_max_spread_share: PositiveFloat
    smile_min_strikes: PositiveInt
    max_forward_gap: PositiveFloat

    @model_validator(mode="after")
    def _consistent(self) -> TradeConfig:
        pairs = (("min_dte", "max_dte"), ("far_min_dte", "far_max_dte"))
        for low, high in pairs:
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"Expected {low} at most {high}, were {getattr(self, low)} and {getattr(self, high)}")
        return self
