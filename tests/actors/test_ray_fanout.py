"""The driver's side of a run, with every actor a plain object: no Ray. Over a real Ray: test_fanout.py."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from ray.exceptions import ActorDiedError, RaySystemError

from actors.fanout import RayFanout, _deliver
from actors.host_controller import RunProgress
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.config import Config, RunConfig
from gnosis_ray.errors import ClusterError, NoDataError
from gnosis_ray.fanout import FanoutReport
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors.fake_job import FakeComponentJob, FakeJob, batches
from tests.actors.fake_ray import FakeActorClass, FakeRay

SHARDS = HostPlan("shard", hosts=2, window=2, memory_mb=300, note="for tests")
SYMBOLS = HostPlan("symbol", 1, 1, 100, "for tests", symbols_at_once=2, parts=1, part_memory_mb=50)
COMPONENTS = HostPlan("component", 1, 1, 100, "for tests", symbols_at_once=1, parts=3, part_memory_mb=50)
GONE = ActorDiedError()


@pytest.fixture(autouse=True)
def quiet_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.metering.RayMeter.record", lambda *_: None)


@pytest.fixture
def run(config: Config) -> RunConfig:
    return RunConfig.model_validate(config.run.model_dump() | {"max_attempts": 2})


def run_of(plan: HostPlan, run: RunConfig, job: FakeJob, count: int) -> tuple[FanoutReport, list[BatchReceipt]]:
    seen: list[BatchReceipt] = []
    report = RayFanout(Session(None), plan, run, "run-7").run(job, batches(count), seen.append)
    return report, sorted(seen, key=lambda receipt: receipt.batch)


def test_every_receipt_arrives_once_and_every_actor_is_killed(
    fake_ray: FakeRay, run: RunConfig, tmp_path: Path
) -> None:
    report, receipts = run_of(SHARDS, run, FakeJob(tmp_path), 5)
    assert [receipt.batch for receipt in receipts] == [0, 1, 2, 3, 4]
    assert (report.hosts, report.coordinators_lost) == (2, 0)
    assert fake_ray.names() == ["shard-1", "shard-2", "coordinator"]
    assert set(fake_ray.killed) == set(fake_ray.names())
    assert set(fake_ray.runs) == {"run-7"}


def test_all_actors_of_a_run_share_a_namespace_of_its_own(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    for _ in range(2):
        run_of(SHARDS, run, FakeJob(tmp_path), 1)
    spaces = [handle.options["namespace"] for handle in fake_ray.started]
    assert spaces == [spaces[0]] * 3 + [spaces[-1]] * 3
    assert spaces[0] != spaces[-1]


def test_shard_hosts_reserve_a_core_and_leaders_none(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    run_of(SHARDS, run, FakeJob(tmp_path), 1)
    run_of(SYMBOLS, run, FakeJob(tmp_path), 1)
    reserved = {
        handle.name: (handle.options["num_cpus"], handle.options["memory"] // 2**20)
        for handle in fake_ray.started
        if handle.name != "coordinator"
    }
    assert reserved == {"shard-1": (1, 300), "shard-2": (1, 300), "leader-1": (0, 100), "S0A": (0, 50), "S0B": (0, 50)}


def test_every_granularity_gives_each_symbol_its_processes(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    _, receipts = run_of(COMPONENTS, run, FakeComponentJob(tmp_path), 1)
    assert [receipt.rows["snapshots"] for receipt in receipts] == [2]
    roles = ("lower", "twice", "runner")
    assert fake_ray.names() == ["leader-1", "coordinator", *(f"{s}/{role}" for s in ("S0A", "S0B") for role in roles)]


def test_a_coordinator_that_dies_is_replaced_and_its_receipts_count(
    fake_ray: FakeRay, run: RunConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake_ray.errors["coordinator", "progress"] = [GONE]
    with caplog.at_level(logging.WARNING, logger="actors.fanout"):
        report, receipts = run_of(SHARDS, run, FakeJob(tmp_path), 3)
    assert [receipt.batch for receipt in receipts] == [0, 1, 2]
    assert report.coordinators_lost == 1
    assert fake_ray.names().count("coordinator") == 2
    assert "a new one continues with 3 batches" in caplog.text


def test_coordinators_that_keep_dying_end_the_run(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    fake_ray.errors["coordinator", "progress"] = [GONE] * 9
    with pytest.raises(ClusterError, match=r"coordinator died: .*resume the run"):
        run_of(SHARDS, run, FakeJob(tmp_path), 3)
    assert fake_ray.names().count("coordinator") == run.max_attempts
    assert set(fake_ray.killed) == set(fake_ray.names())


def test_a_coordinator_that_dies_after_the_last_receipt_is_not_replaced(
    fake_ray: FakeRay, run: RunConfig, tmp_path: Path
) -> None:
    fake_ray.late_errors["coordinator", "run"] = GONE
    report, receipts = run_of(SHARDS, run, FakeJob(tmp_path), 2)
    assert [receipt.batch for receipt in receipts] == [0, 1]
    assert report.coordinators_lost == 1
    assert fake_ray.names().count("coordinator") == 1


def test_an_error_of_opening_the_job_arrives_with_its_type(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="nothing known") as caught:
        run_of(SHARDS, run, FakeJob(tmp_path, no_data=True), 2)
    assert type(caught.value) is NoDataError
    assert set(fake_ray.killed) == set(fake_ray.names())


def test_a_failure_of_ray_itself_is_a_cluster_error_that_can_be_resumed(
    fake_ray: FakeRay, run: RunConfig, tmp_path: Path
) -> None:
    error: Exception = RaySystemError("the object store is gone")  # type: ignore[no-untyped-call]
    fake_ray.errors["coordinator", "progress"] = [error]
    with pytest.raises(ClusterError, match=r"Ray failed: .*object store is gone.*resume the run"):
        run_of(SHARDS, run, FakeJob(tmp_path), 2)


def test_an_interrupt_kills_every_actor(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    def interrupt(_receipt: BatchReceipt) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RayFanout(Session(None), SHARDS, run).run(FakeJob(tmp_path), batches(3), interrupt)
    assert set(fake_ray.killed) == set(fake_ray.names())


def test_no_batches_start_no_process(fake_ray: FakeRay, run: RunConfig, tmp_path: Path) -> None:
    report, receipts = run_of(SHARDS, run, FakeJob(tmp_path), 0)
    assert (receipts, report.granularity, report.hosts) == ([], "shard", 2)
    assert fake_ray.started == []


class SlowCoordinator:
    """Has one more receipt at each call."""

    def __init__(self, receipts: Sequence[BatchReceipt]) -> None:
        self.receipts = tuple(receipts)
        self.calls = 0

    def progress(self, since: int, _wait_s: float) -> RunProgress:
        self.calls += 1
        report = FanoutReport("shard", 1, 0, 0, 0, (), 0.0)
        return RunProgress(self.receipts[since : self.calls], self.calls == len(self.receipts), report)


def test_receipts_are_requested_from_the_first_unseen_one(fake_ray: FakeRay) -> None:
    receipts = [BatchReceipt(batch=index, attempt=1, rows={"snapshots": 1}) for index in range(3)]
    seen: list[BatchReceipt] = []
    _deliver(Session(None), FakeActorClass(fake_ray, SlowCoordinator).remote(receipts), seen.append)
    assert seen == receipts
