"""The metrics of a run, by name, as Prometheus sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric. Each combination of ``tags`` is a series, so no tag may be a symbol; ``bounds`` of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    tags: tuple[str, ...]
    bounds: tuple[float, ...] = ()

    @property
    def exported(self) -> tuple[str, ...]:
        """Its names in Prometheus, where Ray puts ``ray_`` in front."""
        endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
        return tuple(f"ray_{self.name}{ending}" for ending in endings[self.kind])


GRANULARITY = "granularity"
STAGE = "stage"
REASON = "reason"
TABLE = "table"
VENDOR = "vendor"
OUTCOME = "outcome"

SYMBOLS_DONE = Metric(
    "gnosis_symbols_done", "counter", "Passes: symbols that were measured and decided", (GRANULARITY,)
)
SYMBOLS_DEGRADED = Metric(
    "gnosis_symbols_degraded", "counter", "Symbols with missing or bad data, by engine and reason", (STAGE, REASON)
)
SYMBOLS_FAILED = Metric("gnosis_symbols_failed", "counter", "Failures of symbols, by the stage at fault", (STAGE,))
"""After a failed fetch there may still be a result, from what the store had before."""
SYMBOLS_QUARANTINED = Metric(
    "gnosis_symbols_quarantined", "counter", "Symbols written off because their process failed", (GRANULARITY,)
)
BATCHES_DONE = Metric("gnosis_batches_done", "counter", "Batches in the ledger", (GRANULARITY,))
BATCHES_REQUEUED = Metric(
    "gnosis_batches_requeued", "counter", "Tries handed out again after a failure", (GRANULARITY,)
)
BATCHES_COPIED = Metric("gnosis_batches_copied", "counter", "Second copies of what stragglers held", (GRANULARITY,))
HOSTS_LOST = Metric("gnosis_hosts_lost", "counter", "Processes that died or were ended for being late", (GRANULARITY,))
LEDGER_ROWS = Metric("gnosis_ledger_rows", "counter", "Rows written to the ledger", (TABLE,))
STAGE_SECONDS = Metric(
    "gnosis_stage_seconds",
    "histogram",
    "Seconds of work that a batch took in a stage",
    (STAGE, GRANULARITY),
    (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0),
)
QUOTE_AGE = Metric(
    "gnosis_quote_age_sessions",
    "gauge",
    "Sessions that closed since the oldest quotes in use were made",
    (GRANULARITY,),
)

VENDOR_REQUESTS = Metric("gnosis_vendor_requests", "counter", "Requests on the wire, every try counted", (VENDOR,))
VENDOR_ROWS = Metric("gnosis_vendor_rows", "counter", "Rows of vendors' answers handed to runs", (VENDOR,))
VENDOR_WAITS = Metric(
    "gnosis_vendor_wait_seconds", "counter", "Seconds that requests waited for a vendor's rate, over threads", (VENDOR,)
)
VENDOR_EVENTS = Metric(
    "gnosis_vendor_events",
    "counter",
    "What became of requests: retries, throttled, failures, breaker_openings, coalesced, reused, dropped_after_as_of",
    (VENDOR, OUTCOME),
)

METRICS = (
    SYMBOLS_DONE,
    SYMBOLS_DEGRADED,
    SYMBOLS_FAILED,
    SYMBOLS_QUARANTINED,
    BATCHES_DONE,
    BATCHES_REQUEUED,
    BATCHES_COPIED,
    HOSTS_LOST,
    LEDGER_ROWS,
    STAGE_SECONDS,
    QUOTE_AGE,
    VENDOR_REQUESTS,
    VENDOR_ROWS,
    VENDOR_WAITS,
    VENDOR_EVENTS,
)
"""All of them."""
