"""Settings of the market: its rules, where its data comes from, vendors, and thresholds of ``data verify``."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from gnosis_ray.config.section import (
    Count,
    Days,
    Fraction,
    Hours,
    Minutes,
    NonNegativeDays,
    NonNegativeMinutes,
    NonNegativeQuantity,
    NonNegativeSeconds,
    PositiveFraction,
    Quantity,
    Rate,
    Ratio,
    Seconds,
    Section,
    SmallCount,
    Text,
    Window,
    each_once,
)
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import DataKind, UtcDatetime
from gnosis_ray.storage.location import Location, locate


def _address(text: str) -> str:
    """An address of the web, or an empty text. Raises ValueError for another."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or not text.isprintable():
        raise ValueError("an address such as https://api.tradier.com, without user and password, or an empty text")
    return text


class VendorConfig(Section):
    """Address and rate limits of one vendor. Its key is no setting: see :mod:`gnosis_ray.security`."""

    base_url: Annotated[str, Field(max_length=500), AfterValidator(_address)]
    requests_per_minute: Annotated[float, Field(gt=0, le=100_000)]
    burst: Annotated[int, Field(ge=1, le=10_000)]
    max_in_flight: SmallCount
    timeout_s: Seconds
    max_answer_mib: Annotated[int, Field(ge=1, le=1_024)]


class AlpacaConfig(VendorConfig):
    """The feeds of Alpaca that the user's plan includes."""

    feed: Literal["sip", "iex"]
    latest_feed: Literal["sip", "iex", "delayed_sip"]
    options_feed: Literal["opra", "indicative"]
    delay_minutes: NonNegativeMinutes


class CcxtConfig(VendorConfig):
    """The exchange, by its name in ccxt."""

    exchange: Text


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

    attempts: Annotated[int, Field(ge=1, le=100)]
    backoff_s: Seconds
    max_backoff_s: Seconds
    max_retry_after_s: NonNegativeSeconds
    breaker_failures: SmallCount
    breaker_reset_s: Seconds
    reuse_s: NonNegativeSeconds
    deadline_s: Seconds
    max_requests: Annotated[int, Field(ge=1, le=100_000)]
    max_rows: Annotated[int, Field(ge=1, le=100_000_000)]


class RatePoint(Section):
    """A zero rate for a maturity in days."""

    days: NonNegativeDays
    rate: Rate


class ForwardConfig(Section):
    """Rules for the implied forward of an expiry."""

    strike_window: Window
    min_strikes: SmallCount
    min_days: Days
    max_spot_gap: Window


class ImpliedVolConfig(Section):
    """Rules for the selection of implied volatilities."""

    vendor_min: Window
    bisection_tolerance: Window
    last_min_volume: NonNegativeQuantity
    smile_min_points: SmallCount
    smile_window: Window
    smile_max_residual: Ratio


class MarketConfig(Section):
    """Calendar, rates and volatility rules."""

    calendar: Text
    risk_free_curve: tuple[RatePoint, ...] = Field(min_length=1)
    forward: ForwardConfig
    implied_vol: ImpliedVolConfig

    @model_validator(mode="after")
    def _consistent(self) -> MarketConfig:
        days = [point.days for point in self.risk_free_curve]
        if any(later <= earlier for earlier, later in pairwise(days)):
            raise ValueError(f"Expected the days of risk_free_curve in ascending order, were {days}")
        return self


FIRST_YEAR, LAST_YEAR = 1990, 2100
"""The years that moments may be of: there is no option market before, and no calendar after."""


def _covered(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


class SyntheticConfig(Section):
    """The synthetic market: its seed and its present."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    as_of: Annotated[UtcDatetime, AfterValidator(_covered)]


def _store_place(value: Any) -> Any:
    """Parse an address before pydantic makes a path of it and drops a slash; leave anything else to be a path."""
    if isinstance(value, str) and (not value.strip() or not value.isprintable()):
        raise ValueError("a folder")
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

    max_mib: Annotated[int, Field(ge=1, le=1_048_576)]
    max_rows: Annotated[int, Field(ge=1, le=10_000_000_000)]


class DataConfig(Section):
    """Where market data comes from."""

    provider: Text
    kinds: dict[DataKind, Text]
    fetch: Annotated[tuple[DataKind, ...], AfterValidator(each_once)]
    dir: StorePlace | None = Field(description="a folder, an address such as s3://bucket/prefix, or null")
    files: FileLimits
    synthetic: SyntheticConfig

    @property
    def reads_store(self) -> bool:
        """Whether a pass reads the market store; it does for vendors too, whose responses are stored first."""
        return self.provider == "store" or self.provider in VENDORS


class ChainQuality(Section):
    """Thresholds of option chains."""

    min_contracts: Count
    min_two_sided: Fraction
    min_open_interest_per_contract: Quantity
    max_implied_vol: Ratio
    intrinsic_tolerance: Window
    intrinsic_max_days: Annotated[int, Field(ge=1, le=3_650)]
    max_spot_gap: Window
    stale_share: PositiveFraction
    min_kept: Fraction


class BarQuality(Section):
    """Thresholds of daily bars."""

    min_history: Annotated[int, Field(ge=1, le=10_000)]
    max_sessions_behind: SmallCount
    split_tolerance: Window
    outlier_scales: Ratio
    outlier_move: Ratio
    outlier_window: Annotated[int, Field(ge=1, le=10_001)]
    adjustment_jump: Ratio


class TapeQuality(Section):
    """Thresholds of trades and quotes."""

    max_spread: Ratio
    max_silence_minutes: Minutes
    outlier_distance: Window
    outlier_window: Annotated[int, Field(ge=1, le=10_001)]


class NewsQuality(Section):
    """Thresholds of news."""

    late_hours: Hours


class QualityConfig(Section):
    """All thresholds of ``gnosis-ray data verify``."""

    chains: ChainQuality
    bars: BarQuality
    tape: TapeQuality
    news: NewsQuality
