"""Profiles whose levels are known, and a profile's conservation of volume."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import load_config
from gnosis_ray.engines.liquidity.profile_levels import ProfileLevels, profile_levels
from gnosis_ray.engines.liquidity.row_statistics import Floats
from gnosis_ray.engines.liquidity.volume_profile import PriceGrid, Profiles, bar_profiles, trade_profiles
from gnosis_ray.engines.liquidity.windows import BarWindow

CONFIG = load_config().config.engines.liquidity
GRID = PriceGrid(50, 0.001)
SPOT = np.array([100.0])


def window(low: list[float], high: list[float], volume: list[float]) -> BarWindow:
    lows, highs, volumes = (np.array([values]) for values in (low, high, volume))
    return BarWindow(lows, highs, lows, highs, volumes, np.array([len(low)]), pl.Series([None]))


def levels(shares: dict[int, float], sigma: float = 0.01) -> ProfileLevels:
    """Of a profile given by offset from the price's own bucket."""
    row = np.zeros((1, GRID.count))
    for offset, share in shares.items():
        row[0, GRID.half + offset] = share
    profile = Profiles(row / row.sum(), np.ones(1))
    return profile_levels(profile, SPOT, np.array([sigma]), GRID, CONFIG)


def at(offset: int) -> float:
    return 100.0 * math.exp(offset * GRID.width)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bars_spread_their_volume_and_lose_none(seed: int) -> None:
    """Against a sum over bars and buckets, one by one."""
    random = np.random.default_rng(seed)
    low = 100.0 * np.exp(random.uniform(-0.07, 0.07, 12))
    high = low * np.exp(random.choice([0.0, 1e-9, 0.0004, 0.003, 0.03], 12))
    volume = random.choice([0.0, 1.0, 1e6, 3e9], 12)
    found = bar_profiles(window(low.tolist(), high.tolist(), volume.tolist()), SPOT, GRID)
    expected = _one_by_one(low, high, volume)
    if expected.sum() == 0:
        assert found.shares.sum() == 0
        return
    assert found.coverage[0] == pytest.approx(expected.sum() / volume.sum(), rel=1e-9)
    dust = 2e-12 / found.coverage[0]  # less than 1e-12 of the window's volume is cut off
    np.testing.assert_allclose(found.shares[0], expected / expected.sum(), atol=1e-9 + dust)


def _one_by_one(low: Floats, high: Floats, volume: Floats) -> Floats:
    edges = (np.arange(GRID.count + 1) - GRID.half - 0.5) * GRID.width
    total = np.zeros(GRID.count)
    for a, b, v in zip(np.log(low / 100.0), np.log(high / 100.0), volume, strict=True):
        wider = max(GRID.width - (b - a), 0.0) / 2
        start, stop = a - wider, b + wider
        inside = np.clip(np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start), 0.0, None)
        total += v * inside / (stop - start)
    return total


def test_trades_stand_at_their_price() -> None:
    tape = pl.DataFrame({"key": [0, 0, 0], "price": [100.0, at(7), 300.0], "size": [30.0, 60.0, 10.0]})
    found = trade_profiles(tape, SPOT, GRID)
    assert found.coverage[0] == pytest.approx(0.9)
    assert found.shares[0, GRID.half] == pytest.approx(1 / 3)
    assert found.shares[0, GRID.half + 7] == pytest.approx(2 / 3)


def test_value_area_grows_to_the_fuller_side() -> None:
    found = levels({-2: 5, -1: 10, 0: 50, 1: 12, 2: 11, 3: 12})
    assert found.poc[0] == pytest.approx(at(0))
    assert (found.value_area_low[0], found.value_area_high[0]) == pytest.approx((at(0), at(2)))


@pytest.mark.parametrize("side", [1, -1])
def test_a_value_area_ends_where_volume_does(side: int) -> None:
    """The rest of it lies across a gap, and beyond the point of control there is nothing."""
    found = levels({0: 40, side: 25, -9 * side: 30, -20 * side: 5})
    ends = sorted((at(side), at(-9 * side)))
    assert (found.value_area_low[0], found.value_area_high[0]) == pytest.approx(ends)


def test_the_magnet_is_the_nearest_node_and_weaker_with_distance() -> None:
    shares = dict.fromkeys(range(-40, 41), 1.0) | {10: 5.0, -30: 9.0}
    near, far = levels(shares), levels(shares, sigma=0.005)
    assert near.magnet_level[0] == pytest.approx(at(10))
    assert near.magnet_score[0] == pytest.approx(math.exp(-1.0) * 80 / 81)
    assert far.magnet_score[0] == pytest.approx(math.exp(-2.0) * 80 / 81)
    assert levels({0: 1.0}).magnet_score[0] == pytest.approx(1.0)


def test_a_price_in_an_empty_stretch_is_a_void() -> None:
    sides = dict.fromkeys((*range(-40, -15), *range(16, 41)), 1.0)
    empty = levels(sides)
    assert empty.void_score[0] == pytest.approx(1.0)
    assert levels(dict.fromkeys(range(-40, 41), 1.0)).void_score[0] == pytest.approx(0.0)
    half = levels(sides | dict.fromkeys(range(-15, 16), 0.5))
    assert 0.3 < half.void_score[0] < 0.7


def test_void_levels_are_the_nearest_thin_prices() -> None:
    found = levels(dict.fromkeys(range(-40, 41), 1.0) | {5: 0.2, -12: 0.0})
    assert found.void_above[0] == pytest.approx(at(5))
    assert found.void_below[0] == pytest.approx(at(-12))


def test_no_volume_has_no_levels() -> None:
    empty = profile_levels(Profiles(np.zeros((1, GRID.count)), np.full(1, np.nan)), SPOT, np.ones(1), GRID, CONFIG)
    assert all(np.isnan(values).all() for values in vars(empty).values())
