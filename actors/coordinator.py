"""The actor that drives a run: a shell over the Foreman, so that the driver may look on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray

from actors.host_controller import Foreman, Progress, Staffing
from actors.metering import RayMeter
from actors.worker import ShardStarter
from actors.worker_pool import RayCrew
from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.fanout import FanoutReport
from gnosis_ray.monitoring.log_lines import write_lines
from gnosis_ray.monitoring.run_meter import RunMeter
from gnosis_ray.schemas.run_schemas import Batch


class Coordinator:
    """Hosts one Foreman. Shards that it starts belong to it: they end when it ends."""

    def __init__(
        self, batches: Sequence[Batch], staffing: Staffing, starter: ShardStarter, started: Sequence[Any]
    ) -> None:
        """``started``: shards that the driver started meanwhile; ``starter`` makes those that replace them."""
        write_lines(staffing.run)
        self._meter, self._ray_meter = RunMeter(staffing.granularity), RayMeter()
        self._foreman = Foreman(RayCrew(starter, started), batches, staffing, monotonic_seconds)

    def run(self) -> FanoutReport:
        """See :meth:`actors.host_controller.Foreman.run`."""
        return self._foreman.run()

    def progress(self, since: int, wait_s: float) -> Progress:
        """See :meth:`actors.host_controller.Foreman.progress`; answers while ``run`` works.

        What is told goes into the metrics as well: the driver asks for each receipt once, from one thread, and once
        more when all is over.
        """
        told = self._foreman.progress(since, wait_s)
        for receipt in told.receipts:
            self._ray_meter.record(self._meter.on_receipt(receipt))
        self._ray_meter.record(self._meter.on_report(told.standing))
        return told


PROGRESS = "progress"
"""The concurrency group in which the coordinator answers while it works."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

CoordinatorActor = _remote(num_cpus=0, max_restarts=0, concurrency_groups={PROGRESS: 1})(Coordinator)
"""Never restarted: a coordinator's restart is a resume of the run."""
