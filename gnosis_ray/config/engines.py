"""Settings of the engines; each threshold is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gnosis_ray.config.section import (
    Count,
    Days,
    Fraction,
    Hours,
    InnerFraction,
    Minutes,
    Names,
    NonNegativeRatio,
    PositiveFraction,
    Quantity,
    Ratio,
    Section,
    Sign,
    SmallCount,
    Text,
    Window,
    each_once,
)
from gnosis_ray.schemas.core_schemas import EngineKind


class TierConfidence(Section):
    """Confidence by kind of volatility."""

    quoted: Fraction
    last_smile: Fraction


class CrossAssetConfig(Section):
    """The index and sector option books that are combined with a stock's own, and their weights."""

    market: Text
    market_books: tuple[Text, ...]
    market_volume: Quantity
    sector_volumes: dict[Text, Quantity]
    weight: Fraction
    beta_window: Annotated[int, Field(ge=2, le=10_000)]
    min_bars: Annotated[int, Field(ge=2, le=10_000)]
    min_fit_gain: Fraction
    max_age_days: Days

    @property
    def baskets(self) -> tuple[str, ...]:
        """Symbols whose daily bars betas are estimated on: the market first, then each sector's fund."""
        return (self.market, *sorted(self.sector_volumes))

    @property
    def books(self) -> tuple[str, ...]:
        """Symbols whose chains are read."""
        return (*self.market_books, *sorted(self.sector_volumes))


class HedgeConfig(Section):
    """Thresholds of the hedge engine; explained where set, in ``default.yaml``."""

    dealer_call_sign: Sign
    dealer_put_sign: Sign
    near_spot_window: Window
    min_open_interest_coverage: Fraction
    min_implied_vol_coverage: Fraction
    energy_scale: Ratio
    squeeze_energy: Ratio
    squeeze_call_window: Window
    squeeze_call_share: Fraction
    pin_energy: Ratio
    pin_distance_sigma: Ratio
    pin_max_dte: Days
    vanna_skew: Ratio
    profile_span: InnerFraction
    profile_points: Annotated[int, Field(ge=3, le=10_001)]
    tier_confidence: TierConfidence
    stale_session_decay: Fraction
    max_bar_age_days: Days
    jump_min_days: Days
    jump_max_days: Days
    jump_max_spread: Ratio
    vix_symbol: Text
    vix_dealer_call_sign: Sign
    vix_dealer_put_sign: Sign
    vix_window: Annotated[int, Field(ge=1, le=10_000)]
    vix_min_bars: Annotated[int, Field(ge=1, le=10_000)]
    vix_half_level: Ratio
    vix_max_age_days: Days
    cross_asset: CrossAssetConfig


class LiquidityTiers(Section):
    """Confidence by kind of data."""

    trades_and_quotes: Fraction
    trades: Fraction
    bars: Annotated[float, Field(ge=0, le=0.6)]


class LiquidityConfig(Section):
    """Windows and thresholds of the liquidity engine; explained where set, in ``default.yaml``."""

    lookback_minutes: Annotated[int, Field(ge=1, le=10_080)]
    interval_seconds: Annotated[int, Field(ge=1, le=86_400)]
    min_intervals: Annotated[int, Field(ge=3, le=10_000)]
    min_trades: Count
    quote_lag_us: Annotated[int, Field(ge=0, le=60_000_000)]
    vpin_buckets: Annotated[int, Field(ge=1, le=10_000)]
    profile_bucket: Annotated[float, Field(ge=0.0001, le=0.1)]
    profile_span: Window
    value_area_share: InnerFraction
    node_radius: SmallCount
    void_share: Fraction
    thin_amihud: Ratio
    thin_spread_bps: Ratio
    one_sided_ofi: InnerFraction
    high_amihud: Ratio
    high_spread_bps: Ratio
    tier_confidence: LiquidityTiers
    max_bar_age_days: Days
    max_tape_age_minutes: Minutes
    stale_factor: Fraction
    no_bars_factor: Fraction

    @model_validator(mode="after")
    def _consistent(self) -> LiquidityConfig:
        if self.high_amihud >= self.thin_amihud:
            raise ValueError(f"Expected high_amihud below thin_amihud, were {self.high_amihud} and {self.thin_amihud}")
        return self


class ElasticityConfig(Section):
    """Basis, thresholds and trust of the elasticity engine; explained where set, in ``default.yaml``."""

    liquidity_basis: Literal["sqrt"]
    impact_coefficient: Ratio
    floor_share: PositiveFraction
    unstable_move_pct: Ratio
    kyle_min_t: Ratio
    bias_limit: float = Field(ge=0, le=0.25)
    rsi_oversold: float = Field(gt=0, lt=50)
    rsi_overbought: float = Field(gt=50, lt=100)
    band_overshoot: Ratio
    asymmetric_up_ratio: PositiveFraction
    asymmetric_down_ratio: Annotated[float, Field(ge=1, le=100)]
    high_resistance: Ratio
    low_resistance: Ratio
    stale_after_days: Days
    stale_trust: Fraction
    no_liquidity_trust: Fraction
    no_hedge_trust: Fraction
    no_indicators_trust: Fraction


class NewsSentimentConfig(Section):
    """Weights and windows of headlines and posts."""

    lookback_hours: Annotated[int, Field(ge=1, le=8_760)]
    half_life_hours: Hours
    body_weight: Fraction
    body_characters: Count
    max_symbols: SmallCount
    half_confidence_weight: Ratio
    default_source_weight: Fraction
    source_weights: dict[Text, NonNegativeRatio]
    """By lower-case name of the source."""


class FlowSentimentConfig(Section):
    """Thresholds of the day's option volume."""

    moneyness_window: Window
    max_dte: Days
    call_share: InnerFraction
    delta_call_share: InnerFraction
    unusual_call_share: InnerFraction
    log_odds_scale: Ratio
    prior_contracts: Quantity
    unusual_multiple: Ratio
    unusual_min_volume: Quantity
    min_open_interest_coverage: Fraction
    half_confidence_volume: Quantity
    max_confidence: PositiveFraction
    stale_session_decay: PositiveFraction


class TechnicalSentimentConfig(Section):
    """Scales and trust of technical indicators."""

    rsi_span: Ratio
    max_confidence: PositiveFraction
    max_bar_age_days: Days
    stale_confidence: Fraction


class SentimentConfig(Section):
    """The processors, and when the fused score counts as news, as mixed or as quiet."""

    processors: Names
    news: NewsSentimentConfig
    flow: FlowSentimentConfig
    technical: TechnicalSentimentConfig
    news_threshold: Ratio
    quiet_energy: Ratio


class EnginesConfig(Section):
    """Which engines run, and their thresholds."""

    enabled: Annotated[tuple[EngineKind, ...], Field(min_length=1), AfterValidator(each_once)]
    hedge: HedgeConfig
    liquidity: LiquidityConfig
    elasticity: ElasticityConfig
    sentiment: SentimentConfig
