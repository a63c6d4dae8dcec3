"""The fan-out over Ray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from actors.coordinator import PROGRESS, CoordinatorActor
from actors.foreman import Progress, Staffing
from actors.shard import ShardStarter
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.config import RunConfig
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.fanout import FanoutReport, Job, OnReceipt, reason_of
from gnosis_ray.schemas.run_schemas import Batch

PROGRESS_WAIT_S = 1.0
"""How long the coordinator holds a question about progress; an interrupt is noticed at once all the same."""
START_SECONDS = 120.0
"""A host may take this long to be ready, even where batches are given less: a busy cluster starts processes slowly."""


class RayFanout:
    """Runs a job on the hosts of a plan. Its actors are gone when ``run`` returns, raises or is interrupted."""

    def __init__(self, session: Session, plan: HostPlan, run: RunConfig) -> None:
        """``session``: the open connection to Ray; ``plan``: from :func:`cluster.topology.plan`, not inline."""
        if plan.granularity == "inline":
            raise ClusterError("Expected a plan with Ray hosts, was inline: use InlineFanout")
        self._session = session
        self._plan = plan
        self._run = run

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """See :meth:`gnosis_ray.fanout.Fanout.run`."""
        self._session.check_open()
        staffing = self._staffing()
        if not batches:
            return FanoutReport(staffing.granularity, staffing.hosts, 0, 0, (), 0.0)
        starter = ShardStarter((ray.put(job),), self._plan.memory_mb, self._run.polars_threads)
        actors: list[Any] = []
        try:
            # From here, so that processes start side by side with the coordinator's.
            actors += [starter() for _ in range(staffing.hosts)]
            coordinator = CoordinatorActor.remote(tuple(batches), staffing, starter, tuple(actors))
            actors.insert(0, coordinator)
            ending = coordinator.run.remote()
            _deliver(coordinator, on_receipt)
            report: FanoutReport = _result(ending)
            return report
        finally:
            for actor in actors:
                ray.kill(actor)

    def _staffing(self) -> Staffing:
        return Staffing(
            granularity=self._plan.granularity,
            hosts=self._plan.hosts,
            window=self._plan.window,
            max_attempts=self._run.max_attempts,
            timeout_s=self._run.batch_timeout_s,
            start_s=max(START_SECONDS, self._run.batch_timeout_s),
        )


def _deliver(coordinator: Any, on_receipt: OnReceipt) -> None:
    """Hand receipts over as they arrive, until the run has ended."""
    seen = 0
    finished = False
    ask = coordinator.progress.options(concurrency_group=PROGRESS)
    while not finished:
        progress: Progress = _result(ask.remote(seen, PROGRESS_WAIT_S))
        for receipt in progress.receipts:
            on_receipt(receipt)
        seen += len(progress.receipts)
        finished = progress.finished


def _result(reference: Any) -> Any:
    """What the coordinator answers; its errors as typed ones."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, GnosisError):
            raise error.cause from None
        raise
    except RayActorError as error:
        raise ClusterError(
            f"The run's coordinator died: {reason_of(error)}. What was finished is kept: resume the run."
        ) from error
    except RayError as error:
        raise ClusterError(f"Ray failed: {reason_of(error)}. What was finished is kept: resume the run.") from error
