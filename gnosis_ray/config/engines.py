"""Settings of the engines; each threshold is explained where it is set, in ``default.yaml``."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from gnosis_ray.config.elasticity import ElasticityConfig
from gnosis_ray.config.liquidity import LiquidityConfig
from gnosis_ray.config.section import Fraction, Section, Sign
from gnosis_ray.config.sentiment import SentimentConfig
from gnosis_ray.schemas.core_schemas import EngineKind


class TierConfidence(Section):
    """Trust in each kind of volatility."""

    quoted: Fraction
    last_smile: Fraction


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


class EnginesConfig(Section):
    """Which engines run, and their thresholds."""

    enabled: tuple[EngineKind, ...] = Field(min_length=1)
    hedge: HedgeConfig
    liquidity: LiquidityConfig
    elasticity: ElasticityConfig
    sentiment: SentimentConfig
