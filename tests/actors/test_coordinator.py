"""The coordinator over plain workers: it runs to the end, reports and counts, without Ray."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from ray.exceptions import ActorDiedError

from actors.coordinator import Coordinator
from actors.pool_config import PoolConfig
from actors.worker import WorkerLauncher, WorkerResources
from cluster.topology import HostPlan
from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError
from gnosis_ray.monitoring import catalogue
from gnosis_ray.monitoring.run_meter import Observation
from tests.actors.fake_job import FakeJob, batches
from tests.actors.fake_ray import FakeRay

PLAN = HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests")


class RecordingMeter:
    """Stands in for the meter over Ray."""

    seen: list[Observation]

    def __init__(self) -> None:
        type(self).seen = []

    def record(self, observations: Iterable[Observation]) -> None:
        self.seen.extend(observations)

    @classmethod
    def total(cls, metric: catalogue.Metric) -> float:
        return sum(each.value for each in cls.seen if each.metric == metric)


@pytest.fixture
def coordinate(fake_ray: FakeRay, config: Config, monkeypatch: pytest.MonkeyPatch) -> CoordinatorOf:
    monkeypatch.setattr("actors.coordinator.RayMeter", RecordingMeter)
    return CoordinatorOf(fake_ray, config)


class CoordinatorOf:
    """A coordinator of so many batches, with one of two workers started by the driver."""

    def __init__(self, fake_ray: FakeRay, config: Config) -> None:
        self.fake_ray = fake_ray
        self.config = config

    def __call__(self, job: FakeJob, count: int) -> Coordinator:
        pool = PoolConfig.of(PLAN, self.config.run, batches(count), "run-7")
        launch = WorkerLauncher((self.fake_ray.put(job),), WorkerResources(1, 100, 1, "run-7"), "shard", "space")
        return Coordinator(batches(count), pool, launch, (launch(1),))


def test_a_run_ends_with_every_receipt_and_no_worker(
    coordinate: CoordinatorOf, fake_ray: FakeRay, tmp_path: Path
) -> None:
    coordinator = coordinate(FakeJob(tmp_path), 5)
    report = coordinator.run()
    progress = coordinator.progress(0, 0.0)
    assert sorted(receipt.batch for receipt in progress.receipts) == [0, 1, 2, 3, 4]
    assert (progress.finished, progress.report) == (True, report)
    assert (report.granularity, report.hosts, report.hosts_lost) == ("shard", 2, 0)
    assert sorted(fake_ray.killed) == sorted(fake_ray.names()) == ["shard-1", "shard-2"]
    assert set(fake_ray.runs) == {"run-7"}


def test_progress_counts_each_receipt_and_each_loss_once(
    coordinate: CoordinatorOf, fake_ray: FakeRay, tmp_path: Path
) -> None:
    fake_ray.errors["shard-1", "work"] = [ActorDiedError()]
    coordinator = coordinate(FakeJob(tmp_path), 4)
    coordinator.run()
    first = coordinator.progress(0, 0.0)
    assert len(first.receipts) == 4
    assert coordinator.progress(4, 0.0).receipts == ()
    assert RecordingMeter.total(catalogue.BATCHES_DONE) == 4
    assert RecordingMeter.total(catalogue.HOSTS_LOST) == first.report.hosts_lost == 1


def test_progress_can_be_read_before_the_run_begins(coordinate: CoordinatorOf, tmp_path: Path) -> None:
    progress = coordinate(FakeJob(tmp_path), 2).progress(0, 0.0)
    assert (progress.receipts, progress.finished) == ((), False)


def test_an_error_of_opening_the_job_ends_the_run(coordinate: CoordinatorOf, fake_ray: FakeRay, tmp_path: Path) -> None:
    coordinator = coordinate(FakeJob(tmp_path, no_data=True), 2)
    with pytest.raises(NoDataError, match="nothing known"):
        coordinator.run()
    assert coordinator.progress(0, 0.0).finished
    assert sorted(fake_ray.killed) == sorted(fake_ray.names())
