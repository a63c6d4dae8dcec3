"""The actor that controls a run: a shell over the HostController that lets the driver watch its progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray

from actors.host_controller import HostController, RunProgress
from actors.metering import RayMeter
from actors.pool_config import PoolConfig
from actors.ray_worker_pool import RayWorkerPool
from actors.worker import WorkerLauncher
from gnosis_ray.clock import monotonic_seconds
from gnosis_ray.fanout import FanoutReport
from gnosis_ray.monitoring.log_lines import write_lines
from gnosis_ray.monitoring.run_meter import RunMeter
from gnosis_ray.schemas.run_schemas import Batch


class Coordinator:
    """Hosts one HostController. Workers that it starts end with it."""

    def __init__(
        self, batches: Sequence[Batch], config: PoolConfig, launcher: WorkerLauncher, started: Sequence[Any]
    ) -> None:
        """``started``: workers that the driver has started; ``launcher`` starts those that replace them."""
        write_lines(config.run)
        self._meter, self._ray_meter = RunMeter(config.granularity), RayMeter()
        self._controller = HostController(RayWorkerPool(launcher, started), batches, config, monotonic_seconds)

    def run(self) -> FanoutReport:
        """See :meth:`actors.host_controller.HostController.run`."""
        return self._controller.run()

    def progress(self, since: int, wait_s: float) -> RunProgress:
        """See :meth:`actors.host_controller.HostController.progress`; answers while ``run`` works.

        It also records the metrics: the driver asks for each receipt once, from one thread, and once more at the end.
        """
        progress = self._controller.progress(since, wait_s)
        for receipt in progress.receipts:
            self._ray_meter.record(self._meter.on_receipt(receipt))
        self._ray_meter.record(self._meter.on_report(progress.report))
        return progress


PROGRESS = "progress"
"""The concurrency group in which the coordinator answers while it works."""

_remote: Any = ray.remote  # its type hints leave concurrency groups out

CoordinatorActor = _remote(num_cpus=0, max_restarts=0, concurrency_groups={PROGRESS: 1})(Coordinator)
"""Never restarted: a coordinator's restart is a resume of the run."""
