"""Drives a crew through a run: the Supervisor's decisions carried out, hosts replaced, progress told. No Ray."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.crew import Crew, Event
from actors.restarts import Restarts
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.fanout import FanoutReport, Supervisor, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

TICK_S = 0.5
"""The longest time without a look at time limits."""
PING_INTERVAL_S = 1.0


@dataclass(frozen=True)
class Staffing:
    """How a run is staffed. ``timeout_s`` is for a batch at work and for a silent host, ``start_s`` for a host to be
    placed, to start and to open the job."""

    granularity: str
    hosts: int
    window: int
    max_attempts: int
    timeout_s: float
    start_s: float


@dataclass(frozen=True)
class Progress:
    """Receipts since those already seen, in order of arrival, and whether the run has ended, well or badly."""

    receipts: tuple[BatchReceipt, ...]
    finished: bool


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
        self._supervisor = Supervisor(
            batches, window=staffing.window, max_attempts=staffing.max_attempts, timeout_s=staffing.timeout_s
        )
        self._false_starts = Restarts(staffing.max_attempts)
        self._deaths = Restarts(staffing.max_attempts * (staffing.hosts + 1))
        self._number = 0
        self._due: list[float] = []  # when replacements start
        self._opening: dict[int, float] = {}  # host -> since when
        self._silent: dict[int, float] = {}
        self._pings: dict[int, float] = {}  # host -> when to ask again
        self._ready_since: dict[int, float] = {}
        self._host_seconds = 0.0
        self._lost = 0
        self._arrived: list[BatchReceipt] = []
        self._finished = False
        self._news = threading.Condition()

    def run(self) -> FanoutReport:
        """Work until every batch has its receipt, then end the hosts. Errors: see the class and the Supervisor."""
        try:
            self._due = [self._clock()] * self._staffing.hosts
            while not self._supervisor.done:
                self._step()
            return self._report()
        finally:
            self._crew.close()
            with self._news:
                self._finished = True
                self._news.notify_all()

    def progress(self, since: int, wait_s: float) -> Progress:
        """What arrived after the first ``since`` receipts; waits up to ``wait_s`` seconds for news."""
        with self._news:
            self._news.wait_for(lambda: self._finished or len(self._arrived) > since, wait_s)
            return Progress(tuple(self._arrived[since:]), self._finished)

    def _step(self) -> None:
        now = self._clock()
        self._start_due(now)
        self._ask_silent(now)
        for assignment in self._supervisor.next_assignments():
            self._crew.hand(assignment)
        moments = [*self._due, *self._pings.values()]
        for event in self._crew.wait(min([TICK_S, *(max(0.0, moment - now) for moment in moments)])):
            self._on(event)
        self._end_late(self._clock())

    def _start_due(self, now: float) -> None:
        due = [moment for moment in self._due if moment <= now]
        self._due = [moment for moment in self._due if moment > now]
        for _ in due:
            self._opening[self._next_number()] = now
            self._crew.start(self._number)

    def _ask_silent(self, now: float) -> None:
        for host in [host for host, moment in self._pings.items() if moment <= now]:
            del self._pings[host]
            self._crew.ping(host)

    def _on(self, event: Event) -> None:
        if event.host not in self._opening and event.host not in self._ready_since and event.host not in self._silent:
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
                self._lose(event.host, _reason(event))
            case "unsure":
                self._silent.setdefault(event.host, self._clock())
                self._pings[event.host] = self._clock() + PING_INTERVAL_S
            case "answered" if event.host in self._silent:
                self._rejoin(event.host)

    def _on_ready(self, host: int) -> None:
        del self._opening[host]
        self._ready_since[host] = self._clock()
        self._false_starts.on_success()
        self._supervisor.on_host_ready(host)

    def _on_done(self, event: Event) -> None:
        if event.assignment is None or event.receipt is None:
            raise TypeError(f"Expected a receipt and its assignment, was {event}")
        if self._supervisor.on_done(event.host, event.assignment.batch.index, event.receipt):
            self._deaths.on_success()
            with self._news:
                self._arrived.append(event.receipt)
                self._news.notify_all()

    def _on_failed(self, event: Event) -> None:
        if event.assignment is None:
            raise TypeError(f"Expected the assignment that failed, was {event}")
        self._supervisor.on_batch_failed(event.host, event.assignment.batch.index, _reason(event))

    def _on_refused(self, event: Event) -> None:
        if isinstance(event.error, GnosisError):
            raise event.error  # said on purpose: another host would say the same
        self._lose(event.host, _reason(event))

    def _rejoin(self, host: int) -> None:
        """A host that fell silent is there. Its answers are lost, and it may still be at work on what it held."""
        number = self._next_number()
        self._retire(host)
        self._supervisor.on_host_lost(host, "the connection to its host broke")
        self._opening[number] = self._clock()
        self._crew.rejoin(host, number)

    def _end_late(self, now: float) -> None:
        limit, start_limit = self._staffing.timeout_s, self._staffing.start_s
        for assignment in self._supervisor.overdue(now):
            self._lose(assignment.host, f"timed out: at work on {assignment.batch.name} for more than {limit:g} s")
        for host in [host for host, since in self._opening.items() if now - since > start_limit]:
            self._lose(host, f"timed out: not ready after {start_limit:g} s")
        for host in [host for host, since in self._silent.items() if now - since > limit]:
            self._lose(host, f"timed out: silent for more than {limit:g} s")

    def _lose(self, host: int, reason: str) -> None:
        """End a host and, where its work needs one, plan a replacement."""
        restarts = self._false_starts if host in self._opening else self._deaths
        self._retire(host)
        self._crew.end(host)
        self._lost += 1
        self._supervisor.on_host_lost(host, reason)
        living = len(self._opening) + len(self._ready_since) + len(self._due)
        delay = restarts.on_loss()
        if delay is not None and living < min(self._staffing.hosts, self._supervisor.unfinished):
            self._due.append(self._clock() + delay)
        elif delay is None and living == 0:
            raise ClusterError(
                f"{restarts.in_a_row} hosts in a row were lost without finishing a batch; the last: {reason}. "
                "What was finished is kept: cure the cause, then resume the run.",
                stage="fanout",
            )

    def _retire(self, host: int) -> None:
        since = self._ready_since.pop(host, None)
        if since is not None:
            self._host_seconds += self._clock() - since
        for book in (self._opening, self._silent, self._pings):
            book.pop(host, None)

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _report(self) -> FanoutReport:
        for host in list(self._ready_since):
            self._retire(host)
        return FanoutReport(
            granularity=self._staffing.granularity,
            hosts=self._staffing.hosts,
            hosts_lost=self._lost,
            requeued=self._supervisor.requeued,
            quarantined=self._supervisor.quarantined,
            host_seconds=self._host_seconds,
        )


def _reason(event: Event) -> str:
    return "no reason given" if event.error is None else reason_of(event.error)
