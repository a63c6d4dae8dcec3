"""One host of a fan-out: many symbols' pipelines in one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ray

from gnosis_ray.fanout import BatchWorker, Job
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


class Shard:
    """Opens its job once and works the batches it is handed, in order."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._worker: BatchWorker | None = None

    def open(self) -> None:
        """Open the job, the first time. Apart from the constructor, so that its error arrives with its own type."""
        self._opened()

    def run(self, batch: Batch, attempt: int) -> BatchReceipt:
        """Work and commit a batch; see :meth:`gnosis_ray.fanout.BatchWorker.run`."""
        return self._opened().run(batch, attempt)

    def give_up(self, batch: Batch, attempt: int, reason: str) -> BatchReceipt:
        """Commit a batch as failed; see :meth:`gnosis_ray.fanout.BatchWorker.give_up`."""
        return self._opened().give_up(batch, attempt, reason)

    def ping(self) -> bool:
        """Answers while a batch is at work."""
        return True

    def _opened(self) -> BatchWorker:
        if self._worker is None:
            self._worker = self._job.open()
        return self._worker


HEALTH = "health"
"""The concurrency group in which a shard answers pings while it works."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

ShardActor = _remote(num_cpus=1, max_restarts=0, max_task_retries=0, concurrency_groups={HEALTH: 1})(Shard)
"""A replaced host is a new actor: a restarted one would start empty behind its old name."""


@dataclass(frozen=True)
class ShardStarter:
    """Starts shard actors, all alike.

    ``job``: one reference to the Job in Ray's object store, in a tuple so that Ray hands on the reference and not the
    Job. ``memory_mb`` is reserved for each host.
    """

    job: tuple[Any]
    memory_mb: int
    polars_threads: int

    def __call__(self) -> Any:
        """The handle of a new shard, whose process may still be starting."""
        # In the environment of the process: Polars sizes its thread pool once, when it is imported.
        environment = {"POLARS_MAX_THREADS": str(self.polars_threads)}
        actor = ShardActor.options(memory=self.memory_mb * 2**20, runtime_env={"env_vars": environment})
        return actor.remote(self.job[0])
