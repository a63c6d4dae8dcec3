"""The worker processes of single symbols as Ray actors: starts and ends them, receives events. Decides nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import ray
from ray.exceptions import RayError, RayTaskError

from actors.component import ComponentActor, RunnerJob
from actors.per_symbol import PerSymbolWorker, SymbolLimits
from actors.symbol_worker_pool import SymbolWorkerEvent
from actors.worker import WorkerActor, WorkerResources
from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.errors import ClusterError, require_no_fault_of_machine
from gnosis_ray.fanout import DIED, Attempt, ComponentJob, Job, reason_of
from gnosis_ray.schemas.run_schemas import Batch

RUNNER = "runner"


class RaySymbolWorkerPool:
    """A :class:`~actors.symbol_worker_pool.SymbolWorkerPool` of Ray actors.

    A symbol has one actor, or with ``by_component`` one for each component and a runner. They are named ``AAPL``, or
    ``AAPL/hedge`` ... ``AAPL/runner``; in a second attempt ``AAPL#2``. They belong to the process that made this object
    and end with it.
    """

    def __init__(self, job: Job, resources: WorkerResources, namespace: str, *, by_component: bool) -> None:
        if by_component and not isinstance(job, ComponentJob):
            raise ClusterError(f"Expected a job with components, was {type(job).__name__}: use symbol or shard")
        self._job = job
        self._sent = (ray.put(job),)
        self._roles = job.roles() if by_component and isinstance(job, ComponentJob) else ()
        self._resources = resources
        self._namespace = namespace
        self._actors: dict[Attempt, list[Any]] = {}
        self._in_flight: dict[Any, tuple[Literal["ready", "done"], Attempt]] = {}

    def start(self, attempt: Attempt, batch: Batch) -> None:
        actors = self._actors[attempt] = []
        if not self._roles:
            worker = WorkerActor.options(**self._options(attempt, "")).remote(self._sent[0], self._resources.run)
        else:
            for role in self._roles:
                options = self._options(attempt, f"/{role}")
                actors.append(ComponentActor.options(**options).remote(self._sent[0], role, self._resources.run))
            components = dict(zip(self._roles, actors, strict=True))
            job = RunnerJob(self._job, components)  # type: ignore[arg-type]  # the roles are those of a ComponentJob
            worker = WorkerActor.options(**self._options(attempt, f"/{RUNNER}")).remote(job, self._resources.run)
        actors.append(worker)
        self._in_flight[worker.open.remote()] = ("ready", attempt)
        self._in_flight[worker.compute.remote(batch)] = ("done", attempt)

    def end(self, attempt: Attempt) -> None:
        self._in_flight = {reference: call for reference, call in self._in_flight.items() if call[1] != attempt}
        for actor in reversed(self._actors.pop(attempt, [])):  # the runner first: it would miss its components
            ray.kill(actor)

    def wait(self, timeout_s: float) -> list[SymbolWorkerEvent]:
        if not self._in_flight:
            time.sleep(timeout_s)
            return []
        references = list(self._in_flight)
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout_s, fetch_local=True)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0, fetch_local=True)
        return [self._event_of(*self._in_flight.pop(reference), reference) for reference in ready]

    def close(self) -> None:
        for attempt in list(self._actors):
            self.end(attempt)

    def _event_of(self, kind: Literal["ready", "done"], attempt: Attempt, reference: Any) -> SymbolWorkerEvent:
        try:
            return SymbolWorkerEvent(kind, attempt, outcome=ray.get(reference))
        except RayTaskError as error:
            require_no_fault_of_machine(error.cause)
            return SymbolWorkerEvent("failed", attempt, reason=reason_of(error.cause))
        except RayError:
            return SymbolWorkerEvent("failed", attempt, reason=DIED)

    def _options(self, attempt: Attempt, part: str) -> dict[str, Any]:
        again = f"#{attempt.number}" if attempt.number > 1 else ""
        return self._resources.options(name=f"{attempt.symbol}{part}{again}", namespace=self._namespace)


@dataclass(frozen=True)
class PerSymbolJob:
    """The job of a leader: ``job`` for each symbol alone, or with ``by_component`` for each of its components."""

    job: Job
    resources: WorkerResources
    limits: SymbolLimits
    by_component: bool

    def open(self) -> PerSymbolWorker:
        """See :meth:`gnosis_ray.fanout.Job.open`. Its actors live in a namespace of this leader's own."""
        namespace = f"gnosis-ray-{ray.get_runtime_context().get_actor_id()}"
        pool = RaySymbolWorkerPool(self.job, self.resources, namespace, by_component=self.by_component)
        return PerSymbolWorker(self.job.open(), pool, self.limits, monotonic_seconds)
