"""The controller with a pool that fails by script: no Ray, no waiting."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

import pytest

from actors.host_controller import HostController
from actors.pool_config import PoolConfig
from actors.worker_pool import WorkerEvent
from gnosis_ray.errors import ClusterError, NoDataError, ResourceError
from gnosis_ray.fanout import Assignment, FanoutLimits
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors.fake_job import batches

Answer = Callable[["ScriptedPool", Assignment], list[WorkerEvent]]


def done(pool: ScriptedPool, assignment: Assignment) -> list[WorkerEvent]:
    if assignment.isolated_symbol is not None:
        return [WorkerEvent("done", assignment.host, assignment)]
    receipt = BatchReceipt(batch=assignment.batch.index, attempt=assignment.attempt, rows={"snapshots": 1})
    return [WorkerEvent("done", assignment.host, assignment, receipt=receipt)]


class ScriptedPool:
    """Answers every call at its next ``wait``; time passes only while nothing happens."""

    def __init__(self, answer: Answer = done, starts: Callable[[int], list[WorkerEvent]] | None = None) -> None:
        self.answer = answer
        self.starts = starts or (lambda host: [WorkerEvent("ready", host)])
        self.now = 0.0
        self.events: deque[WorkerEvent] = deque()
        self.alive: set[int] = set()
        self.log: list[str] = []
        self.closed = False
        self.silent_hosts: set[int] = set()

    def clock(self) -> float:
        return self.now

    def start(self, host: int) -> None:
        self.log.append(f"start {host}")
        self.alive.add(host)
        self.events.extend(self.starts(host))

    def submit(self, assignment: Assignment) -> None:
        assert assignment.host in self.alive, "work for a dead host"
        self.log.append(f"{assignment.batch.index} to {assignment.host}")
        self.events.extend(self.answer(self, assignment))

    def ping(self, host: int) -> None:
        self.log.append(f"ping {host}")
        if host not in self.silent_hosts:
            self.events.append(WorkerEvent("pong", host))

    def rejoin(self, host: int, number: int) -> None:
        self.log.append(f"rejoin {host} as {number}")
        self.alive.remove(host)
        self.alive.add(number)
        self.events.append(WorkerEvent("ready", number))

    def end(self, host: int) -> None:
        self.log.append(f"end {host}")
        self.alive.discard(host)

    def wait(self, timeout_s: float) -> list[WorkerEvent]:
        if not self.events:
            self.now += max(timeout_s, 0.001)
            return []
        return [self.events.popleft()]

    def close(self) -> None:
        self.closed = True


def controller(pool: ScriptedPool, count: int, *, hosts: int = 1, window: int = 2) -> HostController:
    limits = FanoutLimits(
        window=window, max_attempts=2, batch_timeout_s=30.0, symbol_timeout_s=10.0, straggler_factor=math.inf
    )
    config = PoolConfig(
        "shard", hosts, limits, start_s=60.0, heartbeat_s=5.0, heartbeat_timeout_s=20.0, processes=hosts
    )
    return HostController(pool, batches(count), config, pool.clock)


def lost(pool: ScriptedPool, assignment: Assignment) -> list[WorkerEvent]:
    return [WorkerEvent("lost", assignment.host, assignment, error=OSError("killed by signal 9"))]


def test_a_dead_host_is_replaced_and_its_batches_are_worked() -> None:
    pool = ScriptedPool(lambda pool, a: lost(pool, a) if a.host == 1 else done(pool, a))
    run = controller(pool, 3)
    report = run.run()
    assert sorted(r.batch for r in run.progress(0, 0.0).receipts) == [0, 1, 2]
    assert (report.hosts_lost, report.requeued, report.quarantined) == (1, 2, ())
    assert pool.log[:5] == ["start 1", "0 to 1", "1 to 1", "end 1", "start 2"]
    assert pool.closed


def test_losses_are_logged_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    pool = ScriptedPool(lambda pool, a: lost(pool, a) if a.host == 1 else done(pool, a))
    run = controller(pool, 3)
    assert run.progress(0, 0.0).report.hosts_lost == 0
    with caplog.at_level(logging.WARNING, logger="actors.host_controller"):
        report = run.run()
    assert run.progress(0, 0.0).report == report
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "host 1 is lost",
        "batch-00000 failed in attempt 1",
        "batch-00001 failed in attempt 1",
    ]
    assert [getattr(record, "batch", None) for record in caplog.records] == [None, 0, 1]


def test_a_symbol_that_kills_its_hosts_is_quarantined_alone() -> None:
    def deadly(pool: ScriptedPool, a: Assignment) -> list[WorkerEvent]:
        worked = {a.isolated_symbol} if a.isolated_symbol else set(a.batch.symbols) - dict(a.quarantined).keys()
        return lost(pool, a) if "S1B" in worked else done(pool, a)

    pool = ScriptedPool(deadly)
    run = controller(pool, 4, hosts=2, window=1)
    report = run.run()
    assert report.quarantined == ("S1B",)
    assert report.hosts_lost == 2 + 2
    assert {r.batch for r in run.progress(0, 0.0).receipts} == {0, 1, 2, 3}


def test_a_batch_past_its_time_limit_costs_its_host() -> None:
    pool = ScriptedPool(lambda pool, a: [] if a.attempt == 1 and a.batch.index == 0 else done(pool, a))
    run = controller(pool, 2, window=1)
    report = run.run()
    assert report.hosts_lost == 1
    assert "end 1" in pool.log
    assert pool.now > 30.0


def test_a_host_whose_connection_broke_rejoins_under_a_new_number() -> None:
    def silent_once(pool: ScriptedPool, a: Assignment) -> list[WorkerEvent]:
        return [WorkerEvent("unavailable", 1, a, error=OSError("connection reset"))] if a.host == 1 else done(pool, a)

    pool = ScriptedPool(silent_once)
    report = controller(pool, 2).run()
    assert "rejoin 1 as 2" in pool.log
    assert pool.log.count("ping 1") == 1
    assert pool.now < 2.0
    assert report.hosts_lost == 0


def test_a_host_that_answers_no_ping_is_replaced() -> None:
    pool = ScriptedPool(lambda pool, a: [] if a.host == 1 else done(pool, a))
    pool.silent_hosts = {1}
    report = controller(pool, 2).run()
    assert pool.log.count("ping 1") == 1
    assert "end 1" in pool.log
    assert 20.0 < pool.now < 30.0
    assert (report.hosts_lost, report.quarantined) == (1, ())


def test_a_running_host_is_pinged_at_intervals() -> None:
    def slow(pool: ScriptedPool, a: Assignment) -> list[WorkerEvent]:
        return [] if a.attempt == 1 else done(pool, a)

    pool = ScriptedPool(slow)
    controller(pool, 1).run()
    assert pool.now > 30.0, "a host that answers has until the batch's limit"
    assert pool.log.count("ping 1") >= 5


def test_a_typed_error_of_opening_ends_the_run_at_once() -> None:
    pool = ScriptedPool(starts=lambda host: [WorkerEvent("start_failed", host, error=NoDataError("nothing known"))])
    with pytest.raises(NoDataError, match="nothing known"):
        controller(pool, 2).run()
    assert pool.log == ["start 1"]
    assert pool.closed


def test_a_full_disk_ends_the_run_at_once() -> None:
    full = ResourceError("No space left on device")
    pool = ScriptedPool(lambda _, assignment: [WorkerEvent("failed", assignment.host, assignment, error=full)])
    with pytest.raises(ResourceError, match="No space left"):
        controller(pool, 2, window=1).run()
    assert pool.log == ["start 1", "0 to 1"]


def test_hosts_that_cannot_start_end_the_run_with_the_reason() -> None:
    pool = ScriptedPool(starts=lambda host: [WorkerEvent("lost", host, error=OSError("out of memory"))])
    run = controller(pool, 2, hosts=2)
    with pytest.raises(ClusterError, match=r"in a row were lost .* OSError: out of memory.*resume"):
        run.run()
    assert run.progress(0, 0.0).finished


def test_hosts_that_always_die_end_the_run_before_every_batch_is_given_up() -> None:
    pool = ScriptedPool(lost)
    with pytest.raises(ClusterError, match="killed by signal 9"):
        controller(pool, 100, hosts=2, window=1).run()
    assert len([line for line in pool.log if line.startswith("start")]) <= 2 * (2 + 1) + 2


def test_deaths_with_work_done_between_do_not_end_the_run() -> None:
    def second_is_deadly(pool: ScriptedPool, a: Assignment) -> list[WorkerEvent]:
        first = not any(line.endswith(f"to {a.host}") for line in pool.log[:-1])
        return done(pool, a) if first or a.gives_up else lost(pool, a)

    pool = ScriptedPool(second_is_deadly)
    run = controller(pool, 20, window=1)
    report = run.run()
    assert report.hosts_lost > 2 * (1 + 1)
    assert len(run.progress(0, 0.0).receipts) == 20


def test_a_host_that_never_gets_ready_does_not_hold_up_one_that_is() -> None:
    pool = ScriptedPool(starts=lambda host: [WorkerEvent("ready", host)] if host == 1 else [])
    report = controller(pool, 3, hosts=2).run()
    assert (report.hosts_lost, report.quarantined) == (0, ())
    assert pool.now < 60.0


def test_a_host_that_is_not_ready_in_time_is_ended_and_replaced() -> None:
    pool = ScriptedPool(starts=lambda host: [WorkerEvent("ready", host)] if host == 2 else [])
    report = controller(pool, 3).run()
    assert pool.log[:3] == ["start 1", "end 1", "start 2"]
    assert pool.now > 60.0
    assert report.hosts_lost == 1


def test_progress_waits_for_receipts_and_returns_the_unseen_ones() -> None:
    pool = ScriptedPool()
    run = controller(pool, 3)
    assert run.progress(0, 0.0) == run.progress(0, 0.01)
    run.run()
    assert [r.batch for r in run.progress(1, 10.0).receipts] == [1, 2]
