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


class CrossAssetConfig(Section):
    """Which index and sector books are laid beside a stock's own, and how."""

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
        """Whose daily bars a stock's are held against: the market first, then each sector's fund."""
        return (self.market, *sorted(self.sector_volumes))

    @property
    def books(self) -> tuple[str, ...]:
        """Whose chains are read."""
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


class EnginesConfig(Section):
    """Which engines run, and their thresholds."""

    enabled: tuple[EngineKind, ...] = Field(min_length=1)
    hedge: HedgeConfig
    liquidity: LiquidityConfig
    elasticity: ElasticityConfig
    sentiment: SentimentConfig
