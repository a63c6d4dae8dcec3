"""A process of a fan-out: it opens its job once, then carries out assignments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray

from gnosis_ray.fanout import Assignment, BatchWorker, Job, perform
from gnosis_ray.monitoring.log_lines import write_lines
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


class Worker:
    """Opens its job once and carries out assignments, in order."""

    def __init__(self, job: Job, log_as: str | None = None) -> None:
        """``log_as``: the run that the log lines of this process name; None leaves its logging as it is."""
        if log_as is not None:
            write_lines(log_as)
        self._job = job
        self._worker: BatchWorker | None = None

    def open(self) -> None:
        """Open the job unless it is open. Not in the constructor, so that its error arrives with its own type."""
        self._opened()

    def work(self, assignment: Assignment) -> BatchReceipt | None:
        """Carry out an assignment; see :func:`gnosis_ray.fanout.perform`."""
        return perform(self._opened(), assignment)

    def compute(self, batch: Batch) -> Any:
        """The outcome of a batch; see :meth:`gnosis_ray.fanout.BatchWorker.compute`."""
        return self._opened().compute(batch)

    def ping(self) -> bool:
        """Return while a batch is running."""
        return True

    def _opened(self) -> BatchWorker:
        if self._worker is None:
            self._worker = self._job.open()
        return self._worker


HEALTH = "health"
"""The concurrency group in which a worker answers pings while it runs a batch."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

WorkerActor = _remote(num_cpus=1, max_restarts=0, max_task_retries=0, concurrency_groups={HEALTH: 1})(Worker)
"""A replaced host is a new actor: a restarted one would start empty behind its old name."""


@dataclass(frozen=True)
class WorkerResources:
    """What a worker process gets: ``cores`` and ``memory_mb`` are reserved for it, its log lines name ``run``."""

    cores: float
    memory_mb: int
    polars_threads: int
    run: str

    def options(self, **more: Any) -> dict[str, Any]:
        """The options of its Ray actor, with ``more``."""
        # In the environment of the process: Polars sizes its thread pool once, when it is imported.
        environment = {"POLARS_MAX_THREADS": str(self.polars_threads)}
        reserved = {"num_cpus": self.cores, "memory": self.memory_mb * 2**20}
        return {**reserved, "runtime_env": {"env_vars": environment}, **more}


@dataclass(frozen=True)
class WorkerLauncher:
    """Starts worker actors that differ in their names only: ``shard-1``, ``shard-2``, ... where ``title`` is ``shard``.

    ``job``: one reference to the Job in Ray's object store, in a tuple so that Ray passes on the reference and not the
    Job. Names are unique in ``namespace``.
    """

    job: tuple[Any]
    resources: WorkerResources
    title: str
    namespace: str

    def __call__(self, host: int) -> Any:
        """The handle of a new worker for host number ``host``, whose process may still be starting."""
        named = self.resources.options(name=f"{self.title}-{host}", namespace=self.namespace)
        return WorkerActor.options(**named).remote(self.job[0], self.resources.run)
