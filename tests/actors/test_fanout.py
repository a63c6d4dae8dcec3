"""The fan-out over a real local Ray."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
import ray

from actors.fanout import RayFanout
from cluster.doctor import examine
from cluster.session import Session, connect
from cluster.topology import HostPlan
from gnosis_ray.config import Config
from gnosis_ray.errors import ClusterError, NoDataError
from gnosis_ray.fanout import FanoutReport, InlineFanout
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors.fake_job import FakeJob, batches

PLAN = HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests")


def run_on_ray(session: Session, config: Config, job: FakeJob, count: int) -> tuple[FanoutReport, list[BatchReceipt]]:
    seen: list[BatchReceipt] = []
    run = config.run.replaced(max_attempts=2)
    report = RayFanout(session, PLAN, run).run(job, batches(count), seen.append)
    return report, sorted(seen, key=lambda receipt: receipt.batch)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_ray_and_inline_give_the_same_receipts(session: Session, config: Config, tmp_path: Path) -> None:
    job = FakeJob(tmp_path, raising=frozenset({"S3A", "S4A"}), once=frozenset({"S4A"}))
    report, over_ray = run_on_ray(session, config, job, 16)
    for marker in tmp_path.glob("*.seen"):
        marker.unlink()
    inline: list[BatchReceipt] = []
    alone = InlineFanout(max_attempts=2).run(job, batches(16), inline.append)
    assert over_ray == sorted(inline, key=lambda receipt: receipt.batch)
    assert (report.hosts, report.hosts_lost, report.granularity) == (2, 0, "shard")
    assert report.quarantined == alone.quarantined == ("S3A",)
    assert report.host_seconds > 0


def test_polars_threads_are_set_in_the_host_and_hosts_are_gone_after_the_run(
    session: Session, config: Config, tmp_path: Path
) -> None:
    job = FakeJob(tmp_path, tell_threads=True)
    _, receipts = run_on_ray(session, config, job, 2)
    assert receipts[0].degraded == {"seen": (str(config.run.polars_threads),)}
    assert job.hosts()
    wait_until_gone(job)


def wait_until_gone(job: FakeJob) -> None:
    deadline = time.monotonic() + 20.0
    while any(map(is_alive, job.hosts())):
        assert time.monotonic() < deadline, "hosts outlived their run"
        time.sleep(0.05)


def test_an_interrupt_leaves_no_host_behind(session: Session, config: Config, tmp_path: Path) -> None:
    job = FakeJob(tmp_path, seconds=0.2)

    def interrupt(receipt: BatchReceipt) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RayFanout(session, PLAN, config.run).run(job, batches(200), interrupt)
    assert job.hosts()
    wait_until_gone(job)
    assert len(list(tmp_path.glob("batch-*"))) < 100


def test_an_error_of_opening_arrives_complete(session: Session, config: Config, tmp_path: Path) -> None:
    with pytest.raises(NoDataError) as caught:
        run_on_ray(session, config, FakeJob(tmp_path, no_data=True), 2)
    assert (caught.value.symbol, caught.value.stage, caught.value.exit_code) == ("SPY", "open", 4)


def test_no_batches_start_no_host(session: Session, config: Config, tmp_path: Path) -> None:
    report, receipts = run_on_ray(session, config, FakeJob(tmp_path), 0)
    assert receipts == []
    assert report.hosts_lost == 0


def test_an_inline_plan_and_a_closed_session_are_refused(session: Session, config: Config, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="InlineFanout"):
        RayFanout(session, replace(PLAN, granularity="inline"), config.run)
    with pytest.raises(ClusterError, match="closed"):
        RayFanout(Session(None, is_open=False), PLAN, config.run).run(FakeJob(tmp_path), batches(1), lambda _: None)


def test_a_nested_local_session_is_the_open_one(session: Session) -> None:
    with connect(None, None) as again:
        assert again is session
    session.check_open()
    assert session.budget().cores == 2


def test_a_local_ray_is_out_of_reach_from_the_network(session: Session) -> None:
    (node,) = ray.nodes()  # type: ignore[no-untyped-call]
    assert node["NodeManagerAddress"] == "127.0.0.1"
    host, port = ray.get_runtime_context().gcs_address.rsplit(":", 1)
    assert host == "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # sends nothing
        probe.connect(("192.0.2.1", 9))
        outside = probe.getsockname()[0]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((outside, int(port)), timeout=5.0).close()


def test_the_doctor_can_run_a_task(session: Session, tmp_path: Path) -> None:
    check = examine(tmp_path, deep=True)[-1]
    assert (check.name, check.ok, check.advice) == ("local ray", True, "")
