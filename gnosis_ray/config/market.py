"""Settings of the market and of where its data comes from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, NonNegativeFloat, PlainSerializer, PositiveFloat, PositiveInt

from gnosis_ray.config.providers import VENDORS
from gnosis_ray.config.section import Section
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import DataKind, UtcDatetime
from gnosis_ray.storage.location import Location, locate


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


def _store_place(value: Any) -> Any:
    """An address as what it is, so that no slash of it is lost; anything else is left to be a path."""
    if not isinstance(value, str) or "://" not in value:
        return value
    try:
        return locate(value)
    except ConfigError as error:
        raise ValueError(error.message) from error


StorePlace = Annotated[Location, BeforeValidator(_store_place), PlainSerializer(str, return_type=str, when_used="json")]
"""A folder, or ``s3://bucket/prefix``."""


class DataConfig(Section):
    """Where market data comes from."""

    provider: str
    kinds: dict[DataKind, str]
    fetch: tuple[DataKind, ...]
    dir: StorePlace | None
    synthetic: SyntheticConfig

    @property
    def reads_store(self) -> bool:
        """Whether a pass reads the market store: a vendor's answers are stored first, too."""
        return self.provider == "store" or self.provider in VENDORS
