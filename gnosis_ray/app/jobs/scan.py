"""A scan: one pass over a universe at one moment, cut into batches, worked anywhere, sealed once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.clock import Stopwatch
from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError
from gnosis_ray.fanout import Fanout, FanoutReport, MethodCaller, OnReceipt
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass, PipelineComponents
from gnosis_ray.pipeline.component_proxies import COMPOSER, TRADE_AGENT, ProxyComponents, agent_role
from gnosis_ray.schemas.run_schemas import (
    QUARANTINED,
    Batch,
    BatchReceipt,
    Failure,
    RunManifest,
    RunReceipt,
    RunStatus,
)

logger = logging.getLogger(__name__)

DRIVER = "driver."
"""Prefix of the stages that the driver spends before the pass."""


def roles_of(config: Config) -> tuple[str, ...]:
    """The components of a pass: engines by kind, agents as ``agent.<name>``, the composer and the trade agent."""
    agents = (agent_role(name) for name in config.agents.enabled)
    return (*config.engines.enabled, *agents, COMPOSER, TRADE_AGENT)


@dataclass(frozen=True)
class ScanJob:
    """A pass over a universe at one moment: small, picklable, opened once in each host."""

    config: Config
    calendar: SessionCalendar
    as_of: datetime
    writer: RunWriter
    fetch_failures: Mapping[int, tuple[Failure, ...]] = field(default_factory=dict)
    """By batch: see :func:`failed_fetches`."""

    def open(self) -> ScanWorker:
        """Build the sources and the components. Raises :class:`DataError` where the data cannot be opened."""
        return ScanWorker(self, ConfiguredComponents(self.config))

    def roles(self) -> tuple[str, ...]:
        """See :func:`roles_of`."""
        return roles_of(self.config)

    def open_component(self, role: str) -> object:
        """The engine or agent of a role, over sources of its own. Raises :class:`DataError` as ``open`` does."""
        components, adapter = ConfiguredComponents(self.config), build_adapter(self.config, self.calendar)
        makers: dict[str, Callable[[], object]] = {COMPOSER: components.composer}
        makers[TRADE_AGENT] = lambda: components.trade_agent(adapter)
        named = {agent_role(name): index for index, name in enumerate(self.config.agents.enabled)}
        if role in makers:
            return makers[role]()
        if role in named:
            return components.primary_agents()[named[role]]
        return next(engine for engine in components.engines(adapter) if engine.kind == role)

    def open_runner(self, callers: Mapping[str, MethodCaller]) -> ScanWorker:
        """The same pass, over components in other processes."""
        return ScanWorker(
            self, ProxyComponents(ConfiguredComponents(self.config), tuple(self.config.agents.enabled), callers)
        )


class ScanWorker:
    """Works symbols of a :class:`ScanJob` in a pass, and writes batches whole."""

    def __init__(self, job: ScanJob, components: PipelineComponents) -> None:
        self._job = job
        self._pass = BatchPass(components, build_adapter(job.config, job.calendar), job.config)

    def compute(self, symbols: Sequence[str]) -> BatchOutcome:
        """One pass over the symbols. A symbol's error is a failure in the outcome."""
        return self._pass.run(symbols, self._job.as_of)

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[BatchOutcome], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        """Write a batch, whichever way its symbols were computed; a failure for each that is quarantined."""
        failures = [
            Failure(symbol=symbol, stage="host", error=QUARANTINED, message=reason)
            for symbol, reason in quarantined.items()
        ]
        failures += self._job.fetch_failures.get(batch.index, ())
        outcome = BatchOutcome.merged([*outcomes, BatchOutcome(failures=failures)])
        receipt = BatchReceipt(
            batch=batch.index,
            attempt=attempt,
            snapshots=len(outcome.records),
            ideas=sum(len(record.trade_ideas) for record in outcome.records),
            degraded=outcome.degraded(),
            failures=tuple(outcome.failures),
            seconds=outcome.seconds,
            quote_age_sessions=outcome.quote_age_sessions(),
        )
        _log(batch, outcome.failures)
        watch = Stopwatch()
        with watch("ledger"):
            self._job.writer.write_batch(batch, attempt, outcome.records, outcome.details, outcome.failures, receipt)
        return receipt.model_copy(update={"seconds": outcome.seconds | watch.seconds})


def failed_fetches(manifest: RunManifest) -> dict[int, tuple[Failure, ...]]:
    """What could not be fetched, by the batch to tell it with: that of its symbol, else the first."""
    batch_of = {symbol: batch.index for batch in manifest.batches() for symbol in batch.symbols}
    found: dict[int, tuple[Failure, ...]] = {}
    for failure in manifest.fetch_failures:
        index = batch_of.get(failure.symbol, 0)
        found[index] = (*found.get(index, ()), failure)
    return found


def _log(batch: Batch, failures: Iterable[Failure]) -> None:
    for failure in failures:
        level = logging.WARNING if failure.error == QUARANTINED else logging.INFO
        place = {"symbol": failure.symbol, "stage": failure.stage, "batch": batch.index}
        logger.log(level, "%s has no result: %s: %s", failure.symbol, failure.error, failure.message, extra=place)


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
        universe_note=manifest.universe_note,
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
        traffic=manifest.traffic,
    )


def _status(snapshots: int, failures: Sequence[Failure]) -> RunStatus:
    if snapshots == 0 and all(failure.error == NoDataError.__name__ for failure in failures):
        return "no_data"
    return "done_with_failures" if failures else "done"


def _merge(batches: Iterable[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, set[str]] = {}
    for degraded in batches:
        for reason, symbols in degraded.items():
            merged.setdefault(reason, set()).update(symbols)
    return {reason: tuple(sorted(merged[reason])) for reason in sorted(merged)}


def _total(batches: Iterable[dict[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for stages in batches:
        for stage, seconds in stages.items():
            total[stage] = total.get(stage, 0.0) + seconds
    return total
