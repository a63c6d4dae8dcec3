"""The workers of a run as Ray actors: starts them, submits work, receives events, ends them. Decides nothing."""

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

WorkerEventKind = Literal["ready", "start_failed", "done", "failed", "lost", "unavailable", "pong"]


@dataclass(frozen=True)
class WorkerEvent:
    """What happened to a host or to an assignment on it.

    ready: the job is open, and assignments submitted before have ended. start_failed: opening the job raised.
    done: ``assignment`` is finished, with its ``receipt`` unless it was an isolation run. failed: it raised.
    lost: the process is gone. unavailable: the connection broke and the host may live. pong: it answered a ping.
    """

    kind: WorkerEventKind
    host: int
    assignment: Assignment | None = None
    receipt: BatchReceipt | None = None
    error: BaseException | None = None


class WorkerPool(Protocol):
    """Workers by host number. Calls return at once; their results arrive through ``wait``."""

    def start(self, host: int) -> None:
        """Start a host and open the job in it: then ready, start_failed or lost."""
        ...

    def submit(self, assignment: Assignment) -> None:
        """Send an assignment to its host: then done, failed, lost or unavailable."""
        ...

    def ping(self, host: int) -> None:
        """Check that a host is alive: then pong, lost or unavailable."""
        ...

    def rejoin(self, host: int, number: int) -> None:
        """Continue a host under a new number after its assignments: then ready, start_failed, lost or unavailable."""
        ...

    def end(self, host: int) -> None:
        """Kill a host. No event of it follows."""
        ...

    def wait(self, timeout_s: float) -> list[WorkerEvent]:
        """The events since the last call, losses last; empty where none arrives within ``timeout_s`` seconds."""
        ...

    def close(self) -> None:
        """Kill all hosts."""
        ...


@dataclass(frozen=True)
class _Call:
    kind: Literal["open", "work", "ping"]
    host: int
    assignment: Assignment | None = None


class RayWorkerPool:
    """A :class:`WorkerPool` of :class:`~actors.worker.Worker` actors."""

    def __init__(self, launch: Callable[[int], Any], started: Sequence[Any]) -> None:
        """``launch`` starts a worker actor for a host number; those in ``started`` are used first, in their order."""
        self._launch = launch
        self._started = list(started)
        self._actors: dict[int, Any] = {}
        self._in_flight: dict[Any, _Call] = {}

    def start(self, host: int) -> None:
        self._actors[host] = self._started.pop(0) if self._started else self._launch(host)
        self._in_flight[self._actors[host].open.remote()] = _Call("open", host)

    def submit(self, assignment: Assignment) -> None:
        reference = self._actors[assignment.host].work.remote(assignment)
        self._in_flight[reference] = _Call("work", assignment.host, assignment)

    def ping(self, host: int) -> None:
        reference = self._actors[host].ping.options(concurrency_group=HEALTH).remote()
        self._in_flight[reference] = _Call("ping", host)

    def rejoin(self, host: int, number: int) -> None:
        self._actors[number] = self._actors.pop(host)
        self._forget(host)
        # A worker runs its calls in order, so this one returns after those before it have ended.
        self._in_flight[self._actors[number].open.remote()] = _Call("open", number)

    def end(self, host: int) -> None:
        self._forget(host)
        if host in self._actors:
            ray.kill(self._actors.pop(host))

    def wait(self, timeout_s: float) -> list[WorkerEvent]:
        if not self._in_flight:  # only replacements that are not due yet: no event can arrive
            time.sleep(timeout_s)
            return []
        references = list(self._in_flight)
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout_s, fetch_local=True)
        if ready:  # collect all that has arrived: a result sent before a crash counts before the crash
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0, fetch_local=True)
        events = [self._event_of(self._in_flight.pop(reference), reference) for reference in ready]
        return sorted(events, key=lambda event: event.kind in ("lost", "unavailable"))

    def close(self) -> None:
        for host in list(self._actors):
            self.end(host)

    def _forget(self, host: int) -> None:
        self._in_flight = {reference: call for reference, call in self._in_flight.items() if call.host != host}

    def _event_of(self, call: _Call, reference: Any) -> WorkerEvent:
        outcome = _outcome(lambda: ray.get(reference))
        if isinstance(outcome, ActorUnavailableError):
            return WorkerEvent("unavailable", call.host, call.assignment, error=outcome)
        if isinstance(outcome, RayActorError):
            return WorkerEvent("lost", call.host, call.assignment, error=outcome)
        if isinstance(outcome, BaseException):
            cause = outcome.cause if isinstance(outcome, RayTaskError) else outcome
            return WorkerEvent(
                "failed" if call.kind == "work" else "start_failed", call.host, call.assignment, error=cause
            )
        if call.kind == "work":
            return WorkerEvent("done", call.host, call.assignment, receipt=outcome)
        return WorkerEvent("ready" if call.kind == "open" else "pong", call.host)


def _outcome(call: Callable[[], Any]) -> Any:
    """What a remote call returned, or the error it ended with, as a value."""
    try:
        return call()
    except RayError as error:
        return error
