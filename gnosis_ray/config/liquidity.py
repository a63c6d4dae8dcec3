"""Settings of the liquidity engine; each threshold is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from gnosis_ray.config.section import Fraction, Section


class LiquidityTiers(Section):
    """Trust in each kind of data."""

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
