"""The fan-out without Ray: one worker in this process, under the same Supervisor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.errors import require_no_fault_of_machine
from gnosis_ray.fanout.contract import BatchWorker, FanoutReport, Job, OnReceipt, reason_of
from gnosis_ray.fanout.supervisor import Assignment, FanoutLimits, Supervisor, perform
from gnosis_ray.schemas.run_schemas import Batch


class InlineFanout:
    """Runs batches one by one in this process. A batch that hangs cannot be timed out; a crash ends the run."""

    def __init__(self, max_attempts: int, clock: Callable[[], float] = monotonic_seconds) -> None:
        """``max_attempts``: at a batch before its symbols are isolated. ``clock``: monotonic, in seconds."""
        self._limits = FanoutLimits(
            window=1,
            max_attempts=max_attempts,
            batch_timeout_s=math.inf,
            symbol_timeout_s=math.inf,
            straggler_factor=math.inf,
        )
        self._clock = clock

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """See :meth:`gnosis_ray.fanout.contract.Fanout.run`."""
        supervisor = Supervisor(batches, self._limits)
        started = self._clock()
        if batches:
            worker = job.open()
            supervisor.on_host_ready(0)
            while not supervisor.done:
                for assignment in supervisor.next_assignments(self._clock()):
                    self._work(worker, assignment, supervisor, on_receipt)
        return FanoutReport(
            granularity="inline",
            hosts=1,
            hosts_lost=0,
            requeued=supervisor.requeued,
            reissued=0,
            quarantined=supervisor.quarantined,
            host_seconds=self._clock() - started,
        )

    def _work(self, worker: BatchWorker, assignment: Assignment, supervisor: Supervisor, on_receipt: OnReceipt) -> None:
        try:
            receipt = perform(worker, assignment)
        except Exception as error:  # noqa: BLE001 - as on a host, whatever a batch raises is its failure
            require_no_fault_of_machine(error)
            supervisor.on_failed(assignment, reason_of(error), self._clock())
            return
        if supervisor.on_done(assignment, receipt, self._clock()) and receipt is not None:
            on_receipt(receipt)
