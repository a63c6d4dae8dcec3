"""Hosts in simulated time, for the real HostController over the real Supervisor.

A host dies, is stopped and goes on (beside the one that took its work over, where nobody could kill it), and answers
late or twice.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from actors.host_controller import HostController
from actors.pool_config import PoolConfig
from actors.worker_pool import WorkerEvent
from gnosis_ray.fanout import Assignment, BatchWorker, FanoutLimits, FanoutReport, Job, OnReceipt, perform
from gnosis_ray.schemas.run_schemas import Batch
from tests.simulation.world import KilledError, Process, Work, World

LIMITS = FanoutLimits(window=2, max_attempts=3, batch_timeout_s=30.0, symbol_timeout_s=10.0, straggler_factor=3.0)
_START_S, _SYMBOL_S, _PONG_S = 1.0, 0.2, 0.01
_LATE_S = (3.0, 20.0, 60.0)
"""An answer that comes in time, one that comes after the host was given up, one after all is done."""


@dataclass(frozen=True)
class SimulatedFanout:
    """A :class:`gnosis_ray.fanout.Fanout` of simulated hosts."""

    world: World
    hosts: int

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """See :meth:`gnosis_ray.fanout.Fanout.run`."""
        config = PoolConfig(
            "shard", self.hosts, LIMITS, start_s=60.0, heartbeat_s=2.0, heartbeat_timeout_s=9.0, processes=self.hosts
        )
        pool = SimulatedPool(self.world, job)
        controller = HostController(pool, batches, config, self.world.clock)
        try:
            return controller.run()
        finally:
            for receipt in controller.progress(0, 0.0).receipts:
                on_receipt(receipt)


@dataclass(eq=False)
class _Host:
    process: Process
    worker: BatchWorker | None = None
    held: list[Assignment] = field(default_factory=list)
    work: Work | None = None
    """Under way, and stopped."""


class SimulatedPool:
    """A :class:`actors.worker_pool.WorkerPool` whose events lie in a queue, by simulated time."""

    def __init__(self, world: World, job: Job) -> None:
        self._world, self._job = world, job
        self._hosts: dict[int, _Host] = {}
        self._queue: list[tuple[float, int, WorkerEvent | int]] = []
        """Events of hosts, and the hosts that begin what they hold."""
        self._serial = 0

    def start(self, host: int) -> None:
        """Ready in a second."""
        self._hosts[host] = _Host(Process(f"host {host}"), self._job.open())
        self._later(_START_S, WorkerEvent("ready", host))

    def submit(self, assignment: Assignment) -> None:
        """Queue an assignment."""
        host = self._hosts.get(assignment.host)
        if host is None:
            return  # it died in silence: nobody knows yet
        host.held.append(assignment)
        if len(host.held) == 1:
            self._later(_SYMBOL_S * len(assignment.batch.symbols), assignment.host)

    def ping(self, host: int) -> None:
        """A stopped host does not answer."""
        one = self._hosts.get(host)
        if one is not None and one.work is None:
            self._later(_PONG_S, WorkerEvent("pong", host))

    def rejoin(self, host: int, number: int) -> None:
        """No connection breaks here."""
        raise NotImplementedError

    def end(self, host: int) -> None:
        """Kill a host. One that is stopped may be out of reach: then it goes on one day."""
        one = self._hosts.pop(host, None)
        if one is None:
            return
        if one.work is None:
            one.process.alive = False
        elif self._world.chance.random() < 0.5:
            self._world.forget(one.work)

    def wait(self, timeout_s: float) -> list[WorkerEvent]:
        """The next event, if it comes in time."""
        if not self._queue or self._queue[0][0] > self._world.now + timeout_s:
            self._world.now += max(timeout_s, 0.001)
            return []
        at, _, what = heapq.heappop(self._queue)
        self._world.now = max(self._world.now, at)
        if isinstance(what, WorkerEvent):
            return [what]
        self._begin(what)
        return []

    def close(self) -> None:
        """Kill all hosts."""
        for host in list(self._hosts):
            self.end(host)

    def _begin(self, number: int) -> None:
        host = self._hosts.get(number)
        if host is None or not host.process.alive or not host.held:
            return
        worker, assignment = host.worker, host.held[0]
        if worker is None:
            raise TypeError(f"Expected an open worker, was host {number} without")

        def ended(work: Work) -> None:
            self._ended(number, host, assignment, work)

        work = self._world.run(host.process, lambda: perform(worker, assignment), ended)
        if not work.ended:
            host.work = work

    def _ended(self, number: int, host: _Host, assignment: Assignment, work: Work) -> None:
        """What the controller hears of a host whose work has ended, even if it was given up meanwhile."""
        host.work = None
        error = work.error
        if isinstance(error, KilledError):
            host.process.alive = False
            self._hosts.pop(number, None)
            self._later(0.0, WorkerEvent("lost", number, assignment, error=OSError("process 4711 was killed")))
            return
        host.held.pop(0)
        if host.held:
            self._later(_SYMBOL_S, number)
        if isinstance(error, Exception):
            event = WorkerEvent("failed", number, assignment, error=error)
        elif error is not None:
            raise error
        else:
            event = WorkerEvent("done", number, assignment, receipt=work.result)
        late = self._world.happens("answer late")
        self._later(self._world.chance.choice(_LATE_S) if late else 0.0, event)
        if self._world.happens("answer twice"):
            self._later(self._world.chance.choice((0.0, *_LATE_S)), event)

    def _later(self, seconds: float, what: WorkerEvent | int) -> None:
        self._serial += 1
        heapq.heappush(self._queue, (self._world.now + seconds, self._serial, what))
