"""VPIN by hand, and its extremes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gnosis_ray.config import Config
from gnosis_ray.engines.liquidity.flow import vpin
from gnosis_ray.engines.liquidity.intervals import IntervalGrid


def test_buckets_are_filled_in_time_and_divided(config: Config) -> None:
    settings = config.engines.liquidity.replaced(vpin_buckets=3, min_intervals=3)
    change = np.array([[np.nan, 1.0, -2.0, 3.0]])
    volume = np.array([[30.0, 60.0, 20.0, 40.0]])
    sigma = np.std([1.0, -2.0, 3.0], ddof=1)
    up, down, more = (2 * norm.cdf(x / sigma) - 1 for x in (1.0, -2.0, 3.0))
    buckets = [abs(20 * up), abs(40 * up + 10 * down), abs(10 * down + 40 * more)]  # of 50 shares each
    assert vpin(change, volume, settings)[0] == pytest.approx(sum(buckets) / 150.0)


def test_it_lies_between_none_and_all(config: Config) -> None:
    random = np.random.default_rng(6)
    settings = config.engines.liquidity
    found = vpin(random.normal(size=(20, 390)), random.lognormal(size=(20, 390)), settings)
    assert ((found > 0) & (found < 1)).all()
    drift = np.where(np.arange(390) % 2 == 0, 10.0, 10.1)[None, :]
    assert vpin(drift, np.ones((1, 390)), settings)[0] > 0.99


def test_a_price_that_stands_still_has_none(config: Config) -> None:
    assert np.isnan(vpin(np.zeros((1, 390)), np.ones((1, 390)), config.engines.liquidity)).all()


def test_changes_skip_empty_intervals_and_the_first_has_none() -> None:
    last = np.array([[5.0, np.nan, 7.0, 7.0], [np.nan, 3.0, np.nan, 2.0]])
    found = IntervalGrid(2, 4, 60_000_000).changes(last)
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 2.0, 0.0], [np.nan, np.nan, np.nan, -1.0]])
