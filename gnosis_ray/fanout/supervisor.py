"""Assigns batches to hosts, reacts to failures and knows when a run is done: pure decisions.

No Ray, no threads, no clock. The same events in the same order give the same decisions.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from gnosis_ray.fanout.batch_state import BatchState, WorkItem
from gnosis_ray.fanout.contract import BatchWorker, late
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


@dataclass(frozen=True)
class Assignment:
    """One attempt on one host.

    ``isolated_symbol``: an isolation run: compute this symbol alone and write nothing. Otherwise the batch without the
    symbols of ``quarantined``, which are written as failures with their reasons; where those are all of its symbols,
    the batch is given up.
    """

    host: int
    batch: Batch
    attempt: int
    isolated_symbol: str | None = None
    quarantined: tuple[tuple[str, str], ...] = ()

    @property
    def gives_up(self) -> bool:
        """Whether nothing is computed and only failures are written."""
        return self.isolated_symbol is None and len(self.quarantined) == len(self.batch.symbols)


def perform(worker: BatchWorker, assignment: Assignment) -> BatchReceipt | None:
    """Carry out one assignment on a worker; None for an isolation run that passed."""
    if assignment.isolated_symbol is not None:
        worker.compute(assignment.batch.only((assignment.isolated_symbol,)))
        return None
    batch, quarantined = assignment.batch, dict(assignment.quarantined)
    symbols = [symbol for symbol in batch.symbols if symbol not in quarantined]
    outcomes = [worker.compute(batch.only(symbols))] if symbols else []
    return worker.commit(batch, assignment.attempt, outcomes, quarantined)


@dataclass(frozen=True)
class FanoutLimits:
    """How much a run may hold, retry and wait."""

    window: int
    """Assignments that a host may hold."""
    max_attempts: int
    """Attempts at a batch in each stage, see :class:`~gnosis_ray.fanout.batch_state.BatchState`."""
    batch_timeout_s: float
    """Seconds that a batch may run."""
    symbol_timeout_s: float
    """Seconds that an isolation run of a symbol may take."""
    straggler_factor: float
    """A batch that runs for more than so many times the median is a straggler, see :class:`Supervisor`."""

    def __post_init__(self) -> None:
        if min(self.window, self.max_attempts) < 1:
            raise ValueError(
                f"Expected window and max_attempts of 1 or more, was {self.window} and {self.max_attempts}"
            )


@dataclass
class _Host:
    """A live host: its assignments in the order given, the first of which is running, and when that one started."""

    held: list[Assignment] = field(default_factory=list)
    running_since: float = 0.0


class Supervisor:
    """Assigns batches to hosts within a bounded window until each batch has exactly one receipt.

    * A host runs its assignments in the order given, so only the first is running. When a host is lost, that one
      counts as failed; those that wait behind it are requeued without a failure. Every assignment has an attempt
      number of its own: two attempts at a batch never share a temporary file.
    * Batches with fewer failures go first, then by index, and nothing waits behind a batch that has failed: one that
      kills hosts cannot hold up the others. :class:`BatchState` decides what follows a failure; in the end a symbol
      is quarantined, not its batch.
    * Once the queue is empty, an idle host gets a copy of what a straggler holds: a host whose assignment has been
      running for more than ``straggler_factor`` times the median batch. A batch is copied once in each stage; the
      first receipt counts.
    * Only a host that holds an assignment can report on it. Later reports of a lost host are ignored: its batches were
      assigned again, and the receipt of the new attempt counts.

    Times are seconds on any monotonic scale.
    """

    def __init__(self, batches: Sequence[Batch], limits: FanoutLimits) -> None:
        self._states = {batch.index: BatchState(batch, limits.max_attempts) for batch in batches}
        if len(self._states) != len(batches):
            raise ValueError("Expected distinct batch indices, was " + ", ".join(str(b.index) for b in batches))
        self._limits = limits
        self._queue = sorted(state.work_item() for state in self._states.values())
        self._hosts: dict[int, _Host] = {}
        self._lost: set[int] = set()
        self._receipts: dict[int, BatchReceipt] = {}
        self._quarantined: set[str] = set()
        self._durations: list[float] = []
        self.requeued = 0
        self.reissued = 0

    @property
    def done(self) -> bool:
        """Whether every batch has its receipt."""
        return len(self._receipts) == len(self._states)

    @property
    def unfinished(self) -> int:
        """Assignments that could run now, queued or held by a host, of batches without a receipt."""
        held = sum(not self._state(a).finished for host in self._hosts.values() for a in host.held)
        return held + sum(not self._states[item.batch].finished for item in self._queue)

    @property
    def receipts(self) -> tuple[BatchReceipt, ...]:
        """The receipts so far, by batch index."""
        return tuple(self._receipts[index] for index in sorted(self._receipts))

    @property
    def quarantined(self) -> tuple[str, ...]:
        """Symbols that are failures in the batches that have their receipt, sorted."""
        return tuple(sorted(self._quarantined))

    @property
    def hosts(self) -> tuple[int, ...]:
        """Hosts that accept work, ascending."""
        return tuple(sorted(self._hosts))

    def held(self, host: int) -> tuple[Assignment, ...]:
        """The assignments of a live host, the running one first; empty for any other host."""
        return tuple(self._hosts[host].held) if host in self._hosts else ()

    def on_host_ready(self, host: int) -> None:
        """A host accepts work. Raises ValueError for a number that is or was in use."""
        if host in self._hosts or host in self._lost:
            raise ValueError(f"Expected a new host number, was {host}")
        self._hosts[host] = _Host()

    def next_assignments(self, now: float) -> list[Assignment]:
        """What to assign now: first one batch to every idle host, then the second of each window, and so on."""
        found = []
        for depth in range(self._limits.window):
            for host in self.hosts:
                item = self._next_item() if self._has_room(host, depth) else None
                if item is not None:
                    found.append(self._assign(host, item, now))
        return found + self._copies(now)

    def on_done(self, assignment: Assignment, receipt: BatchReceipt | None, now: float) -> bool:
        """A host finished an assignment. True if ``receipt`` counts: the host held it, and no other was first.

        ``receipt`` is None for an isolation run, and only for one.
        """
        state = self._state(assignment)
        seconds = self._remove(assignment, now)
        if seconds is None or state.finished:
            return False
        if assignment.isolated_symbol is not None:
            self._push(state.isolation_passed(assignment.isolated_symbol))
            return False
        if receipt is None or receipt.batch != state.batch.index:
            raise ValueError(f"Expected the receipt of batch {state.batch.index}, was {receipt}")
        state.finished = True
        self._receipts[receipt.batch] = receipt
        self._quarantined |= {symbol for symbol, _ in assignment.quarantined}
        if not assignment.gives_up:
            self._durations.append(seconds)
        return True

    def on_failed(self, assignment: Assignment, reason: str, now: float) -> None:
        """An assignment raised on a host that lives on."""
        if self._remove(assignment, now) is not None:
            self._count_failure(assignment, reason)

    def on_host_lost(self, host: int, reason: str) -> tuple[Assignment, ...]:
        """A host is dead or given up; its assignments are requeued. Returns them, the one that was running first."""
        self._lost.add(host)
        held = self._hosts.pop(host, _Host()).held
        for assignment in held:
            self._release(assignment)
        for waiting in held[1:]:
            state = self._state(waiting)
            if not state.finished and (waiting.isolated_symbol is not None or not state.in_flight):
                self._requeue([state.work_item(waiting.isolated_symbol or "")])
        if held:
            self._count_failure(held[0], reason)
        return tuple(held)

    def overdue(self, now: float) -> tuple[tuple[Assignment, str], ...]:
        """Assignments past their time limit, with reasons. The caller ends their hosts and reports them lost."""
        found = []
        for number in self.hosts:
            host = self._hosts[number]
            if host.held:
                isolated = host.held[0].isolated_symbol is not None
                limit = self._limits.symbol_timeout_s if isolated else self._limits.batch_timeout_s
                if now - host.running_since > limit:
                    found.append((host.held[0], late(limit)))
        return tuple(found)

    def _state(self, assignment: Assignment) -> BatchState:
        return self._states[assignment.batch.index]

    def _has_room(self, host: int, depth: int) -> bool:
        """Whether a host may get an assignment at this depth. Nothing waits behind a batch that has failed before."""
        held = self._hosts[host].held
        return len(held) == depth and not (held and self._state(held[0]).suspect)

    def _next_item(self) -> WorkItem | None:
        while self._queue:
            item = heapq.heappop(self._queue)
            if not self._states[item.batch].finished:
                return item
        return None

    def _assign(self, host: int, item: WorkItem, now: float) -> Assignment:
        state = self._states[item.batch]
        attempt = state.next_attempt()
        if item.symbol:
            assignment = Assignment(host, state.batch, attempt, isolated_symbol=item.symbol)
        else:
            assignment = Assignment(host, state.batch, attempt, quarantined=tuple(sorted(state.quarantined.items())))
            state.in_flight += 1
        holder = self._hosts[host]
        if not holder.held:
            holder.running_since = now
        holder.held.append(assignment)
        return assignment

    def _copies(self, now: float) -> list[Assignment]:
        """Copies for idle hosts of what stragglers hold, the longest running first."""
        idle = [host for host in self.hosts if not self._hosts[host].held]
        if not idle or not self._durations:
            return []
        limit = self._limits.straggler_factor * median(self._durations)
        slow = sorted(
            (h for h in self._hosts.values() if h.held and now - h.running_since > limit), key=lambda h: h.running_since
        )
        items = []
        for assignment in (a for host in slow for a in host.held):
            state = self._state(assignment)
            if (
                assignment.isolated_symbol is None
                and not assignment.gives_up
                and not state.finished
                and not state.copied
            ):
                items.append(state.work_item())
        pairs = list(zip(idle, items, strict=False))
        self.reissued += len(pairs)
        for _, item in pairs:
            self._states[item.batch].copied = True
        return [self._assign(host, item, now) for host, item in pairs]

    def _remove(self, assignment: Assignment, now: float) -> float | None:
        """Remove an assignment from its host. Returns the seconds it ran, None where the host does not hold it."""
        host = self._hosts.get(assignment.host)
        if host is None or assignment not in host.held:
            return None
        seconds = 0.0
        if host.held[0] == assignment:
            seconds, host.running_since = now - host.running_since, now
        host.held.remove(assignment)
        self._release(assignment)
        return seconds

    def _release(self, assignment: Assignment) -> None:
        if assignment.isolated_symbol is None:
            self._state(assignment).in_flight -= 1

    def _count_failure(self, assignment: Assignment, reason: str) -> None:
        state = self._state(assignment)
        if state.finished:
            return
        if assignment.isolated_symbol is not None:
            self._requeue(state.isolation_failed(assignment.isolated_symbol, reason))
        else:
            self._requeue(state.attempt_failed(reason))

    def _requeue(self, items: Sequence[WorkItem]) -> None:
        self.requeued += len(items)
        self._push(items)

    def _push(self, items: Sequence[WorkItem]) -> None:
        for item in items:
            heapq.heappush(self._queue, item)
