"""One engine or one agent of one symbol, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from gnosis_ray.errors import ClusterError
from gnosis_ray.fanout import DIED, BatchWorker, ComponentJob
from gnosis_ray.monitoring.log_lines import write_lines


class Component:
    """Builds an engine or agent once and calls its methods for the proxies of it."""

    def __init__(self, job: ComponentJob, role: str, log_as: str | None = None) -> None:
        """``role``: one of the job's; ``log_as`` as for :class:`actors.worker.Worker`."""
        if log_as is not None:
            write_lines(log_as)
        self._job = job
        self._role = role
        self._component: object | None = None

    def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Return or raise what the component's method returns or raises."""
        if self._component is None:
            self._component = self._job.open_component(self._role)
        return getattr(self._component, method)(*arguments)


_remote: Any = ray.remote  # its type hints leave keyword arguments out

ComponentActor = _remote(num_cpus=0, max_restarts=0, max_task_retries=0)(Component)
"""A component that died is not restarted behind its runner: the whole symbol is attempted again."""


@dataclass(frozen=True)
class RemoteComponent:
    """Calls the methods of a component actor, for its proxy."""

    actor: Any

    def __call__(self, method: str, *arguments: Any) -> Any:
        """Return or raise what the component's method does; raise ClusterError where its process is gone."""
        try:
            return ray.get(self.actor.call.remote(method, arguments))
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            raise ClusterError(DIED) from error


@dataclass(frozen=True)
class RunnerJob:
    """The job of a symbol's runner: the pipeline over components in other processes."""

    job: ComponentJob
    components: Mapping[str, Any]
    """Role -> the handle of its actor."""

    def open(self) -> BatchWorker:
        """See :meth:`gnosis_ray.fanout.Job.open`."""
        return self.job.open_runner({role: RemoteComponent(actor) for role, actor in self.components.items()})
