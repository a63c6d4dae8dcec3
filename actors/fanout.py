"""The fan-out over Ray."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.coordinator import PROGRESS, CoordinatorActor
from actors.host_controller import Progress, Staffing
from actors.per_symbol import Limits as SpreadLimits
from actors.per_symbol import SpreadJob
from actors.worker import Berth, ShardStarter
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.config import RunConfig
from gnosis_ray.errors import ClusterError, GnosisError
from gnosis_ray.fanout import SYMBOL_STRIKES, FanoutReport, Job, Limits, OnReceipt, reason_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

logger = logging.getLogger(__name__)

PROGRESS_WAIT_S = 1.0
"""How long the coordinator holds a question about progress; an interrupt is noticed at once all the same."""
START_SECONDS = 120.0
"""A host may take this long to be ready, even where batches are given less: a busy cluster starts processes slowly."""


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

        A coordinator that dies is replaced by one that goes on with the batches whose receipts did not arrive, up to
        ``max_attempts`` of them in a row without a receipt between.
        """
        self._session.check_open()
        report = FanoutReport(self._plan.granularity, self._plan.processes, 0, 0, 0, (), 0.0)
        missing = {batch.index: batch for batch in batches}

        died = in_a_row = 0

        def deliver(receipt: BatchReceipt) -> None:
            nonlocal in_a_row
            in_a_row = 0
            if missing.pop(receipt.batch, None) is not None:
                on_receipt(receipt)

        while missing:
            try:
                report = self._coordinate(job, tuple(missing.values()), deliver)
            except _CoordinatorDiedError as error:
                died, in_a_row = died + 1, in_a_row + 1
                if in_a_row >= self._run.max_attempts:
                    raise ClusterError(f"{error.message}. What was finished is kept: resume the run.") from error
                logger.warning("%s: a new one goes on with %d batches", error, len(missing))
        return replace(report, coordinators_lost=died)

    def _coordinate(self, job: Job, batches: Sequence[Batch], deliver: OnReceipt) -> FanoutReport:
        """One coordinator's run over batches."""
        staffing = self._staffing(batches)
        # An actor's name is free again some time after its end: each coordinator has names of its own.
        namespace = f"gnosis-ray-{secrets.token_hex(8)}"
        # The coordinator shares the driver's node: it then dies of no other node's end.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        starter = self._starter(job, namespace)
        actors: list[Any] = []
        try:
            # From here, so that processes start side by side with the coordinator's.
            actors += [starter(host) for host in range(1, staffing.hosts + 1)]
            named = CoordinatorActor.options(name="coordinator", namespace=namespace, scheduling_strategy=here)
            coordinator = named.remote(tuple(batches), staffing, starter, tuple(actors))
            actors.insert(0, coordinator)
            ending = coordinator.run.remote()
            _deliver(coordinator, deliver)
            report: FanoutReport = _result(ending)
            return report
        finally:
            for actor in actors:
                ray.kill(actor)

    def _starter(self, job: Job, namespace: str) -> ShardStarter:
        plan, threads = self._plan, self._run.polars_threads
        if plan.granularity == "shard":
            berth = Berth(1, plan.memory_mb, threads, self._name)
            return ShardStarter((ray.put(job),), berth, "shard", namespace)
        limits = SpreadLimits(plan.symbols_at_once, START_SECONDS, self._run.symbol_timeout_s)
        parts = Berth(0, plan.part_memory_mb, threads, self._name)
        led = SpreadJob(job, parts, limits, parted=plan.granularity == "component")
        return ShardStarter((ray.put(led),), Berth(0, plan.memory_mb, threads, self._name), "leader", namespace)

    def _staffing(self, batches: Sequence[Batch]) -> Staffing:
        run = self._run
        limits = Limits(
            window=self._plan.window,
            max_attempts=run.max_attempts,
            batch_timeout_s=run.batch_timeout_s + self._patience(max(len(batch.symbols) for batch in batches)),
            symbol_timeout_s=run.symbol_timeout_s + self._patience(1),
            straggler_factor=run.straggler_factor,
        )
        return Staffing(
            granularity=self._plan.granularity,
            hosts=self._plan.hosts,
            limits=limits,
            start_s=max(START_SECONDS, run.batch_timeout_s),
            heartbeat_s=run.heartbeat_s,
            heartbeat_timeout_s=run.heartbeat_timeout_s,
            processes=self._plan.processes,
            run=self._name,
        )

    def _patience(self, symbols: int) -> float:
        """Seconds that a leader may need on top, if each of its symbols is late every time that it may be."""
        if not self._plan.symbols_at_once:
            return 0.0
        waves = math.ceil(symbols / self._plan.symbols_at_once)
        return waves * SYMBOL_STRIKES * (START_SECONDS + self._run.symbol_timeout_s)


class _CoordinatorDiedError(ClusterError):
    """The coordinator's process is gone; what it had committed stands."""


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
        raise _CoordinatorDiedError(f"The run's coordinator died: {reason_of(error)}") from error
    except RayError as error:
        raise ClusterError(f"Ray failed: {reason_of(error)}. What was finished is kept: resume the run.") from error
