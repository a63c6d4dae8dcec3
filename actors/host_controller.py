"""Runs batches on a pool of workers, replaces hosts that are lost and reports progress. No Ray."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.heartbeats import Heartbeats
from actors.pool_config import PoolConfig
from actors.restarts import Restarts
from actors.worker_pool import WorkerEvent, WorkerPool
from gnosis_ray.errors import ClusterError, GnosisError, require_no_fault_of_machine
from gnosis_ray.fanout import DIED, Assignment, FanoutReport, Supervisor, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

TICK_S = 0.5
"""The longest time between two checks of time limits."""

BROKE = "the connection to its host broke"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunProgress:
    """The state of a run since the receipts that the caller has already seen."""

    receipts: tuple[BatchReceipt, ...]
    """New ones, in order of arrival."""
    finished: bool
    """Whether the run has ended, with or without an error."""
    report: FanoutReport
    """The latest; once finished, what ``run`` returns."""


class HostController:
    """Controls the hosts of one run. ``run`` occupies one thread; other threads may call ``progress`` meanwhile.

    A lost host is replaced, with growing delays while nothing succeeds: up to ``max_attempts`` failed starts in a row,
    and ``max_attempts`` times ``hosts + 1`` losses without a finished batch between. Beyond that the run continues on
    the remaining hosts, and ends in :class:`ClusterError` when there are none.
    """

    def __init__(
        self, pool: WorkerPool, batches: Sequence[Batch], config: PoolConfig, clock: Callable[[], float]
    ) -> None:
        """``clock``: seconds on any monotonic scale."""
        self._pool = pool
        self._config = config
        self._clock = clock
        self._supervisor = Supervisor(batches, config.limits)
        self._heartbeats = Heartbeats(config.heartbeat_s, config.heartbeat_timeout_s)
        attempts = config.limits.max_attempts
        self._failed_starts = Restarts(attempts)
        self._losses = Restarts(attempts * (config.hosts + 1))
        self._number = 0
        self._starts_due: list[float] = []  # when replacements start
        self._opening: dict[int, float] = {}  # host -> start time
        self._unavailable: set[int] = set()  # hosts whose connection broke
        self._ready_since: dict[int, float] = {}
        self._host_seconds = 0.0
        self._lost = 0
        self._arrived: list[BatchReceipt] = []
        self._finished = False
        self._latest_report = self._report()
        self._changed = threading.Condition()

    def run(self) -> FanoutReport:
        """Work until every batch has its receipt, then end the hosts. For errors see the class and the Supervisor."""
        try:
            self._starts_due = [self._clock()] * self._config.hosts
            while not self._supervisor.done:
                self._step()
                self._latest_report = self._report()
        finally:
            self._pool.close()
            for host in list(self._ready_since):
                self._retire(host)
            with self._changed:
                self._latest_report = self._report()
                self._finished = True
                self._changed.notify_all()
        return self._latest_report

    def progress(self, since: int, wait_s: float) -> RunProgress:
        """What arrived after the first ``since`` receipts; waits up to ``wait_s`` seconds for another one."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished or len(self._arrived) > since, wait_s)
            return RunProgress(tuple(self._arrived[since:]), self._finished, self._latest_report)

    def _step(self) -> None:
        now = self._clock()
        self._start_due(now)
        for host in self._heartbeats.due(now):
            self._pool.ping(host)
        for assignment in self._supervisor.next_assignments(now):
            self._pool.submit(assignment)
        ping = self._heartbeats.next_due()
        moments = self._starts_due if ping is None else [*self._starts_due, ping]
        for event in self._pool.wait(min([TICK_S, *(max(0.0, moment - now) for moment in moments)])):
            self._on(event)
        self._end_late(self._clock())

    def _start_due(self, now: float) -> None:
        due = [moment for moment in self._starts_due if moment <= now]
        self._starts_due = [moment for moment in self._starts_due if moment > now]
        for _ in due:
            self._opening[self._next_number()] = now
            self._pool.start(self._number)

    def _on(self, event: WorkerEvent) -> None:
        if event.host not in self._opening and event.host not in self._ready_since:
            return  # a late event of a host that was ended
        match event.kind:
            case "ready":
                self._on_ready(event.host)
            case "done":
                self._on_done(event)
            case "failed":
                self._on_failed(event)
            case "start_failed":
                self._on_start_failed(event)
            case "lost":
                self._on_lost(event)
            case "unavailable":
                self._on_unavailable(event.host)
            case "pong" if event.host in self._unavailable:
                self._rejoin(event.host)
            case "pong":
                self._heartbeats.on_pong(event.host, self._clock())

    def _on_ready(self, host: int) -> None:
        now = self._clock()
        del self._opening[host]
        self._ready_since[host] = now
        self._heartbeats.watch(host, now)
        self._failed_starts.on_success()
        self._supervisor.on_host_ready(host)

    def _on_done(self, event: WorkerEvent) -> None:
        if event.assignment is None:
            raise TypeError(f"Expected the finished assignment, was {event}")
        self._losses.on_success()
        if self._supervisor.on_done(event.assignment, event.receipt, self._clock()) and event.receipt is not None:
            with self._changed:
                self._arrived.append(event.receipt)
                self._changed.notify_all()

    def _on_failed(self, event: WorkerEvent) -> None:
        if event.assignment is None:
            raise TypeError(f"Expected the failed assignment, was {event}")
        if isinstance(event.error, Exception):
            require_no_fault_of_machine(event.error)
        self._warn_of(event.assignment, _reason(event))
        self._supervisor.on_failed(event.assignment, _reason(event), self._clock())

    def _on_start_failed(self, event: WorkerEvent) -> None:
        if isinstance(event.error, GnosisError):
            raise event.error  # a typed error: another host would raise the same
        self._lose(event.host, _reason(event), _reason(event))

    def _on_lost(self, event: WorkerEvent) -> None:
        self._lose(event.host, DIED, _reason(event))

    def _on_unavailable(self, host: int) -> None:
        if host in self._opening:
            self._lose(host, DIED, "the connection to a host that was starting broke")
            return
        self._unavailable.add(host)
        self._heartbeats.on_unavailable(host, self._clock())

    def _rejoin(self, host: int) -> None:
        """A host whose connection broke is alive. Its answers are lost, and it may still run what it holds."""
        number = self._next_number()
        self._retire(host)
        for assignment in self._supervisor.on_host_lost(host, BROKE):
            self._warn_of(assignment, BROKE)
        self._opening[number] = self._clock()
        self._pool.rejoin(host, number)

    def _end_late(self, now: float) -> None:
        start_limit = self._config.start_s
        for assignment, reason in self._supervisor.overdue(now):
            self._lose(assignment.host, reason, f"{assignment.batch.name} {reason}")
        for host in [host for host, since in self._opening.items() if now - since > start_limit]:
            self._lose(host, f"timed out: its host was not ready after {start_limit:g} s")
        for host in self._heartbeats.silent(now):
            self._lose(host, DIED, f"timed out: silent for more than {self._heartbeats.timeout_s:g} s")

    def _lose(self, host: int, reason: str, details: str | None = None) -> None:
        """End a host and, where the remaining work needs one, plan a replacement.

        ``reason`` may be written to the ledger; ``details``, for the log, may name processes and machines.
        """
        restarts = self._failed_starts if host in self._opening else self._losses
        self._retire(host)
        self._pool.end(host)
        self._lost += 1
        logger.warning("host %d is lost: %s", host, details or reason, extra={"host": host})
        for assignment in self._supervisor.on_host_lost(host, reason):
            self._warn_of(assignment, reason)
        living = len(self._opening) + len(self._ready_since) + len(self._starts_due)
        delay = restarts.on_loss()
        if delay is not None and living < min(self._config.hosts, self._supervisor.unfinished):
            self._starts_due.append(self._clock() + delay)
        elif delay is None and living == 0:
            raise ClusterError(
                f"{restarts.in_a_row} hosts in a row were lost without finishing a batch; the last: "
                f"{details or reason}. What was finished is kept: remove the cause, then resume the run.",
                stage="fanout",
            )

    def _retire(self, host: int) -> None:
        since = self._ready_since.pop(host, None)
        if since is not None:
            self._host_seconds += self._clock() - since
        self._opening.pop(host, None)
        self._unavailable.discard(host)
        self._heartbeats.forget(host)

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _warn_of(self, assignment: Assignment, reason: str) -> None:
        symbol, name = assignment.isolated_symbol, assignment.batch.name
        what = name if symbol is None else f"{symbol} of {name}"
        place = {"batch": assignment.batch.index, "host": assignment.host}
        logger.warning("%s failed in attempt %d: %s", what, assignment.attempt, reason, extra=place)

    def _report(self) -> FanoutReport:
        return FanoutReport(
            granularity=self._config.granularity,
            hosts=self._config.processes,
            hosts_lost=self._lost,
            requeued=self._supervisor.requeued,
            reissued=self._supervisor.reissued,
            quarantined=self._supervisor.quarantined,
            host_seconds=self._host_seconds,
        )


def _reason(event: WorkerEvent) -> str:
    return "no reason given" if event.error is None else reason_of(event.error)
