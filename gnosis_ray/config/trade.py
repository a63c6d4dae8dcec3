"""Settings of the trade agent; each is explained where set, in ``default.yaml``."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from gnosis_ray.config.section import Fraction, Section


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
