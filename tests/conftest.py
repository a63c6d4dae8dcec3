"""Shared fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.session import Session, connect
from gnosis_ray.app import build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.data.calendar import SessionCalendar

REALDATA = Path(os.environ.get("GNOSIS_RAY_REALDATA", Path(__file__).parents[2] / "shared" / "data"))


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
