"""One local Ray for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ray import cloudpickle

from cluster.session import Session, connect
from tests.actors import toys


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """A local Ray of two cores, and toy jobs that travel by value: workers start in an empty folder."""
    cloudpickle.register_pickle_by_value(toys)  # type: ignore[no-untyped-call]
    with connect(None, 2) as opened:
        yield opened
    cloudpickle.unregister_pickle_by_value(toys)  # type: ignore[no-untyped-call]
