"""The sources and paths that the settings name."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gnosis_ray.app.sources import build_calendar, build_source
from gnosis_ray.app.worker_config import with_absolute_paths
from gnosis_ray.config import Config, load_config
from gnosis_ray.data.store.source import StoreSource
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar


def test_workers_get_absolute_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    relative = load_config(flags={"data.dir": "market", "data.provider": "store"}).config
    assert with_absolute_paths(relative).data.dir == tmp_path / "market"
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    assert with_absolute_paths(load_config().config).data.dir == tmp_path / "home" / "market"


def test_the_provider_is_the_configured_one(config: Config, market_calendar: SessionCalendar, tmp_path: Path) -> None:
    store = load_config(flags={"data.provider": "store", "data.dir": str(tmp_path)}).config
    assert isinstance(build_source(store, market_calendar), StoreSource)
    assert isinstance(build_source(config, market_calendar), SyntheticSource)


def test_the_calendar_reaches_every_listed_expiry_and_travels(market_calendar: SessionCalendar, config: Config) -> None:
    now = config.data.synthetic.as_of
    leaps = np.datetime64((now + timedelta(days=3 * 366)).date(), "D")
    assert market_calendar.days[0] < np.datetime64("2022-01-03")  # where the synthetic paths begin
    assert market_calendar.days[-1] > leaps
    sent = pickle.loads(pickle.dumps((config, market_calendar)))  # noqa: S301 - our own
    assert sent[0] == config
    assert np.array_equal(sent[1].closes, market_calendar.closes)
    old = build_calendar(config, datetime(1999, 3, 1, tzinfo=now.tzinfo))
    assert old.days[0] <= np.datetime64("1999-03-01") < old.days[-1]
