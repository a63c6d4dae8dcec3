"""Gamma by strike and by expiry: two ways to lay out one net."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.base import EngineFrames
from tests.engines.hedge.measuring import feature, frames
from tests.support.books import book

LAYOUTS = ("gex_by_strike", "gex_by_expiry")


def laid_out(measured: EngineFrames, name: str) -> dict[float, float]:
    rows = measured.details.filter(name=name)
    return dict(zip(rows["x"], rows["value"], strict=True))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_each_sums_to_the_net(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = book(lambda *_: float(rng.integers(0, 1000)), days=(3, 14, 42))
    measured = frames([chain], load_config().config)
    gross = feature(measured, "gex_gross_usd_per_pct")
    for name in LAYOUTS:
        net = math.fsum(laid_out(measured, name).values())
        assert net == pytest.approx(feature(measured, "gex_usd_per_pct"), abs=1e-12 * (gross or 1.0))


def test_a_position_stands_at_its_strike_and_expiry(config: Config) -> None:
    held = {("C", 110.0, 14): 500.0, ("P", 90.0, 42): 700.0}
    chain = book(lambda kind, strike, days: held.get((kind, strike, days), 0.001))
    measured = frames([chain], config)
    strikes, expiries = laid_out(measured, "gex_by_strike"), laid_out(measured, "gex_by_expiry")
    assert max(strikes, key=strikes.__getitem__) == 110.0
    assert min(strikes, key=strikes.__getitem__) == 90.0
    assert list(expiries) == [14.0, 42.0]
    assert expiries[14.0] > 0 > expiries[42.0]
    assert strikes[110.0] == pytest.approx(expiries[14.0], rel=1e-3)
    assert strikes[90.0] == pytest.approx(expiries[42.0], rel=1e-3)


def test_no_layout_where_the_book_cannot_be_weighed(config: Config) -> None:
    measured = frames([book(lambda _k, strike, _d: 500.0 if abs(strike - 100) > 10 else 0.0)], config)
    assert measured.features["meta__degraded"][0] == "open_interest_unavailable"
    assert measured.details.is_empty()


def test_details_come_key_by_key_in_order(config: Config) -> None:
    names = ["AAA", "BBB", "CCC"]
    chains = [book(lambda *_: 50.0, symbol=name, spot=95.0 + i) for i, name in enumerate(names)]
    details = frames(chains, config, symbols=names).details
    assert details.equals(details.sort("symbol", "timestamp", "name", "x"))
    assert details.group_by("symbol").agg(pl.col("name").n_unique())["name"].to_list() == [3, 3, 3]
