"""One engine or one agent of one symbol, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from gnosis_ray.errors import ClusterError
from gnosis_ray.fanout import DIED, BatchWorker, PartedJob
from gnosis_ray.monitoring.log_lines import write_lines


class Component:
    """Builds its part once and calls its methods for those who hold a stand-in."""

    def __init__(self, job: PartedJob, role: str, log_as: str | None = None) -> None:
        """``role``: one of the job's; ``log_as`` as for :class:`actors.worker.Shard`."""
        if log_as is not None:
            write_lines(log_as)
        self._job = job
        self._role = role
        self._part: object | None = None

    def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """What the part's method returns or raises."""
        if self._part is None:
            self._part = self._job.open_part(self._role)
        return getattr(self._part, method)(*arguments)


_remote: Any = ray.remote  # as in shard.py

ComponentActor = _remote(num_cpus=0, max_restarts=0, max_task_retries=0)(Component)
"""A part that died is never restarted behind its runner's back: the whole symbol is tried again."""


@dataclass(frozen=True)
class RemotePart:
    """Calls the methods of a component: what a stand-in asks."""

    actor: Any

    def __call__(self, method: str, *arguments: Any) -> Any:
        """What the part's method returns or raises; ClusterError where its process is gone."""
        try:
            return ray.get(self.actor.call.remote(method, arguments))
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            raise ClusterError(DIED) from error


@dataclass(frozen=True)
class RunnerJob:
    """The job of a symbol's runner: the one pipeline, over parts elsewhere."""

    job: PartedJob
    parts: Mapping[str, Any]
    """Role -> the actor that plays it."""

    def open(self) -> BatchWorker:
        """See :meth:`gnosis_ray.fanout.Job.open`."""
        return self.job.open_runner({role: RemotePart(actor) for role, actor in self.parts.items()})
