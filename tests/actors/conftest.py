"""Fake jobs are pickled by value: workers start in an empty folder and cannot import the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ray import cloudpickle

from tests.actors import fake_job
from tests.actors.fake_ray import FakeRay, install


@pytest.fixture(scope="session", autouse=True)
def fake_job_by_value() -> Iterator[None]:
    """For the whole session: Ray outlives this folder's tests."""
    cloudpickle.register_pickle_by_value(fake_job)  # type: ignore[no-untyped-call]
    yield
    cloudpickle.unregister_pickle_by_value(fake_job)  # type: ignore[no-untyped-call]


@pytest.fixture
def fake_ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """Ray's calls in this process: nothing is started."""
    return install(monkeypatch)
