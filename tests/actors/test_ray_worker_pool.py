"""The pool over Ray's calls: every end of a call is the right event, without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError

from actors.ray_worker_pool import RayWorkerPool
from actors.worker import WorkerLauncher, WorkerResources
from gnosis_ray.errors import NoDataError
from gnosis_ray.fanout import Assignment
from tests.actors.fake_job import FakeJob, batches
from tests.actors.fake_ray import PENDING, FakeRay

GONE = ActorDiedError()
UNAVAILABLE = ActorUnavailableError("connection reset", None)


def pool_of(fake_ray: FakeRay, job: FakeJob, started: int = 0) -> RayWorkerPool:
    launch = WorkerLauncher((fake_ray.put(job),), WorkerResources(1, 100, 1, "run-7"), "shard", "space")
    return RayWorkerPool(launch, [launch(host) for host in range(1, started + 1)])


def kinds(pool: RayWorkerPool) -> list[tuple[str, int]]:
    return [(event.kind, event.host) for event in pool.wait(0.0)]


def test_started_workers_are_used_before_new_ones_are_launched(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path), started=2)
    pool.start(1)
    pool.start(2)
    assert fake_ray.names() == ["shard-1", "shard-2"]
    pool.start(3)
    assert fake_ray.names() == ["shard-1", "shard-2", "shard-3"]
    assert kinds(pool) == [("ready", 1), ("ready", 2), ("ready", 3)]


def test_finished_work_arrives_with_its_receipt(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    pool.start(1)
    (batch,) = batches(1)
    whole, isolated = Assignment(1, batch, 1), Assignment(1, batch, 2, isolated_symbol="S0A")
    pool.submit(whole)
    pool.submit(isolated)
    pool.ping(1)
    ready, done, passed, pong = pool.wait(0.0)
    assert (ready.kind, done.kind, passed.kind, pong.kind) == ("ready", "done", "done", "pong")
    assert (done.assignment, passed.assignment) == (whole, isolated)
    assert done.receipt is not None
    assert done.receipt.rows["snapshots"] == 2
    assert passed.receipt is None
    assert pool._in_flight == {}, "each result arrives once"


def test_an_error_of_work_is_a_failure_and_carries_its_cause(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path, raising=frozenset({"S0B"})))
    pool.start(1)
    assignment = Assignment(1, batches(1)[0], 1)
    pool.submit(assignment)
    _, failed = pool.wait(0.0)
    assert (failed.kind, failed.assignment) == ("failed", assignment)
    assert type(failed.error) is ZeroDivisionError


def test_an_error_of_opening_is_a_failed_start(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path, no_data=True))
    pool.start(1)
    (event,) = pool.wait(0.0)
    assert event.kind == "start_failed"
    assert type(event.error) is NoDataError


@pytest.mark.parametrize(("error", "kind"), [(GONE, "lost"), (UNAVAILABLE, "unavailable")])
@pytest.mark.parametrize("method", ["open", "work", "ping"])
def test_a_gone_process_and_a_broken_connection_are_told_apart(
    fake_ray: FakeRay, tmp_path: Path, method: str, error: Exception, kind: str
) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    fake_ray.errors["shard-1", method] = [error]
    pool.start(1)
    pool.submit(Assignment(1, batches(1)[0], 1))
    pool.ping(1)
    events = [event for event in pool.wait(0.0) if event.kind not in ("ready", "done", "pong")]
    assert [(event.kind, event.error) for event in events] == [(kind, error)]


def test_losses_come_after_results_that_arrived_before(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    fake_ray.errors["shard-1", "ping"] = [GONE]
    pool.start(1)
    pool.ping(1)
    pool.submit(Assignment(1, batches(1)[0], 1))
    assert kinds(pool) == [("ready", 1), ("done", 1), ("lost", 1)]


def test_an_ended_host_is_killed_and_its_results_are_dropped(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    pool.start(1)
    pool.start(2)
    pool.end(1)
    pool.end(7)
    assert fake_ray.killed == ["shard-1"]
    assert kinds(pool) == [("ready", 2)]


def test_a_rejoined_host_continues_under_its_new_number(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    pool.start(1)
    pool.submit(Assignment(1, batches(1)[0], 1))
    pool.rejoin(1, 2)
    assert kinds(pool) == [("ready", 2)], "results under the old number are dropped"
    pool.submit(Assignment(2, batches(1)[0], 2))
    assert kinds(pool) == [("done", 2)]
    assert fake_ray.names() == ["shard-1"]
    pool.close()
    assert fake_ray.killed == ["shard-1"]


def test_a_wait_without_results_ends_after_its_timeout(
    fake_ray: FakeRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[Any] = []
    monkeypatch.setattr("actors.ray_worker_pool.time.sleep", slept.append)
    pool = pool_of(fake_ray, FakeJob(tmp_path))
    assert pool.wait(0.3) == []
    assert slept == [0.3], "nothing is in flight: no result can end the wait"
    fake_ray.errors["shard-1", "open"] = [PENDING]
    pool.start(1)
    assert pool.wait(0.3) == []
    assert slept == [0.3]
