"""``benchmarks.scale`` measures something, on a universe too small to mean anything."""

from __future__ import annotations

import pytest

from benchmarks import processes, scale
from cluster.session import Session


def test_processes_are_found_by_the_classes_of_their_actors(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__RUN__BATCH_SIZE", "1")
    monkeypatch.setattr(processes, "EVERY_S", 0.1)
    monkeypatch.setattr(scale, "UNIVERSES", (4,))
    table = scale.universes()
    cells = {str(column.header): next(iter(column.cells)) for column in table.columns}
    assert cells["symbols"] == "4"
    assert all(int(str(cells[f"{process} MB"])) > 0 for process in ("host", "coordinator", "driver")), cells
