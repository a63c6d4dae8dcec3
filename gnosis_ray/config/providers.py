"""Settings of the vendors of market data. Their keys are no settings: see :mod:`gnosis_ray.security`."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Section


class VendorConfig(Section):
    """Where one vendor answers and how fast it may be asked."""

    base_url: str
    requests_per_minute: PositiveFloat
    burst: PositiveInt
    max_in_flight: PositiveInt
    timeout_s: PositiveFloat


class AlpacaConfig(VendorConfig):
    """Which of Alpaca's feeds a plan includes."""

    feed: Literal["sip", "iex"]
    latest_feed: Literal["sip", "iex", "delayed_sip"]
    options_feed: Literal["opra", "indicative"]
    delay_minutes: NonNegativeFloat


class CcxtConfig(VendorConfig):
    """Which exchange is asked, by its name in ccxt."""

    exchange: str


class ProvidersConfig(Section):
    """Every vendor that is built in."""

    cboe: VendorConfig
    yahoo: VendorConfig
    massive: VendorConfig
    tradier: VendorConfig
    alpaca: AlpacaConfig
    ccxt: CcxtConfig


VENDORS: tuple[str, ...] = tuple(ProvidersConfig.model_fields)
"""Their names."""


class GatewayConfig(Section):
    """How patiently vendors are asked, and when they are given up."""

    attempts: PositiveInt
    backoff_s: PositiveFloat
    max_backoff_s: PositiveFloat
    max_retry_after_s: NonNegativeFloat
    breaker_failures: PositiveInt
    breaker_reset_s: PositiveFloat
    reuse_s: NonNegativeFloat
    deadline_s: PositiveFloat
