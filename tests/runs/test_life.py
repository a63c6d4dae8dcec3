"""What a run comes to."""

from __future__ import annotations

import pytest

from gnosis_ray.runs.life import run_status
from gnosis_ray.schemas.run_schemas import Failure


@pytest.mark.parametrize(
    ("snapshots", "errors", "status"),
    [
        (0, ["NoDataError", "NoDataError"], "no_data"),
        (0, ["NoDataError", "Quarantined"], "done_with_failures"),
        (1, ["NoDataError"], "done_with_failures"),
        (2, [], "done"),
    ],
)
def test_only_missing_data_is_called_no_data(snapshots: int, errors: list[str], status: str) -> None:
    failures = [Failure(symbol="AAA", stage="load", error=error, message="") for error in errors]
    assert run_status(snapshots, failures) == status
