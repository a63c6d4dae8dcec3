"""The command line in this process: an empty folder to work in, a home of its own, stdout and stderr apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gnosis_ray.cli.main import run
from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar
from tests.support.markets import add_events, bars_of, chains_of, stored

MANY = [f"SYN{i:02d}" for i in range(30)]
"""What the shared ledger was scanned for."""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code, data and talk."""

    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture(scope="session")
def quick_calendar(market_calendar: SessionCalendar) -> Callable[[pytest.MonkeyPatch], None]:
    """Gives commands the calendar that they would build: every scan here looks at the synthetic market's present."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("api.run_flow", "cli.data", "cli.data_verify", "cli.fetch"):
            monkeypatch.setattr(f"gnosis_ray.{module}.build_calendar", lambda *_, **__: market_calendar)

    return patch


@contextmanager
def at_home(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Work in ``folder``, with no setting from outside."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for variable in os.environ:
            if variable.startswith("GNOSIS_RAY__"):
                monkeypatch.delenv(variable)
        monkeypatch.setenv("GNOSIS_RAY_HOME", str(folder / "home"))
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.chdir(folder)
        yield monkeypatch


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, quick_calendar: Callable[[pytest.MonkeyPatch], None]) -> Iterator[None]:
    with at_home(tmp_path) as monkeypatch:
        quick_calendar(monkeypatch)
        yield


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command line: ``call("runs", "list")``."""

    def calling(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return calling


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, quick_calendar: Callable[[pytest.MonkeyPatch], None]) -> Path:
    """A ledger with one scan of thirty synthetic symbols."""
    folder = tmp_path_factory.mktemp("scanned")
    with at_home(folder) as monkeypatch:
        quick_calendar(monkeypatch)
        code = run(["scan", "--symbols", ",".join(MANY), "--granularity", "inline", "--out", str(folder / "ledger")])
    assert code == 0
    return folder / "ledger"


@pytest.fixture(scope="session")
def store(config: Config, market_calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market store with AAPL and MSFT, and what engines read beside them, on the synthetic market's present day."""
    source = SyntheticSource(market_calendar, config.data.synthetic, config.market)
    hedge, now = config.engines.hedge, config.data.synthetic.as_of
    names = sorted({"AAPL", "MSFT", hedge.vix_symbol, *hedge.cross_asset.books, *hedge.cross_asset.baskets})
    root = stored(tmp_path_factory.mktemp("store"), chains_of(source, names, [now]), bars_of(source, names, now))
    return add_events(root, source, names, now, config.engines)
