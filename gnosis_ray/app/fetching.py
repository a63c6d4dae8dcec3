"""Settings become the gateway to the vendors, and what to request of them."""

from __future__ import annotations

from pathlib import Path

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.clock import Time
from gnosis_ray.config import Config, home
from gnosis_ray.market.adapters import EmptyAdapter
from gnosis_ray.market.data_requirements import DataRequirements, merge_requirements
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker


def response_cache_dir() -> Path:
    """Where vendors' answers are kept as they come."""
    return (home() / "response_cache").expanduser().resolve()


def reference_symbols(config: Config) -> tuple[str, ...]:
    """The symbols that the configured engines read besides those they are asked about, sorted."""
    engines = ConfiguredComponents(config).engines(EmptyAdapter())
    return merge_requirements(engine.data_requirements for engine in engines).reference.symbols


def fetch_requirements(config: Config) -> DataRequirements:
    """How far back to fetch: enough for every built-in engine, enabled or not, and for the configured ones.

    What is fetched is stored: later runs may enable other engines, and a day's requests are the same for all of them.
    """
    components, nothing = ConfiguredComponents(config), EmptyAdapter()
    engines = [*components.built_in_engines(nothing), *components.engines(nothing)]
    return merge_requirements(engine.data_requirements for engine in engines)


def build_gateway(config: Config, cache_dir: Path, time: Time) -> Gateway:
    """The gateway to the configured vendors; their keys are read when a vendor is first asked, in this process."""
    return Gateway(
        config.providers,
        config.gateway,
        provider_maker(config.providers),
        ResponseCache(cache_dir),
        windows(fetch_requirements(config)),
        time,
    )
