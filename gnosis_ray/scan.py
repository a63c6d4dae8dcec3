"""A scan: one pass over a universe at one moment, cut into batches, worked anywhere, sealed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gnosis_ray.app import Parts, build_adapter
from gnosis_ray.clock import Stopwatch
from gnosis_ray.config import Config
from gnosis_ray.data.calendar import SessionCalendar
from gnosis_ray.data.preloaded_adapter import ContextReader
from gnosis_ray.engines.orchestration.batch_pass import BatchOutcome, BatchPass
from gnosis_ray.errors import NoDataError
from gnosis_ray.fanout import Fanout, FanoutReport, OnReceipt
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure, RunManifest, RunReceipt, RunStatus

DRIVER = "driver."
"""Prefix of the stages that the driver spends before the pass."""


@dataclass(frozen=True)
class ScanJob:
    """A pass over a universe at one moment: small, picklable, opened once in each host."""

    config: Config
    calendar: SessionCalendar
    as_of: datetime
    writer: RunWriter

    def open(self) -> ScanWorker:
        """Build the sources and the parts. Raises :class:`DataError` where the data cannot be opened."""
        return ScanWorker(self)


class ScanWorker:
    """Works batches of a :class:`ScanJob`: a pass, then one whole write."""

    def __init__(self, job: ScanJob) -> None:
        self._job = job
        self._adapter = build_adapter(job.config, job.calendar)
        self._parts = Parts(job.config)
        self._contexts = ContextReader(self._adapter)

    def run(self, batch: Batch, attempt: int) -> BatchReceipt:
        """Work and commit a batch. A symbol's error is a failure in the receipt."""
        watch = Stopwatch()
        batch_pass = BatchPass(self._parts, self._adapter, self._job.config, watch, self._contexts)
        outcome = batch_pass.run(batch.symbols, self._job.as_of)
        return self._commit(batch, attempt, outcome, watch)

    def give_up(self, batch: Batch, attempt: int, reason: str) -> BatchReceipt:
        """Commit the batch with nothing but a failure a symbol."""
        failures = [Failure(symbol=s, stage="host", error="Quarantined", message=reason) for s in batch.symbols]
        return self._commit(batch, attempt, BatchOutcome(failures=failures), Stopwatch())

    def _commit(self, batch: Batch, attempt: int, outcome: BatchOutcome, watch: Stopwatch) -> BatchReceipt:
        receipt = BatchReceipt(
            batch=batch.index,
            attempt=attempt,
            snapshots=len(outcome.records),
            ideas=sum(len(record.trade_ideas) for record in outcome.records),
            degraded=outcome.degraded(),
            failures=tuple(outcome.failures),
            seconds=watch.seconds,
        )
        with watch("ledger"):
            self._job.writer.write_batch(batch, attempt, outcome.records, outcome.details, outcome.failures, receipt)
        return receipt.model_copy(update={"seconds": watch.seconds})


def run_scan(
    job: ScanJob,
    manifest: RunManifest,
    fanout: Fanout,
    now: Callable[[], datetime],
    on_receipt: OnReceipt,
    started: datetime,
    setup_seconds: dict[str, float],
) -> RunReceipt:
    """Work every batch that is not committed yet, then seal the run.

    ``now`` reads the clock for ``runs`` alone; ``started`` and ``setup_seconds`` say what the driver did before, the
    seconds by stage.
    """
    done = job.writer.committed()
    missing = [batch for batch in manifest.batches() if batch.index not in done]
    fresh: list[BatchReceipt] = []

    def keep(receipt: BatchReceipt) -> None:
        fresh.append(receipt)
        on_receipt(receipt)

    report = fanout.run(job, missing, keep)
    setup = {f"{DRIVER}{stage}": seconds for stage, seconds in setup_seconds.items()}
    seconds = setup | _total(receipt.seconds for receipt in [*done.values(), *fresh])
    # what stands in the ledger counts, whoever wrote it: an attempt given up for lost may have won
    standing = job.writer.committed()
    receipts = [standing[index] for index in sorted(standing)]
    sealed = _seal(manifest, receipts, report, started, now(), seconds)
    job.writer.seal(sealed)
    return sealed


def _seal(
    manifest: RunManifest,
    receipts: Sequence[BatchReceipt],
    report: FanoutReport,
    started: datetime,
    finished: datetime,
    seconds: dict[str, float],
) -> RunReceipt:
    failures = tuple(sorted((f for r in receipts for f in r.failures), key=lambda f: (f.symbol, f.stage)))
    snapshots = sum(receipt.snapshots for receipt in receipts)
    return RunReceipt(
        run_id=manifest.run_id,
        run_date=manifest.run_date,
        status=_status(snapshots, failures),
        as_of=manifest.as_of,
        provider=manifest.provider,
        synthetic=manifest.synthetic,
        universe=manifest.universe,
        granularity=report.granularity,
        hosts=report.hosts,
        symbols=len(manifest.symbols),
        snapshots=snapshots,
        ideas=sum(receipt.ideas for receipt in receipts),
        degraded=_merge(receipt.degraded for receipt in receipts),
        failures=failures,
        seconds=seconds,
        config_hash=manifest.config_hash,
        version=manifest.version,
        started_at=started,
        finished_at=finished,
    )


def _status(snapshots: int, failures: Sequence[Failure]) -> RunStatus:
    if snapshots == 0 and all(failure.error == NoDataError.__name__ for failure in failures):
        return "no_data"
    return "done_with_failures" if failures else "done"


def _merge(parts: Iterable[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, set[str]] = {}
    for part in parts:
        for reason, symbols in part.items():
            merged.setdefault(reason, set()).update(symbols)
    return {reason: tuple(sorted(merged[reason])) for reason in sorted(merged)}


def _total(parts: Iterable[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for stage, seconds in part.items():
            total[stage] = total.get(stage, 0.0) + seconds
    return total
