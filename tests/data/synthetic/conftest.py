"""One synthetic market for the tests of this folder."""

from __future__ import annotations

from datetime import date

import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar


@pytest.fixture(scope="session")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2021, 12, 1), date(2027, 6, 30))


@pytest.fixture(scope="session")
def source(calendar: SessionCalendar, config: Config) -> SyntheticSource:
    return SyntheticSource(calendar, config.data.synthetic, config.market)
