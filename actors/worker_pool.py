"""The hosts of a run as Ray actors: starts, feeds, listens to and ends them. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError, RayTaskError

from actors.worker import HEALTH
from gnosis_ray.fanout import Assignment
from gnosis_ray.schemas.run_schemas import BatchReceipt

EventKind = Literal["ready", "refused", "done", "failed", "lost", "unsure", "answered"]


@dataclass(frozen=True)
class Event:
    """What became of a host or of an assignment on it.

    ready: the job is open, and whatever the host was given before has ended. refused: opening the job raised.
    done: ``assignment``, with its ``receipt`` unless it was a probe. failed: it raised. lost: the process is gone.
    unsure: the connection broke and the host may live. answered: it answers a ping.
    """

    kind: EventKind
    host: int
    assignment: Assignment | None = None
    receipt: BatchReceipt | None = None
    error: BaseException | None = None


class Crew(Protocol):
    """Hosts by number. Calls return at once; what comes of them is heard through ``wait``."""

    def start(self, host: int) -> None:
        """Start a host and open the job in it: then ready, refused or lost."""
        ...

    def hand(self, assignment: Assignment) -> None:
        """Give a host an assignment: then done, failed, lost or unsure."""
        ...

    def ping(self, host: int) -> None:
        """Ask whether a host is there: then answered, lost or unsure."""
        ...

    def rejoin(self, host: int, number: int) -> None:
        """Let a host go on under a new number once what it holds has ended: then ready, refused, lost or unsure."""
        ...

    def end(self, host: int) -> None:
        """Kill a host. Nothing more is heard of it."""
        ...

    def wait(self, timeout_s: float) -> list[Event]:
        """What happened; empty after ``timeout_s`` seconds of silence. Good news comes first."""
        ...

    def close(self) -> None:
        """Kill all hosts."""
        ...


@dataclass(frozen=True)
class _Call:
    kind: Literal["open", "work", "ping"]
    host: int
    assignment: Assignment | None = None


class RayCrew:
    """A :class:`Crew` of :class:`~actors.worker.Shard` actors."""

    def __init__(self, shards: Callable[[int], Any], started: Sequence[Any]) -> None:
        """``shards`` starts a shard actor for a host's number; before that, ``started`` are used up in their order."""
        self._shards = shards
        self._started = list(started)
        self._actors: dict[int, Any] = {}
        self._flying: dict[Any, _Call] = {}

    def start(self, host: int) -> None:
        self._actors[host] = self._started.pop(0) if self._started else self._shards(host)
        self._flying[self._actors[host].open.remote()] = _Call("open", host)

    def hand(self, assignment: Assignment) -> None:
        reference = self._actors[assignment.host].work.remote(assignment)
        self._flying[reference] = _Call("work", assignment.host, assignment)

    def ping(self, host: int) -> None:
        reference = self._actors[host].ping.options(concurrency_group=HEALTH).remote()
        self._flying[reference] = _Call("ping", host)

    def rejoin(self, host: int, number: int) -> None:
        self._actors[number] = self._actors.pop(host)
        self._forget(host)
        # A shard works its calls in order, so this one returns after those before it have ended.
        self._flying[self._actors[number].open.remote()] = _Call("open", number)

    def end(self, host: int) -> None:
        self._forget(host)
        if host in self._actors:
            ray.kill(self._actors.pop(host))

    def wait(self, timeout_s: float) -> list[Event]:
        if not self._flying:  # only replacements that are not due yet: nobody to hear from
            time.sleep(timeout_s)
            return []
        references = list(self._flying)
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout_s, fetch_local=True)
        if ready:  # take along what else has arrived: an answer sent before a crash counts before the crash
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0, fetch_local=True)
        events = [self._hear(self._flying.pop(reference), reference) for reference in ready]
        return sorted(events, key=lambda event: event.kind in ("lost", "unsure"))

    def close(self) -> None:
        for host in list(self._actors):
            self.end(host)

    def _forget(self, host: int) -> None:
        self._flying = {reference: call for reference, call in self._flying.items() if call.host != host}

    def _hear(self, call: _Call, reference: Any) -> Event:
        outcome = _outcome(lambda: ray.get(reference))
        if isinstance(outcome, ActorUnavailableError):
            return Event("unsure", call.host, call.assignment, error=outcome)
        if isinstance(outcome, RayActorError):
            return Event("lost", call.host, call.assignment, error=outcome)
        if isinstance(outcome, BaseException):
            cause = outcome.cause if isinstance(outcome, RayTaskError) else outcome
            return Event("failed" if call.kind == "work" else "refused", call.host, call.assignment, error=cause)
        if call.kind == "work":
            return Event("done", call.host, call.assignment, receipt=outcome)
        return Event("ready" if call.kind == "open" else "answered", call.host)


def _outcome(call: Callable[[], Any]) -> Any:
    """What a remote call returned, or the error it ended with, as a value."""
    try:
        return call()
    except RayError as error:
        return error
