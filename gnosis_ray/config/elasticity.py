"""Settings of the elasticity engine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat

from gnosis_ray.config.section import Section


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
