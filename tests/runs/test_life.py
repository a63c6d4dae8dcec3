"""What a run comes to."""

from __future__ import annotations

import pytest

from gnosis_ray.errors import FailureKind
from gnosis_ray.runs.life import run_status
from gnosis_ray.schemas.run_schemas import Failure


@pytest.mark.parametrize(
    ("snapshots", "kinds", "status"),
    [
        (0, ["no_data", "no_data"], "no_data"),
        (0, ["no_data", "quarantined"], "done_with_failures"),
        (1, ["no_data"], "done_with_failures"),
        (2, [], "done"),
    ],
)
def test_only_missing_data_is_called_no_data(snapshots: int, kinds: list[FailureKind], status: str) -> None:
    failures = [Failure(symbol="AAA", stage="load", kind=kind, error="E", message="") for kind in kinds]
    assert run_status(snapshots, failures) == status
