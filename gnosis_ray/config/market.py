"""Settings of the market: its rules, where its data comes from, vendors, and thresholds of ``data verify``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, PlainSerializer, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Section
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import DataKind, UtcDatetime
from gnosis_ray.storage.location import Location, locate


class VendorConfig(Section):
    """Address and rate limits of one vendor. Its key is no setting: see :mod:`gnosis_ray.security`."""

    base_url: str
    requests_per_minute: PositiveFloat
    burst: PositiveInt
    max_in_flight: PositiveInt
    timeout_s: PositiveFloat
    max_answer_mib: int = Field(gt=0, le=1024)


class AlpacaConfig(VendorConfig):
    """The feeds of Alpaca that the user's plan includes."""

    feed: Literal["sip", "iex"]
    latest_feed: Literal["sip", "iex", "delayed_sip"]
    options_feed: Literal["opra", "indicative"]
    delay_minutes: NonNegativeFloat


class CcxtConfig(VendorConfig):
    """The exchange, by its name in ccxt."""

    exchange: str


class ProvidersConfig(Section):
    """Every built-in vendor."""

    cboe: VendorConfig
    yahoo: VendorConfig
    massive: VendorConfig
    tradier: VendorConfig
    alpaca: AlpacaConfig
    ccxt: CcxtConfig


VENDORS: tuple[str, ...] = tuple(ProvidersConfig.model_fields)
"""Their names."""


class GatewayConfig(Section):
    """Retries, circuit breaker, deadline, and the most that is fetched of one kind of one symbol."""

    attempts: PositiveInt
    backoff_s: PositiveFloat
    max_backoff_s: PositiveFloat
    max_retry_after_s: NonNegativeFloat
    breaker_failures: PositiveInt
    breaker_reset_s: PositiveFloat
    reuse_s: NonNegativeFloat
    deadline_s: PositiveFloat
    max_requests: int = Field(gt=0, le=100_000)
    max_rows: int = Field(gt=0, le=100_000_000)


class RatePoint(Section):
    """A zero rate for a maturity in days."""

    days: NonNegativeFloat
    rate: float


class ForwardConfig(Section):
    """Rules for the implied forward of an expiry."""

    strike_window: PositiveFloat
    min_strikes: PositiveInt
    min_days: PositiveFloat
    max_spot_gap: PositiveFloat


class ImpliedVolConfig(Section):
    """Rules for the selection of implied volatilities."""

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
    """The synthetic market: its seed and its present."""

    seed: int
    as_of: UtcDatetime


def _store_place(value: Any) -> Any:
    """Parse an address before pydantic makes a path of it and drops a slash; leave anything else to be a path."""
    if not isinstance(value, str) or "://" not in value:
        return value
    try:
        return locate(value)
    except ConfigError as error:
        raise ValueError(error.message) from error


StorePlace = Annotated[Location, BeforeValidator(_store_place), PlainSerializer(str, return_type=str, when_used="json")]
"""A folder, or ``s3://bucket/prefix``."""


class FileLimits(Section):
    """The most that is read of one file to import: bytes, unpacked, and rows."""

    max_mib: int = Field(gt=0, le=1 << 20)
    max_rows: int = Field(gt=0, le=10_000_000_000)


class DataConfig(Section):
    """Where market data comes from."""

    provider: str
    kinds: dict[DataKind, str]
    fetch: tuple[DataKind, ...]
    dir: StorePlace | None
    files: FileLimits
    synthetic: SyntheticConfig

    @property
    def reads_store(self) -> bool:
        """Whether a pass reads the market store; it does for vendors too, whose responses are stored first."""
        return self.provider == "store" or self.provider in VENDORS


class ChainQuality(Section):
    """Thresholds of option chains."""

    min_contracts: PositiveInt
    min_two_sided: float = Field(ge=0, le=1)
    min_open_interest_per_contract: PositiveFloat
    max_implied_vol: PositiveFloat
    intrinsic_tolerance: PositiveFloat
    intrinsic_max_days: PositiveInt
    max_spot_gap: PositiveFloat
    stale_share: float = Field(gt=0, le=1)
    min_kept: float = Field(ge=0, le=1)


class BarQuality(Section):
    """Thresholds of daily bars."""

    min_history: PositiveInt
    max_sessions_behind: PositiveInt
    split_tolerance: PositiveFloat
    outlier_scales: PositiveFloat
    outlier_move: PositiveFloat
    outlier_window: PositiveInt
    adjustment_jump: PositiveFloat


class TapeQuality(Section):
    """Thresholds of trades and quotes."""

    max_spread: PositiveFloat
    max_silence_minutes: PositiveFloat
    outlier_distance: PositiveFloat
    outlier_window: PositiveInt


class NewsQuality(Section):
    """Thresholds of news."""

    late_hours: PositiveFloat


class QualityConfig(Section):
    """All thresholds of ``gnosis-ray data verify``."""

    chains: ChainQuality
    bars: BarQuality
    tape: TapeQuality
    news: NewsQuality
