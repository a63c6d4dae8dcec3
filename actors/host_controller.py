"""Drives a crew through a run: the Supervisor's decisions carried out, hosts replaced, progress told. No Ray."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.heartbeats import Heartbeats
from actors.restarts import Restarts
from actors.worker_pool import Crew, Event
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.fanout import DIED, Assignment, FanoutReport, Limits, Supervisor, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

TICK_S = 0.5
"""The longest time without a look at time limits."""

BROKE = "the connection to its host broke"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Staffing:
    """How a run is staffed. ``start_s``: for a host to be placed, to start and to open the job; ``heartbeat_s``:
    between two pings of a host; ``heartbeat_timeout_s``: of silence, after which it is lost."""

    granularity: str
    hosts: int
    limits: Limits
    start_s: float
    heartbeat_s: float
    heartbeat_timeout_s: float
    processes: int
    """At once, for the report: more than ``hosts`` where these lead others."""
    run: str = ""
    """The run's name, for the log."""


@dataclass(frozen=True)
class Progress:
    """Receipts since those already seen, in order of arrival, whether the run has ended, well or badly, and how it
    stands: as of a moment ago, at the end as ``run`` returns it."""

    receipts: tuple[BatchReceipt, ...]
    finished: bool
    standing: FanoutReport


class Foreman:
    """One run. ``run`` works in one thread; ``progress`` may be asked from others meanwhile.

    A dead host is replaced, later and later while nothing succeeds: up to ``max_attempts`` failed starts in a row, and
    ``max_attempts`` times ``hosts + 1`` deaths without a batch done between. Past that the run goes on with the hosts
    that live, and ends in :class:`ClusterError` when there are none.
    """

    def __init__(self, crew: Crew, batches: Sequence[Batch], staffing: Staffing, clock: Callable[[], float]) -> None:
        """``clock``: seconds on any steady scale."""
        self._crew = crew
        self._staffing = staffing
        self._clock = clock
        self._supervisor = Supervisor(batches, staffing.limits)
        self._beats = Heartbeats(staffing.heartbeat_s, staffing.heartbeat_timeout_s)
        attempts = staffing.limits.max_attempts
        self._false_starts = Restarts(attempts)
        self._deaths = Restarts(attempts * (staffing.hosts + 1))
        self._number = 0
        self._due: list[float] = []  # when replacements start
        self._opening: dict[int, float] = {}  # host -> since when
        self._broken: set[int] = set()  # hosts whose connection broke
        self._ready_since: dict[int, float] = {}
        self._host_seconds = 0.0
        self._lost = 0
        self._arrived: list[BatchReceipt] = []
        self._finished = False
        self._standing = self._report()
        self._news = threading.Condition()

    def run(self) -> FanoutReport:
        """Work until every batch has its receipt, then end the hosts. Errors: see the class and the Supervisor."""
        try:
            self._due = [self._clock()] * self._staffing.hosts
            while not self._supervisor.done:
                self._step()
                self._standing = self._report()
        finally:
            self._crew.close()
            for host in list(self._ready_since):
                self._retire(host)
            with self._news:
                self._standing = self._report()
                self._finished = True
                self._news.notify_all()
        return self._standing

    def progress(self, since: int, wait_s: float) -> Progress:
        """What arrived after the first ``since`` receipts; waits up to ``wait_s`` seconds for news."""
        with self._news:
            self._news.wait_for(lambda: self._finished or len(self._arrived) > since, wait_s)
            return Progress(tuple(self._arrived[since:]), self._finished, self._standing)

    def _step(self) -> None:
        now = self._clock()
        self._start_due(now)
        for host in self._beats.due(now):
            self._crew.ping(host)
        for assignment in self._supervisor.next_assignments(now):
            self._crew.hand(assignment)
        ping = self._beats.next_moment()
        moments = self._due if ping is None else [*self._due, ping]
        for event in self._crew.wait(min([TICK_S, *(max(0.0, moment - now) for moment in moments)])):
            self._on(event)
        self._end_late(self._clock())

    def _start_due(self, now: float) -> None:
        due = [moment for moment in self._due if moment <= now]
        self._due = [moment for moment in self._due if moment > now]
        for _ in due:
            self._opening[self._next_number()] = now
            self._crew.start(self._number)

    def _on(self, event: Event) -> None:
        if event.host not in self._opening and event.host not in self._ready_since:
            return  # news of a host that was ended while they were under way
        match event.kind:
            case "ready":
                self._on_ready(event.host)
            case "done":
                self._on_done(event)
            case "failed":
                self._on_failed(event)
            case "refused":
                self._on_refused(event)
            case "lost":
                self._on_lost(event)
            case "unsure":
                self._on_unsure(event.host)
            case "answered" if event.host in self._broken:
                self._rejoin(event.host)
            case "answered":
                self._beats.on_answer(event.host, self._clock())

    def _on_ready(self, host: int) -> None:
        now = self._clock()
        del self._opening[host]
        self._ready_since[host] = now
        self._beats.watch(host, now)
        self._false_starts.on_success()
        self._supervisor.on_host_ready(host)

    def _on_done(self, event: Event) -> None:
        if event.assignment is None:
            raise TypeError(f"Expected the assignment that is done, was {event}")
        self._deaths.on_success()
        if self._supervisor.on_done(event.assignment, event.receipt, self._clock()) and event.receipt is not None:
            with self._news:
                self._arrived.append(event.receipt)
                self._news.notify_all()

    def _on_failed(self, event: Event) -> None:
        if event.assignment is None:
            raise TypeError(f"Expected the assignment that failed, was {event}")
        self._warn_of(event.assignment, _reason(event))
        self._supervisor.on_failed(event.assignment, _reason(event), self._clock())

    def _on_refused(self, event: Event) -> None:
        if isinstance(event.error, GnosisError):
            raise event.error  # said on purpose: another host would say the same
        self._lose(event.host, _reason(event), _reason(event))

    def _on_lost(self, event: Event) -> None:
        self._lose(event.host, DIED, _reason(event))

    def _on_unsure(self, host: int) -> None:
        if host in self._opening:
            self._lose(host, DIED, "the connection to a host that was starting broke")
            return
        self._broken.add(host)
        self._beats.on_broken(host, self._clock())

    def _rejoin(self, host: int) -> None:
        """A host that fell silent is there. Its answers are lost, and it may still be at work on what it held."""
        number = self._next_number()
        self._retire(host)
        for assignment in self._supervisor.on_host_lost(host, BROKE):
            self._warn_of(assignment, BROKE)
        self._opening[number] = self._clock()
        self._crew.rejoin(host, number)

    def _end_late(self, now: float) -> None:
        start_limit = self._staffing.start_s
        for assignment, reason in self._supervisor.overdue(now):
            self._lose(assignment.host, reason, f"{assignment.batch.name} {reason}")
        for host in [host for host, since in self._opening.items() if now - since > start_limit]:
            self._lose(host, f"timed out: its host was not ready after {start_limit:g} s")
        for host in self._beats.silent(now):
            self._lose(host, DIED, f"timed out: silent for more than {self._beats.timeout_s:g} s")

    def _lose(self, host: int, reason: str, details: str | None = None) -> None:
        """End a host and, where its work needs one, plan a replacement.

        ``reason`` may end up in the ledger; ``details``, for the user's eyes, may name processes and machines.
        """
        restarts = self._false_starts if host in self._opening else self._deaths
        self._retire(host)
        self._crew.end(host)
        self._lost += 1
        logger.warning("host %d is lost: %s", host, details or reason, extra={"host": host})
        for assignment in self._supervisor.on_host_lost(host, reason):
            self._warn_of(assignment, reason)
        living = len(self._opening) + len(self._ready_since) + len(self._due)
        delay = restarts.on_loss()
        if delay is not None and living < min(self._staffing.hosts, self._supervisor.unfinished):
            self._due.append(self._clock() + delay)
        elif delay is None and living == 0:
            raise ClusterError(
                f"{restarts.in_a_row} hosts in a row were lost without finishing a batch; the last: "
                f"{details or reason}. What was finished is kept: cure the cause, then resume the run.",
                stage="fanout",
            )

    def _retire(self, host: int) -> None:
        since = self._ready_since.pop(host, None)
        if since is not None:
            self._host_seconds += self._clock() - since
        self._opening.pop(host, None)
        self._broken.discard(host)
        self._beats.forget(host)

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _warn_of(self, assignment: Assignment, reason: str) -> None:
        what = assignment.batch.name if assignment.probe is None else f"{assignment.probe} of {assignment.batch.name}"
        place = {"batch": assignment.batch.index, "host": assignment.host}
        logger.warning("%s was not done in try %d: %s", what, assignment.attempt, reason, extra=place)

    def _report(self) -> FanoutReport:
        return FanoutReport(
            granularity=self._staffing.granularity,
            hosts=self._staffing.processes,
            hosts_lost=self._lost,
            requeued=self._supervisor.requeued,
            reissued=self._supervisor.reissued,
            quarantined=self._supervisor.quarantined,
            host_seconds=self._host_seconds,
        )


def _reason(event: Event) -> str:
    return "no reason given" if event.error is None else reason_of(event.error)
