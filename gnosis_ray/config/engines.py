"""Settings of the engines; each threshold is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from gnosis_ray.config.section import Fraction, Section, Sign
from gnosis_ray.schemas.core_schemas import EngineKind


class TierConfidence(Section):
    """Confidence by kind of volatility."""

    quoted: Fraction
    last_smile: Fraction


class CrossAssetConfig(Section):
    """The index and sector option books that are combined with a stock's own, and their weights."""

    market: str
    market_books: tuple[str, ...]
    market_volume: PositiveFloat
    sector_volumes: dict[str, PositiveFloat]
    weight: Fraction
    beta_window: PositiveInt
    min_bars: int = Field(ge=2)
    min_fit_gain: Fraction
    max_age_days: PositiveFloat

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
    near_spot_window: PositiveFloat
    min_open_interest_coverage: Fraction
    min_implied_vol_coverage: Fraction
    energy_scale: PositiveFloat
    squeeze_energy: PositiveFloat
    squeeze_call_window: PositiveFloat
    squeeze_call_share: Fraction
    pin_energy: PositiveFloat
    pin_distance_sigma: PositiveFloat
    pin_max_dte: PositiveFloat
    vanna_skew: PositiveFloat
    profile_span: float = Field(gt=0, lt=1)
    profile_points: PositiveInt
    tier_confidence: TierConfidence
    stale_session_decay: Fraction
    max_bar_age_days: PositiveFloat
    jump_min_days: PositiveFloat
    jump_max_days: PositiveFloat
    jump_max_spread: PositiveFloat
    vix_symbol: str
    vix_dealer_call_sign: Sign
    vix_dealer_put_sign: Sign
    vix_window: PositiveInt
    vix_min_bars: PositiveInt
    vix_half_level: PositiveFloat
    vix_max_age_days: PositiveFloat
    cross_asset: CrossAssetConfig


class LiquidityTiers(Section):
    """Confidence by kind of data."""

    trades_and_quotes: Fraction
    trades: Fraction
    bars: Fraction = Field(le=0.6)


class LiquidityConfig(Section):
    """Windows and thresholds of the liquidity engine; explained where set, in ``default.yaml``."""

    lookback_minutes: PositiveInt
    interval_seconds: PositiveInt
    min_intervals: int = Field(ge=3)
    min_trades: PositiveInt
    quote_lag_us: NonNegativeInt
    vpin_buckets: PositiveInt
    profile_bucket: PositiveFloat
    profile_span: PositiveFloat
    value_area_share: float = Field(gt=0, lt=1)
    node_radius: PositiveInt
    void_share: Fraction
    thin_amihud: PositiveFloat
    thin_spread_bps: PositiveFloat
    one_sided_ofi: float = Field(gt=0, lt=1)
    high_amihud: PositiveFloat
    high_spread_bps: PositiveFloat
    tier_confidence: LiquidityTiers
    max_bar_age_days: PositiveFloat
    max_tape_age_minutes: PositiveFloat
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
    impact_coefficient: PositiveFloat
    floor_share: float = Field(gt=0, le=1)
    unstable_move_pct: PositiveFloat
    kyle_min_t: PositiveFloat
    bias_limit: float = Field(ge=0, le=0.25)
    rsi_oversold: float = Field(gt=0, lt=50)
    rsi_overbought: float = Field(gt=50, lt=100)
    band_overshoot: PositiveFloat
    asymmetric_up_ratio: float = Field(gt=0, le=1)
    asymmetric_down_ratio: float = Field(ge=1)
    high_resistance: PositiveFloat
    low_resistance: PositiveFloat
    stale_after_days: PositiveFloat
    stale_trust: float = Field(ge=0, le=1)
    no_liquidity_trust: float = Field(ge=0, le=1)
    no_hedge_trust: float = Field(ge=0, le=1)
    no_indicators_trust: float = Field(ge=0, le=1)


class NewsSentimentConfig(Section):
    """Weights and windows of headlines and posts."""

    lookback_hours: PositiveInt
    half_life_hours: PositiveFloat
    body_weight: float = Field(ge=0, le=1)
    body_characters: PositiveInt
    max_symbols: PositiveInt
    half_confidence_weight: PositiveFloat
    default_source_weight: Fraction
    source_weights: dict[str, NonNegativeFloat]
    """By lower-case name of the source."""


class FlowSentimentConfig(Section):
    """Thresholds of the day's option volume."""

    moneyness_window: PositiveFloat
    max_dte: PositiveFloat
    call_share: float = Field(gt=0, lt=1)
    delta_call_share: float = Field(gt=0, lt=1)
    unusual_call_share: float = Field(gt=0, lt=1)
    log_odds_scale: PositiveFloat
    prior_contracts: PositiveFloat
    unusual_multiple: PositiveFloat
    unusual_min_volume: PositiveFloat
    min_open_interest_coverage: Fraction
    half_confidence_volume: PositiveFloat
    max_confidence: float = Field(gt=0, le=1)
    stale_session_decay: float = Field(gt=0, le=1)


class TechnicalSentimentConfig(Section):
    """Scales and trust of technical indicators."""

    rsi_span: PositiveFloat
    max_confidence: float = Field(gt=0, le=1)
    max_bar_age_days: PositiveFloat
    stale_confidence: float = Field(ge=0, le=1)


class SentimentConfig(Section):
    """The processors, and when the fused score counts as news, as mixed or as quiet."""

    processors: tuple[str, ...] = Field(min_length=1)
    news: NewsSentimentConfig
    flow: FlowSentimentConfig
    technical: TechnicalSentimentConfig
    news_threshold: PositiveFloat
    quiet_energy: PositiveFloat


class EnginesConfig(Section):
    """Which engines run, and their thresholds."""

    enabled: tuple[EngineKind, ...] = Field(min_length=1)
    hedge: HedgeConfig
    liquidity: LiquidityConfig
    elasticity: ElasticityConfig
    sentiment: SentimentConfig
