"""One clean market for the tests of this folder."""

from __future__ import annotations

from datetime import date

import pytest

from gnosis_ray.config import Config
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.quality.scenarios import World, clean_world


@pytest.fixture(scope="session")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2021, 12, 1), date(2029, 6, 30))


@pytest.fixture(scope="session")
def world(config: Config, calendar: SessionCalendar) -> World:
    return clean_world(config, calendar)
