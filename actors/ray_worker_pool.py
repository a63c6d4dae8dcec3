"""The workers of a run as Ray actors: starts them, submits work, receives events, ends them. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError, RayTaskError

from actors.worker import HEALTH
from actors.worker_pool import WorkerEvent
from gnosis_ray.fanout import Assignment


@dataclass(frozen=True)
class _Call:
    kind: Literal["open", "work", "ping"]
    host: int
    assignment: Assignment | None = None


class RayWorkerPool:
    """A :class:`~actors.worker_pool.WorkerPool` of :class:`~actors.worker.Worker` actors."""

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
