"""Settings of the agents, the composer and the trade agent; each is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gnosis_ray.config.section import (
    Count,
    Days,
    Dollars,
    Fraction,
    Names,
    NonNegativeDollars,
    NonNegativeQuantity,
    NonNegativeRatio,
    Ratio,
    Section,
    SmallCount,
    Text,
    Window,
)


class HedgeAgentConfig(Section):
    """Thresholds of the hedge agent."""

    strong_long_gamma_energy: Fraction
    flow_scale: Ratio
    min_flow: NonNegativeRatio
    iv_reversion_per_day: Fraction
    horizon_days: Days


class ContinuationConfig(Section):
    """How much of one-sided flow reaches the price, by depth of the book."""

    thin: Fraction
    normal: Fraction
    deep: Fraction


class LiquidityAgentConfig(Section):
    """Thresholds of the liquidity agent."""

    min_ofi: Fraction
    ofi_scale: Ratio
    continuation: ContinuationConfig
    min_impact_t: Annotated[float, Field(ge=-100, le=100)]
    absorbed_factor: Fraction
    breakout_sigmas: Ratio
    min_void: Fraction
    void_reach_sigma: Ratio
    fake_breakout_conviction: Fraction
    min_magnet: Fraction
    min_pull_sigma: NonNegativeRatio
    magnet_conviction: Fraction
    horizon_days: Days


class SentimentAgentConfig(Section):
    """Thresholds of the sentiment agent."""

    min_energy: Fraction
    shock_score: Fraction
    shock_confidence: Fraction
    divergence_score: Fraction
    divergence_sigmas: NonNegativeRatio
    horizon_days: Days


class AgentsConfig(Section):
    """Which primary agents run, built-in or plugged in, and the thresholds of the built-in ones."""

    enabled: Names
    hedge: HedgeAgentConfig
    liquidity: LiquidityAgentConfig
    sentiment: SentimentAgentConfig


class RegimeAdjustments(Section):
    """Factors on the confidence of a directional stance."""

    thin_liquidity_contrarian: Fraction
    unstable_contrarian: Fraction
    pin: Fraction
    gamma_squeeze_with_trend: Ratio
    gamma_squeeze_against_trend: Fraction


class VolatilityStateConfig(Section):
    """Implied over realised volatility at which options are rich or cheap."""

    rich: Ratio
    cheap: Ratio


class ComposerConfig(Section):
    """Weights of the vote and when it takes a side."""

    weights: dict[Text, NonNegativeRatio]
    direction_threshold: Fraction
    opposed_penalty: Fraction
    min_camp: Fraction
    default_horizon_days: Days
    regime_adjustments: RegimeAdjustments
    volatility: VolatilityStateConfig


class TradeConfig(Section):
    """Risk, costs, floors and views of trades. USD; days to expiry are calendar days."""

    strategies: Names
    max_ideas: SmallCount
    equity_usd: Dollars
    risk_fraction: Fraction
    max_risk_usd: Dollars
    max_units: Count
    max_interest_share: Fraction
    kelly_fraction: Fraction
    min_confidence: Fraction
    neutral_min_confidence: Fraction
    neutral_max_confidence: Fraction
    neutral_when_flat: bool
    volatility_view_scale: Ratio
    event_ratio: Ratio
    information_coefficient: Fraction
    realised_weight: Fraction
    half_spread_bps: NonNegativeRatio
    commission_per_share: NonNegativeDollars
    commission_per_contract: NonNegativeDollars
    fill_share: Fraction
    max_cost_share: Ratio
    stop_sigma: Ratio
    target_sigma: Ratio
    max_price_age_days: Days
    max_price_disagreement: Window
    min_dte: Days
    target_dte: Days
    max_dte: Days
    far_min_dte: Days
    far_max_dte: Days
    min_holding_days: Days
    max_spread_share: Ratio
    max_spread_usd: NonNegativeDollars
    min_open_interest: NonNegativeQuantity
    min_volume: NonNegativeQuantity
    open_interest_window: Window
    min_open_interest_coverage: Fraction
    smile_max_spread_share: Ratio
    smile_min_strikes: SmallCount
    max_forward_gap: Window

    @model_validator(mode="after")
    def _consistent(self) -> TradeConfig:
        pairs = (("min_dte", "max_dte"), ("far_min_dte", "far_max_dte"))
        for low, high in pairs:
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"Expected {low} at most {high}, were {getattr(self, low)} and {getattr(self, high)}")
        return self
