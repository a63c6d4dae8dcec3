"""Components and the runner that calls them, without Ray."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError

from actors.component import Component, RemoteComponent, RunnerJob
from gnosis_ray.errors import ClusterError
from gnosis_ray.fanout import DIED
from gnosis_ray.schemas.run_schemas import Batch
from tests.actors.fake_job import FakeComponent, FakeComponentJob
from tests.actors.fake_ray import FakeActorClass, FakeRay, Handle


class CountingJob(FakeComponentJob):
    """Counts how often a component is opened."""

    opened: ClassVar[list[str]] = []

    def open_component(self, role: str) -> object:
        self.opened.append(role)
        return super().open_component(role)


def actor(fake_ray: FakeRay, job: FakeComponentJob, role: str) -> Handle:
    return FakeActorClass(fake_ray, Component).options(name=role).remote(job, role)


def test_a_component_is_opened_at_its_first_call_and_once(tmp_path: Path) -> None:
    job = CountingJob(tmp_path)
    job.opened.clear()
    component = Component(job, "lower")
    assert job.opened == []
    assert [component.call("change", (symbol,)) for symbol in ("AAPL", "MSFT")] == ["aapl", "msft"]
    assert job.opened == ["lower"]


def test_a_component_raises_what_its_part_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="no luck with bad"):
        Component(FakeComponentJob(tmp_path), "lower").call("change", ("bad",))


def test_a_component_names_its_run_in_its_log(fake_ray: FakeRay, tmp_path: Path) -> None:
    Component(FakeComponentJob(tmp_path), "lower")
    assert fake_ray.runs == []
    Component(FakeComponentJob(tmp_path), "lower", "run-7")
    assert fake_ray.runs == ["run-7"]


def test_a_remote_call_returns_and_raises_as_a_local_one(fake_ray: FakeRay, tmp_path: Path) -> None:
    call = RemoteComponent(actor(fake_ray, FakeComponentJob(tmp_path), "twice"))
    assert call("change", "AB") == "ABAB"
    with pytest.raises(ZeroDivisionError, match="no luck with bad") as caught:
        call("change", "bad")
    assert type(caught.value) is ZeroDivisionError, "the error itself, not Ray's wrapping of it"


@pytest.mark.parametrize("error", [ActorDiedError(), ActorUnavailableError("connection reset", None)])
def test_a_component_that_is_gone_is_a_cluster_error(fake_ray: FakeRay, tmp_path: Path, error: Exception) -> None:
    call = RemoteComponent(actor(fake_ray, FakeComponentJob(tmp_path), "twice"))
    fake_ray.errors["twice", "call"] = [error]
    with pytest.raises(ClusterError) as caught:
        call("change", "AB")
    assert caught.value.message == DIED


def test_a_runner_computes_over_the_components_of_its_symbol(fake_ray: FakeRay, tmp_path: Path) -> None:
    job = FakeComponentJob(tmp_path)
    handles = {role: actor(fake_ray, job, role) for role in job.roles()}
    assert RunnerJob(job, handles).open().compute(Batch(index=0, symbols=("AB",))) == ["abab"]
    parts = [handle.instance._component for handle in handles.values()]
    assert parts == [FakeComponent("lower", calls=1), FakeComponent("twice", calls=1)]
