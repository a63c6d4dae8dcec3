"""Settings of the market and of where its data comes from."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Section
from gnosis_ray.schemas.core_schemas import UtcDatetime


class RatePoint(Section):
    """A zero rate for a maturity in days."""

    days: NonNegativeFloat
    rate: float


class ForwardConfig(Section):
    """How the implied forward is found."""

    strike_window: PositiveFloat
    min_strikes: PositiveInt
    min_days: PositiveFloat
    max_spot_gap: PositiveFloat


class ImpliedVolConfig(Section):
    """Which volatility is believed."""

    vendor_min: PositiveFloat
    bisection_tolerance: PositiveFloat
    last_min_volume: NonNegativeFloat
    smile_min_points: PositiveInt
    smile_window: PositiveFloat
    smile_max_residual: PositiveFloat


class MarketConfig(Section):
    """Calendar, rates and volatility rules."""

    calendar: str
    risk_free_curve: tuple[RatePoint, ...] = Field(min_length=1)
    forward: ForwardConfig
    implied_vol: ImpliedVolConfig


class SyntheticConfig(Section):
    """The embedded market."""

    seed: int
    as_of: UtcDatetime


class DataConfig(Section):
    """Where market data comes from."""

    provider: str
    dir: Path | None
    synthetic: SyntheticConfig
