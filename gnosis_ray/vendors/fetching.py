"""A live run's first half: ask the vendors, read the clock once, store what they said as known at that moment.

What follows is a scan of the store at that moment: replaying the run reads exactly those rows.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from gnosis_ray.clock import Time
from gnosis_ray.config import VENDORS, Config
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.engines.shared.bar_statistics import LOOKBACK
from gnosis_ray.errors import ConfigError, NoDataError
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind, full_second
from gnosis_ray.schemas.run_schemas import Failure, VendorTraffic
from gnosis_ray.storage.location import Location
from gnosis_ray.vendors.gateway import GatewayPort, Order, Outcome, Windows
from gnosis_ray.vendors.gateway.gateway import OnDone
from gnosis_ray.vendors.providers.registry import VENDOR

STORE = "store"
CALENDAR_DAYS_A_BAR = 365.25 / 250
"""A year of an exchange has 250 sessions or a few more."""

SPARE_DAYS = 14
"""For holidays that come together."""

PART_ROWS = 500_000
"""Rows that are stored together: a night of the S&P 500 is one part a kind, and a part fits into memory."""

BESIDE: tuple[DataKind, ...] = ("chains", "bars")
"""What engines read of the symbols that they lay beside others."""


def routes(config: Config) -> dict[DataKind, str]:
    """Which vendor each kind is fetched from; none where market data lies in a store or is made up.

    ``data.kinds`` decides, then ``data.provider`` for those of ``data.fetch`` that it gives; what no vendor is named
    for is read from the store as it is. Raises :class:`ConfigError` for a vendor that is unknown or does not give a
    kind that it is named for, and for ``data.kinds`` beside a provider that the store has no part in.
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
        near = difflib.get_close_matches(vendor, (STORE, *VENDORS), n=1, cutoff=0.0)[0]
        known = ", ".join((STORE, *VENDORS))
        raise ConfigError(f"data.kinds.{kind}: unknown vendor '{vendor}'. Nearest: '{near}' (of {known})")
    if kind not in VENDOR[vendor].kinds:
        gives = ", ".join(sorted(VENDOR[vendor].kinds))
        raise ConfigError(f"data.kinds.{kind}: {vendor} does not give {kind}: it gives {gives}")


def label(config: Config) -> str:
    """How a run names where its data came from: ``cboe``, or ``bars:yahoo,chains:cboe`` where kinds differ."""
    if not config.data.kinds:
        return config.data.provider
    return ",".join(f"{kind}:{vendor}" for kind, vendor in sorted(routes(config).items())) or config.data.provider


def windows(config: Config) -> Windows:
    """How far back the engines look, and so how far back vendors are asked."""
    hedge = config.engines.hedge
    bars = max(LOOKBACK, hedge.vix_window, hedge.cross_asset.beta_window + 1)
    days = bars * CALENDAR_DAYS_A_BAR + SPARE_DAYS
    tape = timedelta(minutes=config.engines.liquidity.lookback_minutes)
    news = timedelta(hours=config.engines.sentiment.news.lookback_hours)
    return Windows({"bars": timedelta(days=round(days)), "news": news, "trades": tape, "quotes": tape})


def orders(of: Mapping[DataKind, str], symbols: Iterable[str], beside: Iterable[str] = ()) -> list[Order]:
    """Everything to fetch, each once, sorted; ``beside``: the symbols that engines read beside those asked about."""
    own, others = set(symbols), set(beside)
    return sorted(
        Order(vendor, kind, symbol)
        for kind, vendor in of.items()
        for symbol in (own | others if kind in BESIDE else own)
    )


@dataclass(frozen=True)
class Fetched:
    """What came of fetching, stored as known at ``as_of``.

    Outcomes sorted by order; ``rows``: by kind, those that the store did not know.
    """

    as_of: datetime
    outcomes: tuple[Outcome, ...]
    rows: Mapping[DataKind, int]
    traffic: tuple[VendorTraffic, ...]

    @property
    def reused(self) -> int:
        """Orders that needed no request."""
        return sum(outcome.reused for outcome in self.outcomes)

    def failures(self, own: Iterable[str]) -> tuple[Failure, ...]:
        """By symbol and stage. That a vendor does not know a symbol counts for the ``own`` ones alone."""
        mine = set(own)
        found = [outcome.failure for outcome in self.outcomes if outcome.failure is not None]
        counted = [f for f in found if f.symbol in mine or f.error != NoDataError.__name__]
        return tuple(sorted(counted, key=lambda f: (f.symbol, f.stage)))


OnStored = Callable[[DataKind, int, int], None]


def fetch_and_store(
    gateway: GatewayPort,
    wanted: Sequence[Order],
    root: Location,
    batch_size: int,
    time: Time,
    on_done: OnDone,
    on_stored: OnStored,
    fresh_since: datetime | None = None,
) -> Fetched:
    """Fetch, then look at the clock, then store what came: handed out ``batch_size`` symbols at a time, in large parts.

    ``on_stored`` is told the kind and how many of how many symbols are stored. The moment is the first full second
    after the last answer, so that a user can write it down; this waits for it. Errors are those of
    :meth:`Gateway.gather` and of the store.
    """
    outcomes = gateway.gather(wanted, on_done, fresh_since)
    as_of = full_second(time.now())
    written: Counter[DataKind] = Counter()
    had = [outcome.order for outcome in outcomes if outcome.failure is None]
    writer = StoreWriter(root)
    for vendor, kind in sorted({(order.vendor, order.kind) for order in had}):
        symbols = [order.symbol for order in had if (order.vendor, order.kind) == (vendor, kind)]
        batches = [symbols[start : start + batch_size] for start in range(0, len(symbols), batch_size)]
        taken = (pl.DataFrame(pl.from_arrow(gateway.fetch(vendor, kind, batch, as_of))) for batch in batches)
        for done, rows in _in_large_parts(taken):
            written[kind] += writer.append_new(kind, rows, as_of).written
            on_stored(kind, min(done * batch_size, len(symbols)), len(symbols))
    while (left := (as_of - time.now()).total_seconds()) > 0:
        time.sleep(left)
    return Fetched(as_of, tuple(outcomes), dict(written), gateway.traffic())


def _in_large_parts(frames: Iterable[pl.DataFrame]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Frames put together until they are large, with how many were taken by then: readers open every part of a day."""
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
    """What a vendor will be asked: about how many requests, and how long they take at its rate."""

    vendor: str
    orders: int
    requests: int
    seconds: float


def plan(config: Config, wanted: Iterable[Order]) -> tuple[VendorPlan, ...]:
    """By vendor, if nothing has to be asked twice and nothing is in hand already."""
    found = []
    listed = list(wanted)
    for vendor in sorted({order.vendor for order in listed}):
        kinds = Counter(order.kind for order in listed if order.vendor == vendor)
        requests = sum(VENDOR[vendor].requests[kind] * count for kind, count in kinds.items())
        settings = getattr(config.providers, vendor)
        beyond = max(0, requests - settings.burst)
        found.append(VendorPlan(vendor, kinds.total(), requests, 60.0 * beyond / settings.requests_per_minute))
    return tuple(found)
