"""The first half of a live run: fetch from the vendors, read the clock once, store the rows as known at that time.

The second half is a scan of the store as of that time: replaying the run reads exactly those rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from gnosis_ray.clock import Time
from gnosis_ray.config import VENDORS, Config
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.market.data_requirements import DataRequirements
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind, full_second
from gnosis_ray.schemas.run_schemas import Failure, VendorTraffic
from gnosis_ray.storage.location import Location
from gnosis_ray.vendors.gateway import FetchRequest, FetchResult, GatewayPort, LookbackWindows
from gnosis_ray.vendors.gateway.gateway import OnDone
from gnosis_ray.vendors.providers.registry import VENDOR

STORE = "store"
CALENDAR_DAYS_A_BAR = 365.25 / 250
"""A year of an exchange has 250 sessions or a few more."""

SPARE_DAYS = 14
"""A margin for adjacent holidays."""

PART_ROWS = 500_000
"""Rows stored together: one night of the S&P 500 is one part per kind, and a part fits into memory."""

REFERENCE_KINDS: tuple[DataKind, ...] = ("chains", "bars")
"""What engines read of reference symbols (indices, sector funds)."""


def routes(config: Config) -> dict[DataKind, str]:
    """The vendor that each kind is fetched from; empty where market data comes from the store or is synthetic.

    ``data.kinds`` decides, then ``data.provider`` for those of ``data.fetch`` that it gives; a kind without a vendor is
    read from the store as it is. Raises :class:`ConfigError` for a vendor that is unknown or does not give a kind that
    it is named for, and for ``data.kinds`` combined with a provider that does not use the store.
    """
    data = config.data
    if data.kinds and data.provider not in (STORE, *VENDORS):
        raise ConfigError(f"data.kinds: Expected data.provider {STORE} or a vendor beside it, was {data.provider}")
    for kind, vendor in data.kinds.items():
        _check(kind, vendor)
    main = VENDOR[data.provider].kinds if data.provider in VENDORS else frozenset[DataKind]()
    found: dict[DataKind, str] = {kind: data.provider for kind in data.fetch if kind in main}
    if data.provider in VENDORS and not found and not data.kinds:
        gives = ", ".join(sorted(main))
        raise ConfigError(f"data.fetch: {data.provider} gives none of {', '.join(data.fetch)}: it gives {gives}")
    found |= data.kinds
    return {kind: found[kind] for kind in DATA_KINDS if found.get(kind, STORE) != STORE}


def _check(kind: DataKind, vendor: str) -> None:
    if vendor == STORE:
        return
    if vendor not in VENDORS:
        raise ConfigError(f"data.kinds.{kind}: unknown vendor '{vendor}'. {nearest_hint(vendor, (STORE, *VENDORS))}")
    if kind not in VENDOR[vendor].kinds:
        gives = ", ".join(sorted(VENDOR[vendor].kinds))
        raise ConfigError(f"data.kinds.{kind}: {vendor} does not give {kind}: it gives {gives}")


def label(config: Config) -> str:
    """The provider name of a run: ``cboe``, or ``bars:yahoo,chains:cboe`` where kinds differ."""
    if not config.data.kinds:
        return config.data.provider
    return ",".join(f"{kind}:{vendor}" for kind, vendor in sorted(routes(config).items())) or config.data.provider


def windows(needs: DataRequirements) -> LookbackWindows:
    """How far back vendors are asked, so that the store has what engines declare to read."""
    days = needs.reference_bar_lookback * CALENDAR_DAYS_A_BAR + SPARE_DAYS
    tape, news = timedelta(minutes=needs.tape_minutes), timedelta(hours=needs.news_hours)
    return LookbackWindows({"bars": timedelta(days=round(days)), "news": news, "trades": tape, "quotes": tape})


def fetch_requests(
    of: Mapping[DataKind, str], symbols: Iterable[str], reference_symbols: Iterable[str] = ()
) -> list[FetchRequest]:
    """Everything to fetch, each once, sorted; engines also read ``reference_symbols``, whatever symbols a run has."""
    own, others = set(symbols), set(reference_symbols)
    return sorted(
        FetchRequest(vendor, kind, symbol)
        for kind, vendor in of.items()
        for symbol in (own | others if kind in REFERENCE_KINDS else own)
    )


@dataclass(frozen=True)
class Fetched:
    """The result of fetching, stored as known at ``as_of``.

    ``results`` are sorted by request; ``rows``: by kind, those that the store did not have.
    """

    as_of: datetime
    results: tuple[FetchResult, ...]
    rows: Mapping[DataKind, int]
    traffic: tuple[VendorTraffic, ...]

    @property
    def reused(self) -> int:
        """How many were served from the response cache."""
        return sum(result.reused for result in self.results)

    def failures(self, own: Iterable[str]) -> tuple[Failure, ...]:
        """Failures by symbol and stage; that a vendor does not know a symbol counts for ``own`` symbols only."""
        mine = set(own)
        found = [result.failure for result in self.results if result.failure is not None]
        counted = [f for f in found if f.symbol in mine or f.kind != "no_data"]
        return tuple(sorted(counted, key=lambda f: (f.symbol, f.stage)))


OnStored = Callable[[DataKind, int, int], None]


def fetch_and_store(
    gateway: GatewayPort,
    wanted: Sequence[FetchRequest],
    root: Location,
    batch_size: int,
    time: Time,
    on_done: OnDone,
    on_stored: OnStored,
    fresh_since: datetime | None = None,
) -> Fetched:
    """Fetch, then read the clock, then store the rows, ``batch_size`` symbols at a time, in large parts.

    ``on_stored`` is called with the kind, the symbols stored and the symbols in all. ``as_of`` is the first full second
    after the last response, so that a user can type it; this waits for it. Errors are those of
    :meth:`Gateway.fetch_all` and of the store.
    """
    results = gateway.fetch_all(wanted, on_done, fresh_since)
    as_of = full_second(time.now())
    written: Counter[DataKind] = Counter()
    had = [result.request for result in results if result.failure is None]
    writer = StoreWriter(root)
    for vendor, kind in sorted({(request.vendor, request.kind) for request in had}):
        symbols = [request.symbol for request in had if (request.vendor, request.kind) == (vendor, kind)]
        batches = [symbols[start : start + batch_size] for start in range(0, len(symbols), batch_size)]
        taken = (pl.DataFrame(pl.from_arrow(gateway.fetch(vendor, kind, batch, as_of))) for batch in batches)
        for done, rows in _in_large_parts(taken):
            written[kind] += writer.append_new(kind, rows, as_of).written
            on_stored(kind, min(done * batch_size, len(symbols)), len(symbols))
    while (left := (as_of - time.now()).total_seconds()) > 0:
        time.sleep(left)
    return Fetched(as_of, tuple(results), dict(written), gateway.traffic())


def _in_large_parts(frames: Iterable[pl.DataFrame]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Frames concatenated until they are large, and how many have been consumed: readers open every part of a day."""
    waiting: list[pl.DataFrame] = []
    taken = 0
    for taken, frame in enumerate(frames, 1):
        waiting.append(frame)
        if sum(each.height for each in waiting) >= PART_ROWS:
            yield taken, pl.concat(waiting)
            waiting = []
    if waiting:
        yield taken, pl.concat(waiting)


@dataclass(frozen=True)
class VendorPlan:
    """A vendor's share of a run: the items to fetch, about how many HTTP requests, and how long at its rate."""

    vendor: str
    fetches: int
    requests: int
    seconds: float


def plan(config: Config, wanted: Iterable[FetchRequest]) -> tuple[VendorPlan, ...]:
    """By vendor, assuming no retries and no cached responses."""
    found = []
    listed = list(wanted)
    for vendor in sorted({request.vendor for request in listed}):
        kinds = Counter(request.kind for request in listed if request.vendor == vendor)
        requests = sum(VENDOR[vendor].requests[kind] * count for kind, count in kinds.items())
        settings = getattr(config.providers, vendor)
        beyond = max(0, requests - settings.burst)
        found.append(VendorPlan(vendor, kinds.total(), requests, 60.0 * beyond / settings.requests_per_minute))
    return tuple(found)
