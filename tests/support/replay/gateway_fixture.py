"""A gateway in this process to the vendors of a replay server, on simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from gnosis_ray.app.fetching import fetch_requirements
from gnosis_ray.config import Config
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import FetchRequest, FetchResult, Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker
from tests.support.clocks import SimulatedTime


@dataclass(frozen=True)
class FetchedRows:
    """The result of one request: the rows as the gateway serves them, or the failure; and the vendor's traffic."""

    result: FetchResult
    rows: pl.DataFrame
    traffic: VendorTraffic


class GatewayFixture:
    """Fetches from vendors at ``url`` through a gateway of its own; its clock starts at ``start``."""

    def __init__(self, config: Config, url: str, cache_dir: Path, start: datetime, timeout_s: float) -> None:
        self.time = SimulatedTime(start)
        quick = {"base_url": url, "timeout_s": timeout_s, "requests_per_minute": 6000.0}
        moved = {name: section.replaced(**quick) for name, section in config.providers}
        providers = config.providers.replaced(**moved)
        self.gateway = Gateway(
            providers,
            config.gateway,
            provider_maker(providers),
            ResponseCache(cache_dir),
            windows(fetch_requirements(config)),
            self.time,
        )

    def fetch_all(self, vendor: str, kind: DataKind, symbols: list[str]) -> list[FetchResult]:
        """The results, sorted by symbol."""
        return self.gateway.fetch_all([FetchRequest(vendor, kind, symbol) for symbol in symbols], lambda _: None)

    def ask(self, vendor: str, kind: DataKind, symbol: str) -> FetchedRows:
        """One kind of one symbol."""
        result = self.fetch_all(vendor, kind, [symbol])[0]
        rows = pl.DataFrame(pl.from_arrow(self.gateway.fetch(vendor, kind, [symbol], self.time.now())))
        traffic = next(each for each in self.gateway.traffic() if each.vendor == vendor)
        return FetchedRows(result, rows.drop("known_at", "fetched_at"), traffic)
