"""A worker, what its process gets and how it is launched, without Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.worker import Worker, WorkerLauncher, WorkerResources
from gnosis_ray.errors import NoDataError
from gnosis_ray.fanout import Assignment
from tests.actors.fake_job import FakeJob, FakeWorker, batches
from tests.actors.fake_ray import FakeRay

RESOURCES = WorkerResources(cores=1, memory_mb=300, polars_threads=2, run="run-7")


def test_a_worker_opens_its_job_once(tmp_path: Path) -> None:
    worker = Worker(FakeJob(tmp_path))
    assert FakeJob(tmp_path).hosts() == [], "the constructor opens nothing: an error there would lose its type"
    worker.open()
    opened = worker._opened()
    assert isinstance(opened, FakeWorker)
    worker.open()
    assert worker.compute(batches(1)[0].only(("S0A",))) == ["S0A"]
    assert worker._opened() is opened
    assert worker.ping()


def test_a_worker_computes_and_commits_its_assignments(tmp_path: Path) -> None:
    worker = Worker(FakeJob(tmp_path))
    (batch,) = batches(1)
    receipt = worker.work(Assignment(1, batch, 1))
    assert receipt is not None
    assert (receipt.rows["snapshots"], receipt.attempt) == (2, 1)
    given_up = worker.work(Assignment(1, batch, 2, quarantined=(("S0A", "why"), ("S0B", "why"))))
    assert given_up is not None
    assert [failure.message for failure in given_up.failures] == ["why", "why"]


def test_an_isolation_run_writes_nothing(tmp_path: Path) -> None:
    (batch,) = batches(1)
    assert Worker(FakeJob(tmp_path)).work(Assignment(1, batch, 3, isolated_symbol="S0A")) is None
    assert list(tmp_path.glob("batch-*")) == []


def test_an_error_of_opening_keeps_its_type(tmp_path: Path) -> None:
    worker = Worker(FakeJob(tmp_path, no_data=True))
    with pytest.raises(NoDataError, match="nothing known"):
        worker.open()


def test_resources_reserve_cores_and_bytes_and_set_polars_threads() -> None:
    assert RESOURCES.options(name="shard-1") == {
        "num_cpus": 1,
        "memory": 300 * 2**20,
        "runtime_env": {"env_vars": {"POLARS_MAX_THREADS": "2"}},
        "name": "shard-1",
    }


def test_a_launcher_starts_named_workers_of_one_job(fake_ray: FakeRay, tmp_path: Path) -> None:
    job = FakeJob(tmp_path)
    launch = WorkerLauncher((fake_ray.put(job),), RESOURCES, "shard", "space")
    handles = [launch(1), launch(2)]
    assert fake_ray.names() == ["shard-1", "shard-2"]
    assert [handle.options["namespace"] for handle in handles] == ["space", "space"]
    assert all(handle.instance._job is job for handle in handles)
    assert fake_ray.runs == ["run-7", "run-7"]
