"""Settings become the gateway to the vendors, and what to request of them."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.clock import Time
from gnosis_ray.config import Config, home
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import ReferenceData
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker


def response_cache_dir() -> Path:
    """Where vendors' answers are kept as they come."""
    return (home() / "response_cache").expanduser().resolve()


def beside(config: Config, calendar: SessionCalendar) -> ReferenceData:
    """The symbols that the configured engines read beside those they are asked about."""
    engines = ConfiguredComponents(config).engines(build_adapter(config, calendar))
    return reduce(lambda wanted, engine: wanted.merged(engine.context), engines, ReferenceData())


def build_gateway(config: Config, cache_dir: Path, time: Time) -> Gateway:
    """The gateway to the configured vendors; their keys are read when a vendor is first asked, in this process."""
    return Gateway(
        config.providers,
        config.gateway,
        provider_maker(config.providers),
        ResponseCache(cache_dir),
        windows(config),
        time,
    )
