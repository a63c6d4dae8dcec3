"""An empty folder and a home of its own for each row, beside a ledger and a store that must stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gnosis_ray.cli.main import run
from gnosis_ray.data.store.writer import StoreWriter
from tests.cli.conftest import at_home, quick_calendar
from tests.data.store.frames import bar
from tests.hostile_inputs.harness import contents_of

__all__ = ["quick_calendar"]


@pytest.fixture(scope="session")
def precious(tmp_path_factory: pytest.TempPathFactory, quick_calendar: Callable[[pytest.MonkeyPatch], None]) -> Path:
    """A ledger with one run, and a market store with one bar."""
    folder = tmp_path_factory.mktemp("precious")
    with at_home(folder) as monkeypatch:
        quick_calendar(monkeypatch)
        assert run(["scan", "--symbols", "AAPL", "--granularity", "inline", "--out", str(folder / "ledger")]) == 0
    StoreWriter(folder / "market").append("bars", bar("AAPL", 0))
    return folder


@pytest.fixture
def place(
    tmp_path: Path, precious: Path, quick_calendar: Callable[[pytest.MonkeyPatch], None]
) -> Iterator[tuple[Path, pytest.MonkeyPatch]]:
    """The folder in which a row is given; ``ledger`` and ``market`` lead to what is precious."""
    before = contents_of(precious)
    with at_home(tmp_path) as monkeypatch:
        quick_calendar(monkeypatch)
        monkeypatch.setenv("COLUMNS", "2000")  # so that no name is broken over lines
        for name in ("ledger", "market"):
            (tmp_path / name).symlink_to(precious / name)
        yield tmp_path, monkeypatch
    assert contents_of(precious) == before, "what was there has changed"
    left = {path.name for path in tmp_path.iterdir()} - {"ledger", "market", "given", "home"}
    assert not left, f"the refused command left {sorted(left)}"
