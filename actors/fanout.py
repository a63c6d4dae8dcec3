"""The fan-out over Ray."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.coordinator import PROGRESS, CoordinatorActor
from actors.host_controller import RunProgress
from actors.per_symbol import SymbolLimits
from actors.pool_config import START_SECONDS, PoolConfig
from actors.ray_symbol_worker_pool import PerSymbolJob
from actors.run_recovery import RunRecovery
from actors.worker import WorkerLauncher, WorkerResources
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.config import RunConfig
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.fanout import FanoutReport, Job, OnReceipt, reason_of
from gnosis_ray.schemas.run_schemas import Batch

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between two looks whether Ray's own processes live."""

PROGRESS_WAIT_S = 1.0
"""How long the coordinator waits for a receipt before it answers; an interrupt is noticed at once nevertheless."""


class RayFanout:
    """Runs a job on the hosts of a plan. Its actors are gone when ``run`` returns, raises or is interrupted."""

    def __init__(self, session: Session, plan: HostPlan, run: RunConfig, name: str = "") -> None:
        """``session``: the open connection to Ray; ``plan``: from :func:`cluster.topology.plan`, not inline; ``name``:
        of the run, in the logs of its processes."""
        if plan.granularity == "inline":
            raise ClusterError("Expected a plan with Ray hosts, was inline: use InlineFanout")
        self._session = session
        self._plan = plan
        self._run = run
        self._name = name

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """See :meth:`gnosis_ray.fanout.Fanout.run`.

        A coordinator that dies is replaced by one that continues with the batches whose receipts did not arrive, up to
        ``max_attempts`` times in a row without a receipt between.
        """
        self._session.check_open()
        report = FanoutReport(self._plan.granularity, self._plan.processes, 0, 0, 0, (), 0.0)
        recovery = RunRecovery(batches, self._run.max_attempts, on_receipt)
        while recovery.missing:
            try:
                report = self._coordinate(job, recovery)
            except _CoordinatorDiedError as error:
                if not recovery.on_coordinator_lost():
                    raise ClusterError(f"{error.message}. What was finished is kept: resume the run.") from error
                logger.warning("%s: a new one continues with %d batches", error, len(recovery.missing))
        return replace(report, coordinators_lost=recovery.coordinators_lost)

    def _coordinate(self, job: Job, recovery: RunRecovery) -> FanoutReport:
        """One coordinator's run over the batches that are missing."""
        batches = recovery.missing
        config = PoolConfig.of(self._plan, self._run, batches, self._name)
        # An actor's name is free again some time after its end: each coordinator has names of its own.
        namespace = f"gnosis-ray-{secrets.token_hex(8)}"
        # The coordinator runs on the driver's node, so that the loss of another node does not end it.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        launcher = self._launcher(job, namespace)
        actors: list[Any] = []
        try:
            # Started here, so that these processes start at the same time as the coordinator's.
            actors += [launcher(host) for host in range(1, config.hosts + 1)]
            named = CoordinatorActor.options(name="coordinator", namespace=namespace, scheduling_strategy=here)
            coordinator = named.remote(batches, config, launcher, tuple(actors))
            actors.insert(0, coordinator)
            ending = coordinator.run.remote()
            _deliver(self._session, coordinator, recovery.deliver)
            report: FanoutReport = _result(self._session, ending)
            return report
        finally:
            if self._session.watch.ended() is None:  # else they end with Ray, whom nobody can ask any more
                for actor in actors:
                    ray.kill(actor)

    def _launcher(self, job: Job, namespace: str) -> WorkerLauncher:
        plan, threads = self._plan, self._run.polars_threads
        if plan.granularity == "shard":
            resources = WorkerResources(1, plan.memory_mb, threads, self._name)
            return WorkerLauncher((ray.put(job),), resources, "shard", namespace)
        limits = SymbolLimits(plan.symbols_at_once, START_SECONDS, self._run.symbol_timeout_s)
        per_symbol = WorkerResources(0, plan.part_memory_mb, threads, self._name)
        led = PerSymbolJob(job, per_symbol, limits, by_component=plan.granularity == "component")
        return WorkerLauncher(
            (ray.put(led),), WorkerResources(0, plan.memory_mb, threads, self._name), "leader", namespace
        )


class _CoordinatorDiedError(ClusterError):
    """The coordinator's process is gone; what it committed remains."""


def _deliver(session: Session, coordinator: Any, on_receipt: OnReceipt) -> None:
    """Pass on receipts as they arrive, until the run has ended."""
    seen = 0
    finished = False
    progress_call = coordinator.progress.options(concurrency_group=PROGRESS)
    while not finished:
        progress: RunProgress = _result(session, progress_call.remote(seen, PROGRESS_WAIT_S))
        for receipt in progress.receipts:
            on_receipt(receipt)
        seen += len(progress.receipts)
        finished = progress.finished


def _result(session: Session, reference: Any) -> Any:
    """What the coordinator returned; its errors as typed ones. Raises too where Ray itself ends meanwhile."""
    try:
        while not ray.wait([reference], timeout=LOOK_S)[0]:
            session.check_open()
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, GnosisError):
            raise error.cause from None
        raise
    except RayActorError as error:
        session.check_open()
        raise _CoordinatorDiedError(f"The run's coordinator died: {reason_of(error)}") from error
    except RayError as error:
        raise ClusterError(f"Ray failed: {reason_of(error)}. What was finished is kept: resume the run.") from error
