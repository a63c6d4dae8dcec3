"""Turns batch receipts and fan-out reports into observations of metrics. No Ray."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gnosis_ray.fanout import FanoutReport
from gnosis_ray.monitoring import catalogue
from gnosis_ray.monitoring.catalogue import GRANULARITY, REASON, STAGE, TABLE, Metric
from gnosis_ray.schemas.run_schemas import BatchReceipt


@dataclass(frozen=True)
class Observation:
    """An increment of a counter, a sample of a histogram, or the value of a gauge."""

    metric: Metric
    value: float
    tags: Mapping[str, str]


class RunMeter:
    """Observes one run. Counters that did not grow are left out."""

    def __init__(self, granularity: str) -> None:
        self._where = {GRANULARITY: granularity}
        self._seen: dict[Metric, int] = {}
        self._oldest_quotes: float | None = None

    def on_receipt(self, receipt: BatchReceipt) -> list[Observation]:
        """Observations of a committed batch; call it once for each."""
        failed = Counter(failure.stage for failure in receipt.failures)
        counts = [
            self._counted(catalogue.BATCHES_DONE, 1),
            self._counted(catalogue.SYMBOLS_DONE, receipt.rows.get("snapshots", 0)),
            self._counted(catalogue.SYMBOLS_QUARANTINED, _quarantined(receipt)),
            *_degraded(receipt),
            *(Observation(catalogue.SYMBOLS_FAILED, count, {STAGE: stage}) for stage, count in sorted(failed.items())),
            *(Observation(catalogue.LEDGER_ROWS, count, {TABLE: table}) for table, count in receipt.rows.items()),
        ]
        return [*(each for each in counts if each.value), *self._seconds(receipt), *self._quote_age(receipt)]

    def on_report(self, report: FanoutReport) -> list[Observation]:
        """Increments of the run's counters since the last report."""
        standing = {
            catalogue.HOSTS_LOST: report.hosts_lost,
            catalogue.BATCHES_REQUEUED: report.requeued,
            catalogue.BATCHES_COPIED: report.reissued,
        }
        grown = [self._counted(metric, count - self._seen.get(metric, 0)) for metric, count in standing.items()]
        self._seen = standing
        return [each for each in grown if each.value]

    def _counted(self, metric: Metric, count: int) -> Observation:
        return Observation(metric, count, self._where)

    def _seconds(self, receipt: BatchReceipt) -> Iterator[Observation]:
        for stage, seconds in receipt.seconds.items():
            yield Observation(catalogue.STAGE_SECONDS, seconds, self._where | {STAGE: stage})

    def _quote_age(self, receipt: BatchReceipt) -> Iterator[Observation]:
        """The age of the oldest quotes of the run so far."""
        age = receipt.quote_age_sessions
        if age is not None and (self._oldest_quotes is None or age > self._oldest_quotes):
            self._oldest_quotes = age
            yield Observation(catalogue.QUOTE_AGE, age, self._where)


def _quarantined(receipt: BatchReceipt) -> int:
    return sum(failure.kind == "quarantined" for failure in receipt.failures)


def _degraded(receipt: BatchReceipt) -> Iterator[Observation]:
    """Reasons read ``hedge:stale_quotes``."""
    for name, symbols in receipt.degraded.items():
        stage, _, reason = name.partition(":")
        yield Observation(catalogue.SYMBOLS_DEGRADED, len(symbols), {STAGE: stage, REASON: reason})
