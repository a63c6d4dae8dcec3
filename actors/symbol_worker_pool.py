"""The processes of symbols, by name: starts, listens to and ends them. Decides nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import ray
from ray.exceptions import RayError, RayTaskError

from actors.component import ComponentActor, RunnerJob
from actors.worker import Berth, ShardActor
from gnosis_ray.errors import ClusterError
from gnosis_ray.fanout import DIED, Job, PartedJob, Start, reason_of

RUNNER = "runner"


@dataclass(frozen=True)
class News:
    """What became of a try. ready: its process has opened the job. done: ``outcome``. failed: ``reason``."""

    kind: Literal["ready", "done", "failed"]
    start: Start
    outcome: Any = None
    reason: str = ""


class Troupe(Protocol):
    """Symbols' processes. Calls return at once; what comes of them is heard through ``wait``."""

    def start(self, start: Start) -> None:
        """Start what a symbol needs and let it work: then ready, done or failed."""
        ...

    def end(self, start: Start) -> None:
        """Kill what was started. Nothing more is heard of it."""
        ...

    def wait(self, timeout_s: float) -> list[News]:
        """What happened; empty after ``timeout_s`` seconds of silence."""
        ...

    def close(self) -> None:
        """Kill everything."""
        ...


class RayTroupe:
    """A :class:`Troupe` of Ray actors: one a symbol, or with ``parted`` one a part and a runner.

    They are named ``AAPL``, or ``AAPL/hedge`` ... ``AAPL/runner``; a second try is ``AAPL#2``. They belong to the
    process that made this object and end with it.
    """

    def __init__(self, job: Job, berth: Berth, namespace: str, *, parted: bool) -> None:
        if parted and not isinstance(job, PartedJob):
            raise ClusterError(f"Expected a job that can be taken apart, was {type(job).__name__}: use symbol or shard")
        self._job = job
        self._sent = (ray.put(job),)
        self._roles = job.roles() if parted and isinstance(job, PartedJob) else ()
        self._berth = berth
        self._namespace = namespace
        self._actors: dict[Start, list[Any]] = {}
        self._flying: dict[Any, tuple[Literal["ready", "done"], Start]] = {}

    def start(self, start: Start) -> None:
        actors = self._actors[start] = []
        if not self._roles:
            worker = ShardActor.options(**self._named(start, "")).remote(self._sent[0], self._berth.run)
        else:
            for role in self._roles:
                options = self._named(start, f"/{role}")
                actors.append(ComponentActor.options(**options).remote(self._sent[0], role, self._berth.run))
            parts = dict(zip(self._roles, actors, strict=True))
            job = RunnerJob(self._job, parts)  # type: ignore[arg-type]  # the roles are those of a PartedJob
            worker = ShardActor.options(**self._named(start, f"/{RUNNER}")).remote(job, self._berth.run)
        actors.append(worker)
        self._flying[worker.open.remote()] = ("ready", start)
        self._flying[worker.compute.remote((start.symbol,))] = ("done", start)

    def end(self, start: Start) -> None:
        self._flying = {reference: call for reference, call in self._flying.items() if call[1] != start}
        for actor in reversed(self._actors.pop(start, [])):  # the runner first: it would miss its parts
            ray.kill(actor)

    def wait(self, timeout_s: float) -> list[News]:
        if not self._flying:
            time.sleep(timeout_s)
            return []
        references = list(self._flying)
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout_s, fetch_local=True)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0, fetch_local=True)
        return [self._hear(*self._flying.pop(reference), reference) for reference in ready]

    def close(self) -> None:
        for start in list(self._actors):
            self.end(start)

    def _hear(self, kind: Literal["ready", "done"], start: Start, reference: Any) -> News:
        try:
            return News(kind, start, outcome=ray.get(reference))
        except RayTaskError as error:
            return News("failed", start, reason=reason_of(error.cause))
        except RayError:
            return News("failed", start, reason=DIED)

    def _named(self, start: Start, part: str) -> dict[str, Any]:
        again = f"#{start.attempt}" if start.attempt > 1 else ""
        return self._berth.options(name=f"{start.symbol}{part}{again}", namespace=self._namespace)
