"""Shared fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.session import Session, connect
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.market.calendar import SessionCalendar
from tests.support import skips

REALDATA = Path(os.environ.get("GNOSIS_RAY_REALDATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--skips``: for the gate, which counts what all its runs skipped."""
    parser.addoption("--skips", type=Path, help="append each skipped test and its reason to this file")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Note what was skipped, in the process that hears of all tests: not in those that xdist started."""
    file: Path | None = config.getoption("--skips")
    if file is not None and not hasattr(config, "workerinput"):
        skips.note(file, terminalreporter.stats.get("skipped", []))


@pytest.fixture(scope="session")
def config() -> Config:
    """The default settings."""
    return load_config().config


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of recorded market data; skips, saying so, where it is absent."""
    if not REALDATA.is_dir():
        pytest.skip(f"no recorded market data at {REALDATA}: set GNOSIS_RAY_REALDATA")
    return REALDATA


@pytest.fixture(scope="session")
def market_calendar(config: Config) -> SessionCalendar:
    """The sessions that a scan of the synthetic market's present builds."""
    return build_calendar(config, config.data.synthetic.as_of)


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """A local Ray of two cores, started once for all tests that need one."""
    with connect(None, 2) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """A local S3, started once for all tests that need one."""
    from tests.support.object_stores import object_store  # its server takes a second to import

    with object_store() as address:
        yield address


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The local S3, now the one that this process's environment points to; its address."""
    from tests.support.object_stores import environment

    for name, value in environment(s3_address).items():
        monkeypatch.setenv(name, value)
    return s3_address
