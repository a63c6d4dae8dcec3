"""Batches whose symbols each run in processes of their own: one leader computes and writes a batch at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.symbol_worker_pool import SymbolWorkerEvent, SymbolWorkerPool
from gnosis_ray.fanout import Attempt, BatchWorker, SymbolScheduler
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""The longest time between two checks of time limits."""


@dataclass(frozen=True)
class SymbolLimits:
    """How many symbols a leader runs at once, and the seconds that each may take to start and to run."""

    at_once: int
    start_s: float
    timeout_s: float


@dataclass
class SymbolResults:
    """The results of symbols that ran in processes of their own."""

    outcomes: list[Any] = field(default_factory=list)
    """What ``compute`` returned for each symbol, by symbol."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """Symbols without an outcome, with the reasons."""


class PerSymbolWorker:
    """A BatchWorker that computes nothing itself: each symbol has a process of its own, in waves where need be."""

    def __init__(
        self, writer: BatchWorker, pool: SymbolWorkerPool, limits: SymbolLimits, clock: Callable[[], float]
    ) -> None:
        """``writer`` commits the batches; ``clock``: seconds on any monotonic scale."""
        self._writer = writer
        self._pool = pool
        self._limits = limits
        self._clock = clock

    def compute(self, batch: Batch) -> SymbolResults:
        """See :class:`BatchWorker`. A symbol that fails alone, twice, is quarantined; nothing is raised for it."""
        limits = self._limits
        scheduler = SymbolScheduler(
            batch.symbols, at_once=limits.at_once, timeout_s=limits.timeout_s, start_s=limits.start_s
        )
        try:
            while not scheduler.done:
                for attempt in scheduler.due(self._clock()):
                    self._pool.start(attempt, batch.only((attempt.symbol,)))
                for event in self._pool.wait(TICK_S):
                    self._on(event, scheduler)
                for attempt, reason in scheduler.overdue(self._clock()):
                    self._pool.end(attempt)
                    self._on_failed(attempt, reason, scheduler)
        finally:
            self._pool.close()
        outcomes = [scheduler.outcomes[symbol] for symbol in sorted(scheduler.outcomes)]
        return SymbolResults(outcomes, scheduler.quarantined)

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[SymbolResults], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        """See :class:`BatchWorker`."""
        merged = [outcome for results in outcomes for outcome in results.outcomes]
        missing = {symbol: reason for results in outcomes for symbol, reason in results.quarantined.items()}
        return self._writer.commit(batch, attempt, merged, missing | dict(quarantined))

    def _on(self, event: SymbolWorkerEvent, scheduler: SymbolScheduler) -> None:
        if event.kind == "ready":
            scheduler.on_ready(event.attempt, self._clock())
            return
        self._pool.end(event.attempt)
        if event.kind == "done":
            scheduler.on_done(event.attempt, event.outcome)
        else:
            self._on_failed(event.attempt, event.reason, scheduler)

    def _on_failed(self, attempt: Attempt, reason: str, scheduler: SymbolScheduler) -> None:
        place = {"symbol": attempt.symbol, "stage": "host"}
        logger.warning("%s failed in attempt %d: %s", attempt.symbol, attempt.number, reason, extra=place)
        scheduler.on_failed(attempt, reason)
