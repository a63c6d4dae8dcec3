"""Fetches what a run needs from its vendors, each item once, and serves it as of one time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Protocol

import polars as pl
import pyarrow as pa

from gnosis_ray.clock import Time
from gnosis_ray.config import GatewayConfig, ProvidersConfig, VendorConfig
from gnosis_ray.errors import ConfigError, DataError, ProviderError
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.redaction import redacted
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import Failure, VendorTraffic
from gnosis_ray.vendors.gateway.response_cache import CachedResponse, ResponseCache, response_schema
from gnosis_ray.vendors.gateway.response_rows import known_by, ordered, validated
from gnosis_ray.vendors.gateway.thread_pool import DaemonThreadPool
from gnosis_ray.vendors.gateway.vendor_client import VendorClient
from gnosis_ray.vendors.providers.base import Provider, ProviderRequest, Transport
from gnosis_ray.vendors.providers.registry import planned_requests

LOOK_S = 0.2
"""Interval of the deadline checks while nothing arrives."""


@dataclass(frozen=True, order=True)
class FetchRequest:
    """One kind of one symbol from one vendor."""

    vendor: str
    kind: DataKind
    symbol: str

    @property
    def stage(self) -> str:
        """The stage of its failure."""
        return f"fetch.{self.kind}"


@dataclass(frozen=True)
class FetchResult:
    """What became of a request: fetched, ``reused`` from the response cache, or a ``failure``."""

    request: FetchRequest
    failure: Failure | None = None
    reused: bool = False


@dataclass(frozen=True)
class FetchProgress:
    """``done`` of ``total`` requests; ``last`` is the result that arrived last."""

    done: int
    total: int
    last: FetchResult | None = None


@dataclass(frozen=True)
class LookbackWindows:
    """How far back each kind is requested; of chains there is only the present."""

    back: Mapping[DataKind, timedelta]

    def since(self, kind: DataKind, now: datetime) -> datetime:
        """The earliest event to request; of bars the start of a day, so that all requests of a day are the same."""
        since = now - self.back.get(kind, timedelta(0))
        return since.replace(hour=0, minute=0, second=0, microsecond=0) if kind == "bars" else since


OnDone = Callable[[FetchProgress], None]
MakeProvider = Callable[[str, Transport], Provider]


class GatewayPort(Protocol):
    """A gateway, in this process or in one of its own."""

    def fetch_all(
        self, requests: Iterable[FetchRequest], on_done: OnDone, fresh_since: datetime | None = None
    ) -> list[FetchResult]:
        """See :meth:`Gateway.fetch_all`."""
        ...

    def fetch(
        self,
        provider: str,
        kind: DataKind,
        symbols: Sequence[str],
        as_of: datetime,
        fresh_since: datetime | None = None,
    ) -> pa.Table:
        """See :meth:`Gateway.fetch`."""
        ...

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """See :meth:`Gateway.traffic`."""
        ...


@dataclass
class _Vendor:
    config: VendorConfig
    client: VendorClient
    provider: Provider
    pool: DaemonThreadPool


class Gateway:
    """The vendors of one run. Thread-safe: concurrent requests for the same item are sent once.

    Responses are cached as they arrive. Neither the thread that asked first nor the order of arrival changes the rows
    that are served.
    """

    def __init__(
        self,
        providers: ProvidersConfig,
        settings: GatewayConfig,
        make: MakeProvider,
        cache: ResponseCache,
        windows: LookbackWindows,
        time: Time,
    ) -> None:
        """``make`` builds a vendor's provider from its name and a transport, at the first request to that vendor."""
        self._providers = providers
        self._settings = settings
        self._make = make
        self._cache = cache
        self._windows = windows
        self._time = time
        self._lock = threading.Lock()
        self._vendors: dict[str, _Vendor] = {}
        self._in_flight: dict[FetchRequest, Future[FetchResult]] = {}
        self._results: dict[FetchRequest, FetchResult] = {}
        self._responses: dict[FetchRequest, CachedResponse] = {}

    def fetch_all(
        self, requests: Iterable[FetchRequest], on_done: OnDone, fresh_since: datetime | None = None
    ) -> list[FetchResult]:
        """Fetch every request and cache the responses; returns the results, sorted by request.

        Responses cached at ``fresh_since`` or later (None: within ``gateway.reuse_s``) are reused. ``on_done`` is
        called with the progress after each result, in this thread. No failure of a vendor is raised; a vendor that is
        past its deadline fails for every remaining symbol. Raises :class:`ConfigError` before the first request where
        a vendor's key or client is missing, or where it does not give a kind.
        """
        wanted = sorted(set(requests))
        fresh = fresh_since or self._time.now() - timedelta(seconds=self._settings.reuse_s)
        for vendor in sorted({request.vendor for request in wanted}):
            self._begin(vendor, {request.kind for request in wanted if request.vendor == vendor})
        done: SimpleQueue[FetchRequest] = SimpleQueue()
        futures = {request: self._submit(request, fresh) for request in wanted}
        for request, future in futures.items():
            future.add_done_callback(lambda _, request=request: done.put(request))  # type: ignore[misc]
        try:
            found = self._collect(futures, done, on_done)
        finally:
            for future in futures.values():
                future.cancel()
        return [found[request] for request in wanted]

    def fetch(
        self,
        provider: str,
        kind: DataKind,
        symbols: Sequence[str],
        as_of: datetime,
        fresh_since: datetime | None = None,
    ) -> pa.Table:
        """The rows of a kind for ``symbols``, known at ``as_of``: the columns of the kind, and ``fetched_at``.

        What this gateway has not fetched yet is fetched first, with ``fresh_since`` as there; symbols that failed have
        no rows. Rows of events after ``as_of``, and bars of sessions that were still trading, are dropped and counted.
        Sorted by what identifies a row. Raises :class:`DataError` where a response was fetched after ``as_of``: nobody
        knew it then.
        """
        requests = [FetchRequest(provider, kind, symbol) for symbol in sorted(set(symbols))]
        missing = [request for request in requests if request not in self._results]
        if missing:
            self.fetch_all(missing, lambda _: None, fresh_since)
        empty = pl.DataFrame(schema={**response_schema(kind), "known_at": UTC_TIME, "fetched_at": UTC_TIME})
        frames = [self._rows(request, as_of) for request in requests if self._results[request].failure is None]
        rows = ordered(pl.concat([empty, *frames]), kind)
        if requests:
            self._vendor(provider).client.count("rows", rows.height)
        return rows.to_arrow()

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """The traffic so far, one entry per vendor, sorted."""
        with self._lock:
            vendors = dict(self._vendors)
        return tuple(vendors[name].client.traffic() for name in sorted(vendors))

    def close(self) -> None:
        """End the threads, without waiting for those that are busy."""
        with self._lock:
            for vendor in self._vendors.values():
                vendor.pool.close()

    def _collect(
        self, futures: Mapping[FetchRequest, Future[FetchResult]], done: SimpleQueue[FetchRequest], on_done: OnDone
    ) -> dict[FetchRequest, FetchResult]:
        found: dict[FetchRequest, FetchResult] = {}

        def deliver(result: FetchResult) -> None:
            if result.request not in found:
                found[result.request] = result
                self._results[result.request] = result
                on_done(FetchProgress(len(found), len(futures), result))

        while len(found) < len(futures):
            try:
                request = done.get(timeout=LOOK_S)
                deliver(_result(request, futures[request]))
            except Empty:
                pass
            for request in self._overdue(request for request in futures if request not in found):
                futures[request].cancel()
                deliver(self._given_up(request))
        return found

    def _overdue(self, left: Iterable[FetchRequest]) -> list[FetchRequest]:
        """The open requests whose vendor is past its deadline; its threads are abandoned."""
        late = {name for name, vendor in self._vendors.items() if vendor.client.seconds_left() < -LOOK_S}
        overdue = [request for request in left if request.vendor in late] if late else []
        with self._lock:
            for name in {request.vendor for request in overdue}:
                vendor = self._vendors[name]
                vendor.pool.close()
                vendor.pool = DaemonThreadPool(vendor.config.max_in_flight, name)
            for request in overdue:
                self._in_flight.pop(request, None)
        return overdue

    def _given_up(self, request: FetchRequest) -> FetchResult:
        client = self._vendor(request.vendor).client
        client.count("failures")
        late = ProviderError(client.overdue_text(), symbol=request.symbol)
        return FetchResult(request, Failure.of(late, symbol=request.symbol, stage=request.stage))

    def _begin(self, name: str, kinds: set[DataKind]) -> None:
        vendor = self._vendor(name)
        if lacking := sorted(kinds - vendor.provider.kinds):
            gives = ", ".join(sorted(vendor.provider.kinds))
            raise ConfigError(f"{name} does not give {', '.join(lacking)}: it gives {gives}")
        with self._lock:
            at_work = any(request.vendor == name and not future.done() for request, future in self._in_flight.items())
        if not at_work:
            vendor.client.begin()

    def _vendor(self, name: str) -> _Vendor:
        with self._lock:
            if name not in self._vendors:
                config: VendorConfig = getattr(self._providers, name)
                client = VendorClient(name, config, self._settings, self._time)
                provider = self._make(name, client)
                self._vendors[name] = _Vendor(config, client, provider, DaemonThreadPool(config.max_in_flight, name))
            return self._vendors[name]

    def _submit(self, request: FetchRequest, fresh: datetime) -> Future[FetchResult]:
        vendor = self._vendor(request.vendor)
        with self._lock:
            flying = self._in_flight.get(request)
            if flying is not None and not flying.done():
                vendor.client.count("coalesced")
                return flying
            future = vendor.pool.submit(lambda: self._work(request, vendor, fresh))
            self._in_flight[request] = future
            return future

    def _work(self, request: FetchRequest, vendor: _Vendor, fresh: datetime) -> FetchResult:
        """Runs in a thread of the vendor's pool."""
        now = self._time.now()
        since = self._windows.since(request.kind, now)
        try:
            response = self._responses.get(request) or self._cache.newest(request.vendor, request.kind, request.symbol)
            reused = response is not None and response.fetched_at >= fresh and response.since <= since
            if response is None or not reused:
                query = ProviderRequest(request.kind, request.symbol, since, now)
                with vendor.client.fetching(planned_requests(request.vendor, request.kind)):
                    rows = vendor.provider.fetch(query)
                rows = validated(rows, query, request.vendor, self._settings.max_rows)
                response = self._cache.keep(request.vendor, request.kind, request.symbol, rows, self._time.now(), since)
        except Exception as error:  # noqa: BLE001 - any error fails this symbol alone
            vendor.client.count("failures")
            failure = Failure.of(error, symbol=request.symbol, stage=request.stage)
            return FetchResult(request, failure.model_copy(update={"message": redacted(failure.message)}))
        self._responses[request] = response
        if reused:
            vendor.client.count("reused")
        return FetchResult(request, reused=reused)

    def _rows(self, request: FetchRequest, as_of: datetime) -> pl.DataFrame:
        response = self._responses[request]
        if response.fetched_at > as_of:
            raise DataError(
                f"Expected a moment at or after {response.fetched_at.isoformat()}, when {request.kind} were fetched "
                f"from {request.vendor}, was {as_of.isoformat()}: a vendor tells the present only",
                symbol=request.symbol,
            )
        rows = self._cache.rows(response)
        kept = known_by(rows, request.kind, response.fetched_at, as_of)
        self._vendor(request.vendor).client.count("dropped_after_as_of", rows.height - kept.height)
        return kept.with_columns(
            known_at=pl.lit(as_of, dtype=UTC_TIME), fetched_at=pl.lit(response.fetched_at, dtype=UTC_TIME)
        )


def _result(request: FetchRequest, future: Future[FetchResult]) -> FetchResult:
    try:
        return future.result()
    except CancelledError:
        cut_off = ProviderError("was not asked: the run was interrupted", symbol=request.symbol)
        return FetchResult(request, Failure.of(cut_off, symbol=request.symbol, stage=request.stage))
