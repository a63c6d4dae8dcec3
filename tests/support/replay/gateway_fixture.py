"""A gateway in this process whose vendors are the replay server's, and whose waiting costs no time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.fetching import windows
from gnosis_ray.vendors.gateway import FetchRequest, FetchResult, Gateway
from gnosis_ray.vendors.gateway.response_cache import ResponseCache
from gnosis_ray.vendors.providers.registry import provider_maker
from tests.support.clocks import SimulatedTime


@dataclass(frozen=True)
class Had:
    """What came of one order: its rows as the gateway hands them out, or its failure; what the line counted."""

    result: FetchResult
    rows: pl.DataFrame
    traffic: VendorTraffic


class Desk:
    """Asks vendors at ``url`` through a gateway of its own, from ``start`` on."""

    def __init__(self, config: Config, url: str, cache_dir: Path, start: datetime, timeout_s: float) -> None:
        self.time = SimulatedTime(start)
        quick = {"base_url": url, "timeout_s": timeout_s, "requests_per_minute": 6000.0}
        moved = {name: section.model_copy(update=quick) for name, section in config.providers}
        providers = config.providers.model_copy(update=moved)
        self.gateway = Gateway(
            providers, config.gateway, provider_maker(providers), ResponseCache(cache_dir), windows(config), self.time
        )

    def fetch_all(self, vendor: str, kind: DataKind, symbols: list[str]) -> list[FetchResult]:
        """The outcomes, sorted by symbol."""
        return self.gateway.fetch_all([FetchRequest(vendor, kind, symbol) for symbol in symbols], lambda _: None)

    def ask(self, vendor: str, kind: DataKind, symbol: str) -> Had:
        """One kind of one symbol."""
        result = self.fetch_all(vendor, kind, [symbol])[0]
        rows = pl.DataFrame(pl.from_arrow(self.gateway.fetch(vendor, kind, [symbol], self.time.now())))
        traffic = next(each for each in self.gateway.traffic() if each.vendor == vendor)
        return Had(result, rows.drop("known_at", "fetched_at"), traffic)
