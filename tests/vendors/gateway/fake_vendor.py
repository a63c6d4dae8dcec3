"""Vendors made up for tests: they answer from memory, err as told, and remember what they were asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from gnosis_ray.clock import Time
from gnosis_ray.config import Config, GatewayConfig, ProvidersConfig
from gnosis_ray.errors import NoDataError
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.gateway import Gateway, LookbackWindows
from gnosis_ray.vendors.gateway.response_cache import ResponseCache, response_schema
from gnosis_ray.vendors.providers.base import ProviderRequest, Transport
from tests.support.clocks import SimulatedTime

GREEKS = (0.5, 0.01, -0.1, 0.3)
DAY = timedelta(days=1)
RequestHook = Callable[[ProviderRequest, int], None]
"""Called within each request on the wire, with how often the symbol was asked before; raises what goes wrong."""


def fine(request: ProviderRequest, tries: int) -> None:
    """Nothing goes wrong."""


class FakeVendor:
    """Chains and bars of every symbol, one request each; ``after``: how long after the question its events are."""

    name = "cboe"
    kinds: frozenset[DataKind] = frozenset({"chains", "bars"})

    def __init__(self, transport: Transport, on_request: RequestHook = fine, after: timedelta = timedelta(0)) -> None:
        self._transport = transport
        self._bend = on_request
        self._after = after
        self._lock = threading.Lock()
        self.asked: Counter[tuple[DataKind, str]] = Counter()

    def fetch(self, request: ProviderRequest) -> pl.DataFrame:
        """See :class:`gnosis_ray.vendors.providers.base.Provider`."""

        def ask() -> pl.DataFrame:
            key = (request.kind, request.symbol)
            with self._lock:
                tries = self.asked[key]
                self.asked[key] += 1
            self._bend(request, tries)
            if request.symbol == "NONE":
                raise NoDataError("never heard of it", symbol=request.symbol)
            return chain(request, self._after) if request.kind == "chains" else bars(request)

        return self._transport.call(ask)


def chain(request: ProviderRequest, after: timedelta = timedelta(0)) -> pl.DataFrame:
    """A snapshot of two contracts, the later strike first."""
    moment = request.until + after
    rows = [
        (request.symbol, moment, 100.0, date(2026, 8, 21), strike, "C", "PM", 1.0, 1.1, 1.0, 10.0, 100.0, 0.2, *GREEKS)
        for strike in (105.0, 95.0)
    ]
    return pl.DataFrame(rows, schema=response_schema("chains"), orient="row")


def bars(request: ProviderRequest) -> pl.DataFrame:
    """The closes of 20:00 UTC of every day from ``since`` to the day of ``until``, whether that has come or not."""
    days = (request.until.date() - request.since.date()).days
    start = request.since.replace(hour=20, minute=0, second=0, microsecond=0)
    rows = [(request.symbol, start + day * DAY, 9.0, 11.0, 8.0, 10.0 + day, 1e6, None) for day in range(days + 1)]
    return pl.DataFrame(rows, schema=response_schema("bars"), orient="row")


class FakeVendorGateway:
    """A gateway to one made-up vendor in the place of ``cboe``."""

    def __init__(
        self,
        config: Config,
        cache_dir: Path,
        on_request: RequestHook = fine,
        time: Time | None = None,
        after: timedelta = timedelta(0),
        vendor: Mapping[str, object] | None = None,
        gateway: Mapping[str, object] | None = None,
    ) -> None:
        self.time = time or SimulatedTime()
        cboe = config.providers.cboe.replaced(**(vendor or {}))
        self.providers: ProvidersConfig = config.providers.replaced(cboe=cboe)
        self.settings: GatewayConfig = config.gateway.replaced(**(gateway or {}))
        self.cache_dir = cache_dir
        self.on_request = on_request
        self.after = after
        self.made: list[FakeVendor] = []
        self.gateway = self.another()

    def another(self, back: timedelta = 5 * DAY) -> Gateway:
        """One more gateway on the same response cache, as of a second process; bars go so far ``back``."""

        def make(_name: str, transport: Transport) -> FakeVendor:
            self.made.append(FakeVendor(transport, self.on_request, self.after))
            return self.made[-1]

        windows = LookbackWindows({"bars": back})
        return Gateway(self.providers, self.settings, make, ResponseCache(self.cache_dir), windows, self.time)

    @property
    def asked(self) -> Counter[tuple[DataKind, str]]:
        """How often each thing was asked for, whichever gateway asked."""
        return sum((vendor.asked for vendor in self.made), Counter())

    def now(self) -> datetime:
        """The moment of the bench."""
        return self.time.now()
