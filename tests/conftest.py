"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gnosis_ray.config import Config, load_config

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
