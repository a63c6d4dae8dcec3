"""Fetches what a run needs of its vendors, each thing once, and hands it out as of one moment."""

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
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.schemas.run_schemas import Failure, VendorTraffic
from gnosis_ray.security.redaction import redacted
from gnosis_ray.vendors.gateway.response_cache import Answer, Spool, spooled_schema
from gnosis_ray.vendors.gateway.response_rows import checked, known_by, ordered
from gnosis_ray.vendors.gateway.thread_pool import Pool
from gnosis_ray.vendors.gateway.vendor_client import VendorLine
from gnosis_ray.vendors.providers.base import Provider, Request, Wire

LOOK_S = 0.2
"""Between two looks at deadlines while nothing arrives."""


@dataclass(frozen=True, order=True)
class Order:
    """One kind of one symbol from one vendor."""

    vendor: str
    kind: DataKind
    symbol: str

    @property
    def stage(self) -> str:
        """The stage of its failure."""
        return f"fetch.{self.kind}"


@dataclass(frozen=True)
class Outcome:
    """What became of an order: fetched, or ``reused`` from before, or a ``failure``."""

    order: Order
    failure: Failure | None = None
    reused: bool = False


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` orders, ``last`` being the one that was done last."""

    done: int
    total: int
    last: Outcome | None = None


@dataclass(frozen=True)
class Windows:
    """How far back each kind is asked for; of chains there is only the present."""

    back: Mapping[DataKind, timedelta]

    def since(self, kind: DataKind, now: datetime) -> datetime:
        """The earliest event to ask for; of bars the start of a day, so that a day's questions are the same."""
        since = now - self.back.get(kind, timedelta(0))
        return since.replace(hour=0, minute=0, second=0, microsecond=0) if kind == "bars" else since


OnDone = Callable[[Progress], None]
MakeProvider = Callable[[str, Wire], Provider]


class GatewayPort(Protocol):
    """A gateway, here or in a process of its own."""

    def gather(self, orders: Iterable[Order], on_done: OnDone, fresh_since: datetime | None = None) -> list[Outcome]:
        """See :meth:`Gateway.gather`."""
        ...

    def fetch(self, provider: str, kind: DataKind, symbols: Sequence[str], as_of: datetime) -> pa.Table:
        """See :meth:`Gateway.fetch`."""
        ...

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """See :meth:`Gateway.traffic`."""
        ...


@dataclass
class _Vendor:
    config: VendorConfig
    line: VendorLine
    provider: Provider
    pool: Pool


class Gateway:
    """The vendors of one run. Thread-safe: what several callers want at once is asked once.

    Answers are kept in the spool as they come. Which thread asked first, and in which order answers came, changes
    nothing in the rows that are handed out.
    """

    def __init__(
        self,
        providers: ProvidersConfig,
        settings: GatewayConfig,
        make: MakeProvider,
        spool: Spool,
        windows: Windows,
        time: Time,
    ) -> None:
        """``make``: builds the provider of a vendor's name on a wire, the first time that the vendor is asked."""
        self._providers = providers
        self._settings = settings
        self._make = make
        self._spool = spool
        self._windows = windows
        self._time = time
        self._lock = threading.Lock()
        self._vendors: dict[str, _Vendor] = {}
        self._in_flight: dict[Order, Future[Outcome]] = {}
        self._outcomes: dict[Order, Outcome] = {}
        self._answers: dict[Order, Answer] = {}

    def gather(self, orders: Iterable[Order], on_done: OnDone, fresh_since: datetime | None = None) -> list[Outcome]:
        """Fetch every order, and keep the answers; the outcomes, sorted by order.

        Answers of the spool that came at ``fresh_since`` or later (None: within ``gateway.reuse_s``) are not asked for
        again. ``on_done`` is told of each outcome, in this thread. No failure of a vendor is raised; a vendor that is
        past its deadline fails for every symbol that is left. Raises :class:`ConfigError` before anything is asked
        where a vendor's key or client is missing, or where it does not give a kind.
        """
        wanted = sorted(set(orders))
        fresh = fresh_since or self._time.now() - timedelta(seconds=self._settings.reuse_s)
        for vendor in sorted({order.vendor for order in wanted}):
            self._begin(vendor, {order.kind for order in wanted if order.vendor == vendor})
        done: SimpleQueue[Order] = SimpleQueue()
        futures = {order: self._submit(order, fresh) for order in wanted}
        for order, future in futures.items():
            future.add_done_callback(lambda _, order=order: done.put(order))  # type: ignore[misc]
        try:
            found = self._collect(futures, done, on_done)
        finally:
            for future in futures.values():
                future.cancel()
        return [found[order] for order in wanted]

    def fetch(self, provider: str, kind: DataKind, symbols: Sequence[str], as_of: datetime) -> pa.Table:
        """The rows of a kind for ``symbols``, known at ``as_of``: the columns of the kind, and ``fetched_at``.

        What this gateway has not asked for before is asked for first; symbols that failed have no rows. Rows of events
        after ``as_of``, and bars of sessions that were still trading, are dropped and counted. Sorted by what
        identifies a row. Raises :class:`DataError` where an answer is younger than ``as_of``: nobody knew it then.
        """
        orders = [Order(provider, kind, symbol) for symbol in sorted(set(symbols))]
        missing = [order for order in orders if order not in self._outcomes]
        if missing:
            self.gather(missing, lambda _: None)
        empty = pl.DataFrame(schema={**spooled_schema(kind), "known_at": UTC_TIME, "fetched_at": UTC_TIME})
        frames = [self._rows(order, as_of) for order in orders if self._outcomes[order].failure is None]
        rows = ordered(pl.concat([empty, *frames]), kind)
        if orders:
            self._vendor(provider).line.count("rows", rows.height)
        return rows.to_arrow()

    def traffic(self) -> tuple[VendorTraffic, ...]:
        """What went over the wire so far, a vendor each, sorted."""
        with self._lock:
            vendors = dict(self._vendors)
        return tuple(vendors[name].line.traffic() for name in sorted(vendors))

    def close(self) -> None:
        """Let the threads go, without waiting for those that are at work."""
        with self._lock:
            for vendor in self._vendors.values():
                vendor.pool.close()

    def _collect(
        self, futures: Mapping[Order, Future[Outcome]], done: SimpleQueue[Order], on_done: OnDone
    ) -> dict[Order, Outcome]:
        found: dict[Order, Outcome] = {}

        def deliver(outcome: Outcome) -> None:
            if outcome.order not in found:
                found[outcome.order] = outcome
                self._outcomes[outcome.order] = outcome
                on_done(Progress(len(found), len(futures), outcome))

        while len(found) < len(futures):
            try:
                order = done.get(timeout=LOOK_S)
                deliver(_result(order, futures[order]))
            except Empty:
                pass
            for order in self._overdue(order for order in futures if order not in found):
                futures[order].cancel()
                deliver(self._given_up(order))
        return found

    def _overdue(self, left: Iterable[Order]) -> list[Order]:
        """Of the orders that are left, those whose vendor is past its deadline; its threads are left behind."""
        late = {name for name, vendor in self._vendors.items() if vendor.line.seconds_left() < -LOOK_S}
        overdue = [order for order in left if order.vendor in late] if late else []
        with self._lock:
            for name in {order.vendor for order in overdue}:
                vendor = self._vendors[name]
                vendor.pool.close()
                vendor.pool = Pool(vendor.config.max_in_flight, name)
            for order in overdue:
                self._in_flight.pop(order, None)
        return overdue

    def _given_up(self, order: Order) -> Outcome:
        line = self._vendor(order.vendor).line
        line.count("failures")
        late = ProviderError(line.overdue(), symbol=order.symbol)
        return Outcome(order, Failure.of(late, symbol=order.symbol, stage=order.stage))

    def _begin(self, name: str, kinds: set[DataKind]) -> None:
        vendor = self._vendor(name)
        if lacking := sorted(kinds - vendor.provider.kinds):
            gives = ", ".join(sorted(vendor.provider.kinds))
            raise ConfigError(f"{name} does not give {', '.join(lacking)}: it gives {gives}")
        with self._lock:
            at_work = any(order.vendor == name and not future.done() for order, future in self._in_flight.items())
        if not at_work:
            vendor.line.begin()

    def _vendor(self, name: str) -> _Vendor:
        with self._lock:
            if name not in self._vendors:
                config: VendorConfig = getattr(self._providers, name)
                line = VendorLine(name, config, self._settings, self._time)
                provider = self._make(name, line)
                self._vendors[name] = _Vendor(config, line, provider, Pool(config.max_in_flight, name))
            return self._vendors[name]

    def _submit(self, order: Order, fresh: datetime) -> Future[Outcome]:
        vendor = self._vendor(order.vendor)
        with self._lock:
            flying = self._in_flight.get(order)
            if flying is not None and not flying.done():
                vendor.line.count("coalesced")
                return flying
            future = vendor.pool.submit(lambda: self._work(order, vendor, fresh))
            self._in_flight[order] = future
            return future

    def _work(self, order: Order, vendor: _Vendor, fresh: datetime) -> Outcome:
        """In a thread of the vendor's pool."""
        now = self._time.now()
        since = self._windows.since(order.kind, now)
        try:
            answer = self._answers.get(order) or self._spool.newest(order.vendor, order.kind, order.symbol)
            reused = answer is not None and answer.fetched_at >= fresh and answer.since <= since
            if answer is None or not reused:
                request = Request(order.kind, order.symbol, since, now)
                rows = checked(vendor.provider.fetch(request), request, order.vendor)
                answer = self._spool.keep(order.vendor, order.kind, order.symbol, rows, self._time.now(), since)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this symbol's alone
            vendor.line.count("failures")
            failure = Failure.of(error, symbol=order.symbol, stage=order.stage)
            return Outcome(order, failure.model_copy(update={"message": redacted(failure.message)}))
        self._answers[order] = answer
        if reused:
            vendor.line.count("reused")
        return Outcome(order, reused=reused)

    def _rows(self, order: Order, as_of: datetime) -> pl.DataFrame:
        answer = self._answers[order]
        if answer.fetched_at > as_of:
            raise DataError(
                f"Expected a moment at or after {answer.fetched_at.isoformat()}, when {order.kind} were fetched from "
                f"{order.vendor}, was {as_of.isoformat()}: a vendor tells the present only",
                symbol=order.symbol,
            )
        rows = self._spool.rows(answer)
        kept = known_by(rows, order.kind, answer.fetched_at, as_of)
        self._vendor(order.vendor).line.count("dropped_after_as_of", rows.height - kept.height)
        return kept.with_columns(
            known_at=pl.lit(as_of, dtype=UTC_TIME), fetched_at=pl.lit(answer.fetched_at, dtype=UTC_TIME)
        )


def _result(order: Order, future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except CancelledError:
        cut_off = ProviderError("was not asked: the run was interrupted", symbol=order.symbol)
        return Outcome(order, Failure.of(cut_off, symbol=order.symbol, stage=order.stage))
