"""The processes of symbols over Ray's calls: names, events and ends, without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import ActorDiedError

from actors.per_symbol import SymbolLimits
from actors.ray_symbol_worker_pool import PerSymbolJob, RaySymbolWorkerPool
from actors.worker import WorkerResources
from gnosis_ray.errors import ClusterError
from gnosis_ray.fanout import DIED, Attempt
from gnosis_ray.schemas.run_schemas import Batch
from tests.actors.fake_job import FakeComponentJob, FakeJob, batches
from tests.actors.fake_ray import PENDING, FakeRay

RESOURCES = WorkerResources(0, 100, 1, "run-7")
LIMITS = SymbolLimits(at_once=2, start_s=30.0, timeout_s=10.0)


def alone(symbol: str) -> Batch:
    return Batch(index=0, symbols=(symbol,))


def test_a_symbol_has_one_actor_by_its_name(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = RaySymbolWorkerPool(FakeJob(tmp_path), RESOURCES, "space", by_component=False)
    attempt = Attempt("AAPL", 1)
    pool.start(attempt, alone("AAPL"))
    assert fake_ray.names() == ["AAPL"]
    assert fake_ray.started[0].options["namespace"] == "space"
    assert [(e.kind, e.attempt, e.outcome) for e in pool.wait(0.0)] == [
        ("ready", attempt, None),
        ("done", attempt, ["AAPL"]),
    ]


def test_a_second_attempt_has_names_of_its_own(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = RaySymbolWorkerPool(FakeComponentJob(tmp_path), RESOURCES, "space", by_component=True)
    pool.start(Attempt("AAPL", 2), alone("AAPL"))
    assert fake_ray.names() == ["AAPL/lower#2", "AAPL/twice#2", "AAPL/runner#2"]


def test_a_runner_computes_over_the_components_and_is_killed_first(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = RaySymbolWorkerPool(FakeComponentJob(tmp_path), RESOURCES, "space", by_component=True)
    attempt = Attempt("AAPL", 1)
    pool.start(attempt, alone("AAPL"))
    assert [event.outcome for event in pool.wait(0.0)] == [None, ["aaplaapl"]]
    pool.end(attempt)
    assert fake_ray.killed == ["AAPL/runner", "AAPL/twice", "AAPL/lower"]


def test_a_job_without_components_is_refused_by_component(fake_ray: FakeRay, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="was FakeJob: use symbol or shard"):
        RaySymbolWorkerPool(FakeJob(tmp_path), RESOURCES, "space", by_component=True)


def test_failures_have_reasons_that_name_no_process(fake_ray: FakeRay, tmp_path: Path) -> None:
    job = FakeJob(tmp_path, raising=frozenset({"BAD"}))
    pool = RaySymbolWorkerPool(job, RESOURCES, "space", by_component=False)
    fake_ray.errors["DEAD", "open"] = [ActorDiedError()]
    fake_ray.errors["DEAD", "compute"] = [PENDING]
    for symbol in ("BAD", "DEAD"):
        pool.start(Attempt(symbol, 1), alone(symbol))
    assert [(event.attempt.symbol, event.kind, event.reason) for event in pool.wait(0.0)] == [
        ("BAD", "ready", ""),
        ("BAD", "failed", "ZeroDivisionError: no luck with BAD"),
        ("DEAD", "failed", DIED),
    ]


def test_an_ended_attempt_has_no_more_events(fake_ray: FakeRay, tmp_path: Path) -> None:
    pool = RaySymbolWorkerPool(FakeJob(tmp_path), RESOURCES, "space", by_component=False)
    for symbol in ("A", "B"):
        pool.start(Attempt(symbol, 1), alone(symbol))
    pool.end(Attempt("A", 1))
    assert {event.attempt.symbol for event in pool.wait(0.0)} == {"B"}
    pool.close()
    assert fake_ray.killed == ["A", "B"]


def test_a_wait_with_nothing_in_flight_sleeps(
    fake_ray: FakeRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[Any] = []
    monkeypatch.setattr("actors.ray_symbol_worker_pool.time.sleep", slept.append)
    assert RaySymbolWorkerPool(FakeJob(tmp_path), RESOURCES, "space", by_component=False).wait(0.3) == []
    assert slept == [0.3]


@pytest.mark.parametrize(("by_component", "outcome"), [(False, ["S0A"]), (True, ["s0as0a"])])
def test_a_leaders_job_runs_each_symbol_in_a_namespace_of_its_own(
    fake_ray: FakeRay, tmp_path: Path, by_component: bool, outcome: list[str]
) -> None:
    leader = PerSymbolJob(FakeComponentJob(tmp_path), RESOURCES, LIMITS, by_component=by_component).open()
    (batch,) = batches(1)
    results = leader.compute(batch)
    assert results.outcomes[0] == outcome
    assert {handle.options["namespace"] for handle in fake_ray.started} == {"gnosis-ray-leader"}
    assert sorted(fake_ray.killed) == sorted(fake_ray.names()), "no process outlives its batch"
    assert leader.commit(batch, 1, [results], {}).rows["snapshots"] == 2
