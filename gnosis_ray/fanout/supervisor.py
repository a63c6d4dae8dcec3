"""Which host works which batch, what happens when one fails, and when a run is done: pure decisions.

No Ray, no threads, no clock. The same events in the same order give the same decisions.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from gnosis_ray.errors import LedgerError
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


@dataclass(frozen=True)
class Assignment:
    """One try of one batch on one host. ``give_up`` is the reason to quarantine it, None to work it."""

    host: int
    batch: Batch
    attempt: int
    give_up: str | None


@dataclass
class _Case:
    """What is known of a batch: tries handed out, tries that count against it, the last reason."""

    batch: Batch
    tries: int = 0
    strikes: int = 0
    reason: str = ""


@dataclass
class _Host:
    """A live host: what it holds in the order given (the first is at work), and since when that one works."""

    held: list[Assignment] = field(default_factory=list)
    head_since: float | None = None


class Supervisor:
    """Hands batches to hosts within a bounded window until each has exactly one receipt.

    * A host works what it holds in the order given, so only its first batch is at work. When a host is lost, that
      batch takes a strike; those waiting behind it go back without one. Every handing-out has its own attempt
      number, strike or not: two tries never share a temporary file.
    * Batches with fewer strikes go first, then by index: one that kills hosts cannot hold up the others.
    * At ``max_attempts`` strikes a batch is quarantined: the next assignment of it says ``give_up``. Giving up has as
      many tries again; after those nothing can be written for it and the event raises LedgerError.
    * Only a host that holds a batch can acknowledge it. What a lost host says later is ignored: its batches were
      handed out again, and that try's receipt counts.
    """

    def __init__(self, batches: Sequence[Batch], *, window: int, max_attempts: int, timeout_s: float) -> None:
        """``window``: batches a host may hold. ``timeout_s``: seconds the batch at work may take."""
        self._cases = {batch.index: _Case(batch) for batch in batches}
        if len(self._cases) != len(batches):
            raise ValueError("Expected distinct batch indices, was " + ", ".join(str(b.index) for b in batches))
        if min(window, max_attempts) < 1:
            raise ValueError(f"Expected window and max_attempts of 1 or more, was {window} and {max_attempts}")
        self._window = window
        self._max_attempts = max_attempts
        self._timeout_s = timeout_s
        self._queue = [(0, index) for index in sorted(self._cases)]
        self._hosts: dict[int, _Host] = {}
        self._lost: set[int] = set()
        self._receipts: dict[int, BatchReceipt] = {}
        self._quarantined: set[int] = set()
        self.requeued = 0

    @property
    def done(self) -> bool:
        """Whether every batch has its receipt."""
        return len(self._receipts) == len(self._cases)

    @property
    def unfinished(self) -> int:
        """Batches without a receipt."""
        return len(self._cases) - len(self._receipts)

    @property
    def receipts(self) -> tuple[BatchReceipt, ...]:
        """The receipts so far, by batch index."""
        return tuple(self._receipts[index] for index in sorted(self._receipts))

    @property
    def quarantined(self) -> tuple[int, ...]:
        """Indices of batches whose receipt came from giving up, ascending."""
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

    def next_assignments(self) -> list[Assignment]:
        """What to hand out now: first one batch to every idle host, then the second of each window, and so on."""
        slots = ((depth, host) for depth in range(self._window) for host in self.hosts)
        return [self._assign(host) for depth, host in slots if self._queue and len(self._hosts[host].held) == depth]

    def on_done(self, host: int, batch_index: int, receipt: BatchReceipt) -> bool:
        """A host acknowledges a batch. True if the receipt counts, False if the host no longer held the batch."""
        if receipt.batch != batch_index:
            raise ValueError(f"Expected the receipt of batch {batch_index}, was of batch {receipt.batch}")
        assignment = self._take_back(host, batch_index)
        if assignment is None:
            return False
        self._receipts[batch_index] = receipt
        if assignment.give_up is not None:
            self._quarantined.add(batch_index)
        return True

    def on_batch_failed(self, host: int, batch_index: int, reason: str) -> None:
        """A batch raised on a host that lives on: a strike, and back into the queue."""
        if self._take_back(host, batch_index) is not None:
            self._strike(batch_index, reason)

    def on_host_lost(self, host: int, reason: str) -> tuple[int, ...]:
        """A host is dead or given up; what it held goes back. Returns those batches' indices, the struck one first."""
        self._lost.add(host)
        lost = self._hosts.pop(host, _Host()).held
        for waiting in lost[1:]:
            self._requeue(waiting.batch.index)
        if lost:
            self._strike(lost[0].batch.index, reason)
        return tuple(assignment.batch.index for assignment in lost)

    def overdue(self, now: float) -> tuple[Assignment, ...]:
        """Batches at work for longer than the timeout.

        ``now`` is in seconds on any steady scale. A batch's time runs from the first call that sees it at work, so
        ask at short intervals. The caller stops each host and reports it lost.
        """
        late = []
        for number in self.hosts:
            host = self._hosts[number]
            if not host.held:
                continue
            if host.head_since is None:
                host.head_since = now
            if now - host.head_since > self._timeout_s:
                late.append(host.held[0])
        return tuple(late)

    def _assign(self, host: int) -> Assignment:
        strikes, index = heapq.heappop(self._queue)
        case = self._cases[index]
        case.tries += 1
        give_up = case.reason if strikes >= self._max_attempts else None
        assignment = Assignment(host, case.batch, case.tries, give_up)
        self._hosts[host].held.append(assignment)
        return assignment

    def _take_back(self, host: int, index: int) -> Assignment | None:
        """Remove a batch from what a host holds; None if it does not hold it."""
        held = self._hosts[host].held if host in self._hosts else []
        for place, assignment in enumerate(held):
            if assignment.batch.index == index:
                if place == 0:
                    self._hosts[host].head_since = None
                return held.pop(place)
        return None

    def _strike(self, index: int, reason: str) -> None:
        case = self._cases[index]
        case.strikes += 1
        case.reason = reason
        if case.strikes >= 2 * self._max_attempts:
            raise LedgerError(f"{case.batch.name} could be neither worked nor given up: {reason}", stage="fanout")
        self._requeue(index)

    def _requeue(self, index: int) -> None:
        self.requeued += 1
        heapq.heappush(self._queue, (self._cases[index].strikes, index))
