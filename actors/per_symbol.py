"""A batch whose symbols each live in processes of their own: one leader a batch, which writes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray

from actors.symbol_worker_pool import News, RayTroupe, Troupe
from actors.worker import Berth
from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.fanout import BatchWorker, Job, Roster, Start
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

logger = logging.getLogger(__name__)

TICK_S = 0.5
"""The longest time without a look at time limits."""


@dataclass(frozen=True)
class Limits:
    """How many symbols a leader lets be at work at once, and how long each may take, to start and to work."""

    at_once: int
    start_s: float
    timeout_s: float


@dataclass
class Spread:
    """What came of symbols that were worked apart."""

    outcomes: list[Any] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


class SpreadWorker:
    """A BatchWorker that computes nothing itself: each symbol has a process of its own, in waves where need be."""

    def __init__(self, writer: BatchWorker, troupe: Troupe, limits: Limits, clock: Callable[[], float]) -> None:
        """``writer`` commits the batches; ``clock``: seconds on any steady scale."""
        self._writer = writer
        self._troupe = troupe
        self._limits = limits
        self._clock = clock

    def compute(self, symbols: Sequence[str]) -> Spread:
        """See :class:`BatchWorker`. A symbol that fails alone, twice, is lost; nothing is raised for it."""
        limits = self._limits
        roster = Roster(symbols, at_once=limits.at_once, timeout_s=limits.timeout_s, start_s=limits.start_s)
        try:
            while not roster.done:
                for start in roster.due(self._clock()):
                    self._troupe.start(start)
                for news in self._troupe.wait(TICK_S):
                    self._on(news, roster)
                for start, reason in roster.overdue(self._clock()):
                    self._troupe.end(start)
                    self._on_failed(start, reason, roster)
        finally:
            self._troupe.close()
        return Spread([roster.outcomes[symbol] for symbol in sorted(roster.outcomes)], roster.lost)

    def commit(self, batch: Batch, attempt: int, outcomes: Sequence[Spread], lost: Mapping[str, str]) -> BatchReceipt:
        """See :class:`BatchWorker`."""
        pieces = [outcome for spread in outcomes for outcome in spread.outcomes]
        missing = {symbol: reason for spread in outcomes for symbol, reason in spread.lost.items()}
        return self._writer.commit(batch, attempt, pieces, missing | dict(lost))

    def _on(self, news: News, roster: Roster) -> None:
        if news.kind == "ready":
            roster.on_ready(news.start, self._clock())
            return
        self._troupe.end(news.start)
        if news.kind == "done":
            roster.on_done(news.start, news.outcome)
        else:
            self._on_failed(news.start, news.reason, roster)

    def _on_failed(self, start: Start, reason: str, roster: Roster) -> None:
        place = {"symbol": start.symbol, "stage": "host"}
        logger.warning("%s was not done in try %d: %s", start.symbol, start.attempt, reason, extra=place)
        roster.on_failed(start, reason)


@dataclass(frozen=True)
class SpreadJob:
    """The job of a leader: ``job`` for each symbol alone, or with ``parted`` for each of its parts."""

    job: Job
    berth: Berth
    limits: Limits
    parted: bool

    def open(self) -> SpreadWorker:
        """See :meth:`gnosis_ray.fanout.Job.open`. Its actors live in a namespace of this leader's own."""
        namespace = f"gnosis-ray-{ray.get_runtime_context().get_actor_id()}"
        troupe = RayTroupe(self.job, self.berth, namespace, parted=self.parted)
        return SpreadWorker(self.job.open(), troupe, self.limits, monotonic_seconds)
