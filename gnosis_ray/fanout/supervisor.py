"""Which host works which batch, what happens when one fails, and when a run is done: pure decisions.

No Ray, no threads, no clock. The same events in the same order give the same decisions.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from gnosis_ray.fanout.batch_state import Case, Unit
from gnosis_ray.fanout.contract import BatchWorker, late
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


@dataclass(frozen=True)
class Assignment:
    """One try on one host.

    ``probe``: work this symbol alone and write nothing. Otherwise work the batch but for the symbols of ``lost``, which
    are written off with their reasons; where those are all of its symbols, the batch is given up.
    """

    host: int
    batch: Batch
    attempt: int
    probe: str | None = None
    lost: tuple[tuple[str, str], ...] = ()

    @property
    def gives_up(self) -> bool:
        """Whether nothing is worked, only failures written."""
        return self.probe is None and len(self.lost) == len(self.batch.symbols)


def perform(worker: BatchWorker, assignment: Assignment) -> BatchReceipt | None:
    """Carry out one assignment on a worker; None for a probe that passed."""
    if assignment.probe is not None:
        worker.compute((assignment.probe,))
        return None
    lost = dict(assignment.lost)
    symbols = tuple(symbol for symbol in assignment.batch.symbols if symbol not in lost)
    outcomes = [worker.compute(symbols)] if symbols else []
    return worker.commit(assignment.batch, assignment.attempt, outcomes, lost)


@dataclass(frozen=True)
class Limits:
    """``window``: tries a host may hold. ``max_attempts``: of a batch, see :class:`Case`. Seconds that a batch at work
    and a symbol alone may take; ``straggler_factor``: times the median batch, see :class:`Supervisor`."""

    window: int
    max_attempts: int
    batch_timeout_s: float
    symbol_timeout_s: float
    straggler_factor: float

    def __post_init__(self) -> None:
        if min(self.window, self.max_attempts) < 1:
            raise ValueError(
                f"Expected window and max_attempts of 1 or more, was {self.window} and {self.max_attempts}"
            )


@dataclass
class _Host:
    """A live host: what it holds in the order given (the first is at work), and since when that one works."""

    held: list[Assignment] = field(default_factory=list)
    since: float = 0.0


class Supervisor:
    """Hands batches to hosts within a bounded window until each has exactly one receipt.

    * A host works what it holds in the order given, so only its first try is at work. When a host is lost, that try
      takes a strike; those waiting behind it go back without one. Every handing-out has its own attempt number, strike
      or not: two tries never share a temporary file.
    * Batches with fewer strikes go first, then by index, and nothing waits behind one with strikes: one that kills
      hosts cannot hold up the others. What follows on strikes, :class:`Case` says: in the end a symbol is
      quarantined, not its batch.
    * Once nothing waits, an idle host gets a second copy of what a straggler holds: a host whose try has been at work
      for more than ``straggler_factor`` times the median batch. Once a batch and stage; the first receipt counts.
    * Only a host that holds a try can report on it. What a lost host says later is ignored: its batches were handed
      out again, and that try's receipt counts.

    Times are seconds on any steady scale.
    """

    def __init__(self, batches: Sequence[Batch], limits: Limits) -> None:
        self._cases = {batch.index: Case(batch, limits.max_attempts) for batch in batches}
        if len(self._cases) != len(batches):
            raise ValueError("Expected distinct batch indices, was " + ", ".join(str(b.index) for b in batches))
        self._limits = limits
        self._queue = sorted(case.unit() for case in self._cases.values())
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
        return len(self._receipts) == len(self._cases)

    @property
    def unfinished(self) -> int:
        """Tries that could be at work now: those in the queue and those at hosts, of batches without a receipt."""
        held = sum(not self._case(a).finished for host in self._hosts.values() for a in host.held)
        return held + sum(not self._cases[unit.batch].finished for unit in self._queue)

    @property
    def receipts(self) -> tuple[BatchReceipt, ...]:
        """The receipts so far, by batch index."""
        return tuple(self._receipts[index] for index in sorted(self._receipts))

    @property
    def quarantined(self) -> tuple[str, ...]:
        """Symbols that were written off in the batches that have their receipt, sorted."""
        return tuple(sorted(self._quarantined))

    @property
    def hosts(self) -> tuple[int, ...]:
        """Hosts that can be given work, ascending."""
        return tuple(sorted(self._hosts))

    def held(self, host: int) -> tuple[Assignment, ...]:
        """What a live host holds, the one at work first; empty for any other host."""
        return tuple(self._hosts[host].held) if host in self._hosts else ()

    def on_host_ready(self, host: int) -> None:
        """A host can take work. Raises ValueError for a number that is or was in use."""
        if host in self._hosts or host in self._lost:
            raise ValueError(f"Expected a new host number, was {host}")
        self._hosts[host] = _Host()

    def next_assignments(self, now: float) -> list[Assignment]:
        """What to hand out now: first one try to every idle host, then the second of each window, and so on."""
        found = []
        for depth in range(self._limits.window):
            for host in self.hosts:
                unit = self._next_unit() if self._has_place(host, depth) else None
                if unit is not None:
                    found.append(self._assign(host, unit, now))
        return found + self._copies(now)

    def on_done(self, assignment: Assignment, receipt: BatchReceipt | None, now: float) -> bool:
        """A host did what it was assigned. True if ``receipt`` counts: the host held the try, and no other was first.

        ``receipt`` is None for a probe, and only for one.
        """
        case = self._case(assignment)
        seconds = self._take_back(assignment, now)
        if seconds is None or case.finished:
            return False
        if assignment.probe is not None:
            self._push(case.probe_passed(assignment.probe))
            return False
        if receipt is None or receipt.batch != case.batch.index:
            raise ValueError(f"Expected the receipt of batch {case.batch.index}, was {receipt}")
        case.finished = True
        self._receipts[receipt.batch] = receipt
        self._quarantined |= {symbol for symbol, _ in assignment.lost}
        if not assignment.gives_up:
            self._durations.append(seconds)
        return True

    def on_failed(self, assignment: Assignment, reason: str, now: float) -> None:
        """A try raised on a host that lives on: a strike."""
        if self._take_back(assignment, now) is not None:
            self._strike(assignment, reason)

    def on_host_lost(self, host: int, reason: str) -> tuple[Assignment, ...]:
        """A host is dead or given up; what it held goes back. Returns that, the struck one first."""
        self._lost.add(host)
        held = self._hosts.pop(host, _Host()).held
        for assignment in held:
            self._land(assignment)
        for waiting in held[1:]:
            case = self._case(waiting)
            if not case.finished and (waiting.probe is not None or not case.live):
                self._again([case.unit(waiting.probe or "")])
        if held:
            self._strike(held[0], reason)
        return tuple(held)

    def overdue(self, now: float) -> tuple[tuple[Assignment, str], ...]:
        """Tries at work for longer than they may, each with the reason.

        The caller ends each one's host and reports it lost.
        """
        found = []
        for number in self.hosts:
            host = self._hosts[number]
            if host.held:
                alone = host.held[0].probe is not None
                limit = self._limits.symbol_timeout_s if alone else self._limits.batch_timeout_s
                if now - host.since > limit:
                    found.append((host.held[0], late(limit)))
        return tuple(found)

    def _case(self, assignment: Assignment) -> Case:
        return self._cases[assignment.batch.index]

    def _has_place(self, host: int, depth: int) -> bool:
        """Whether a try may come at this place. Nothing waits behind one that has failed before."""
        held = self._hosts[host].held
        return len(held) == depth and not (held and self._case(held[0]).suspect)

    def _next_unit(self) -> Unit | None:
        while self._queue:
            unit = heapq.heappop(self._queue)
            if not self._cases[unit.batch].finished:
                return unit
        return None

    def _assign(self, host: int, unit: Unit, now: float) -> Assignment:
        case = self._cases[unit.batch]
        attempt = case.next_attempt()
        if unit.symbol:
            assignment = Assignment(host, case.batch, attempt, probe=unit.symbol)
        else:
            assignment = Assignment(host, case.batch, attempt, lost=tuple(sorted(case.lost.items())))
            case.live += 1
        holder = self._hosts[host]
        if not holder.held:
            holder.since = now
        holder.held.append(assignment)
        return assignment

    def _copies(self, now: float) -> list[Assignment]:
        """Second copies for idle hosts of what stragglers hold, the longest at work first."""
        idle = [host for host in self.hosts if not self._hosts[host].held]
        if not idle or not self._durations:
            return []
        limit = self._limits.straggler_factor * median(self._durations)
        slow = sorted((h for h in self._hosts.values() if h.held and now - h.since > limit), key=lambda h: h.since)
        units = []
        for assignment in (a for host in slow for a in host.held):
            case = self._case(assignment)
            if assignment.probe is None and not assignment.gives_up and not case.finished and not case.copied:
                units.append(case.unit())
        pairs = list(zip(idle, units, strict=False))
        self.reissued += len(pairs)
        for _, unit in pairs:
            self._cases[unit.batch].copied = True
        return [self._assign(host, unit, now) for host, unit in pairs]

    def _take_back(self, assignment: Assignment, now: float) -> float | None:
        """Remove a try from what its host holds; the seconds it was at work, None where the host does not hold it."""
        host = self._hosts.get(assignment.host)
        if host is None or assignment not in host.held:
            return None
        seconds = 0.0
        if host.held[0] == assignment:
            seconds, host.since = now - host.since, now
        host.held.remove(assignment)
        self._land(assignment)
        return seconds

    def _land(self, assignment: Assignment) -> None:
        if assignment.probe is None:
            self._case(assignment).live -= 1

    def _strike(self, assignment: Assignment, reason: str) -> None:
        case = self._case(assignment)
        if case.finished:
            return
        if assignment.probe is not None:
            self._again(case.probe_failed(assignment.probe, reason))
        else:
            self._again(case.strike(reason))

    def _again(self, units: Sequence[Unit]) -> None:
        self.requeued += len(units)
        self._push(units)

    def _push(self, units: Sequence[Unit]) -> None:
        for unit in units:
            heapq.heappush(self._queue, unit)
