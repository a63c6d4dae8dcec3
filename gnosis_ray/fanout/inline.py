"""The fan-out without Ray: one worker in this process, under the same Supervisor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.fanout.contract import BatchWorker, FanoutReport, Job, OnReceipt, reason_of
from gnosis_ray.fanout.supervisor import Assignment, Supervisor
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt


class InlineFanout:
    """Works batches one after the other here. A hung batch cannot be timed out, and a crash is the process's own."""

    def __init__(self, max_attempts: int, clock: Callable[[], float] = monotonic_seconds) -> None:
        """``max_attempts``: tries before a batch is quarantined. ``clock``: steady seconds, for the report."""
        self._max_attempts = max_attempts
        self._clock = clock

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """See :meth:`gnosis_ray.fanout.contract.Fanout.run`."""
        supervisor = Supervisor(batches, window=1, max_attempts=self._max_attempts, timeout_s=math.inf)
        started = self._clock()
        if batches:
            worker = job.open()
            supervisor.on_host_ready(0)
            while not supervisor.done:
                for assignment in supervisor.next_assignments():
                    _work(worker, assignment, supervisor, on_receipt)
        return FanoutReport(
            granularity="inline",
            hosts=1,
            hosts_lost=0,
            requeued=supervisor.requeued,
            quarantined=supervisor.quarantined,
            host_seconds=self._clock() - started,
        )


def _work(worker: BatchWorker, assignment: Assignment, supervisor: Supervisor, on_receipt: OnReceipt) -> None:
    index = assignment.batch.index
    try:
        receipt = perform(worker, assignment.batch, assignment.attempt, assignment.give_up)
    except Exception as error:  # noqa: BLE001 - whatever a batch raises is that batch's failure, as it is on a host
        supervisor.on_batch_failed(assignment.host, index, reason_of(error))
        return
    if supervisor.on_done(assignment.host, index, receipt):
        on_receipt(receipt)


def perform(worker: BatchWorker, batch: Batch, attempt: int, give_up: str | None) -> BatchReceipt:
    """Carry out one assignment on a worker: give the batch up where a reason is given, else work it."""
    return worker.run(batch, attempt) if give_up is None else worker.give_up(batch, attempt, give_up)
