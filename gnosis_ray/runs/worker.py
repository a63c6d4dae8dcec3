"""A batch of any kind of run: what a pure job computes of it is written whole, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import polars as pl

from gnosis_ray.clock import Stopwatch
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")
"""What a job computes of some of a batch's symbols; it can be pickled."""


@dataclass(frozen=True)
class BatchResult:
    """What is to be written of a batch, and what its receipt says of it."""

    frames: Mapping[str, pl.DataFrame]
    """By table of the run's kind."""
    failures: tuple[Failure, ...] = ()
    degraded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reason -> symbols, sorted."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage -> seconds of work."""
    quote_age_sessions: float | None = None


class BatchWork(Protocol[Outcome]):
    """The pure part of a job, opened in one process: reads sources, computes, writes nothing."""

    def compute(self, batch: Batch) -> Outcome:
        """Compute the batch's symbols at its timestamps; a symbol's own error is part of the outcome."""
        ...

    def result(self, outcomes: Sequence[Outcome], failures: Sequence[Failure]) -> BatchResult:
        """What is written of outcomes with different symbols: the same bytes however the symbols were divided.

        ``failures``: of symbols that have no outcome, and what was known to be missing before the run.
        """
        ...


class RunWorker(Generic[Outcome]):
    """A :class:`gnosis_ray.fanout.BatchWorker` of any kind of run."""

    def __init__(
        self,
        work: BatchWork[Outcome],
        writer: RunWriter,
        known_failures: Mapping[int, tuple[Failure, ...]] | None = None,
    ) -> None:
        """``known_failures``: by batch, what was missing before the run began."""
        self._work = work
        self._writer = writer
        self._known_failures = known_failures or {}

    def compute(self, batch: Batch) -> Outcome:
        """See :meth:`gnosis_ray.fanout.BatchWorker.compute`."""
        return self._work.compute(batch)

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[Outcome], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        """See :meth:`gnosis_ray.fanout.BatchWorker.commit`."""
        failures = [Failure.quarantined(symbol, reason) for symbol, reason in quarantined.items()]
        failures += self._known_failures.get(batch.index, ())
        result = self._work.result(outcomes, failures)
        receipt = BatchReceipt(
            batch=batch.index,
            attempt=attempt,
            rows={table: result.frames[table].height for table in self._writer.tables},
            degraded=dict(result.degraded),
            failures=result.failures,
            seconds=dict(result.seconds),
            quote_age_sessions=result.quote_age_sessions,
        )
        _log(batch, result.failures)
        watch = Stopwatch()
        with watch("ledger"):
            self._writer.write_batch(batch, result.frames, receipt)
        return receipt.model_copy(update={"seconds": {**result.seconds, **watch.seconds}})


def _log(batch: Batch, failures: Iterable[Failure]) -> None:
    for failure in failures:
        level = logging.WARNING if failure.kind == "quarantined" else logging.INFO
        place = {"symbol": failure.symbol, "stage": failure.stage, "batch": batch.index}
        logger.log(level, "%s has no result: %s: %s", failure.symbol, failure.error, failure.message, extra=place)
