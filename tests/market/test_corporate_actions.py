"""Prices in one unit of share: by ratios of what is told, and by nothing else."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.market.corporate_actions import PRICES, adjusted, adjustment, log_moves
from tests.engines.shared.series import START, wandering
from tests.market.actions import RATIOS, split, unadjusted

UNTOLD = (None, float("nan"), 0.0, -1.0, float("inf"))


def told_only(bars: pl.DataFrame, first: int, last: int, untold: float | None = None) -> pl.DataFrame:
    """The bars with ``untold`` as the adjusted close of the days from ``first`` up to ``last``."""
    hole = pl.col("timestamp").is_between(START + timedelta(days=first), START + timedelta(days=last))
    return bars.with_columns(adjusted_close=pl.when(hole).then(untold).otherwise("adjusted_close"))


def test_where_nothing_happened_the_bars_themselves_are_the_answer() -> None:
    bars = wandering(30)
    for same in (bars, bars.drop("adjusted_close"), bars.with_columns(adjusted_close="close"), bars.clear()):
        assert adjustment(same) is None
        assert adjusted(same) is same


@settings(max_examples=40, deadline=None)
@given(
    ratio=st.sampled_from(RATIOS),
    dividend=st.floats(0.0, 0.1),
    ex_day=st.integers(1, 39),
    day=st.integers(1, 39),
    level=st.floats(0.01, 10.0),
)
def test_adjusted_prices_are_those_of_the_share_that_was_never_split(
    ratio: float, dividend: float, ex_day: int, day: int, level: float
) -> None:
    plain = wandering(40)
    found = adjusted(split(plain, day, ratio, dividend=dividend, ex_day=ex_day, level=level))
    unit = found["close"][0] / plain["close"][0]
    expected = plain.with_columns(*(pl.col(c) * unit for c in PRICES), volume=pl.col("volume") / unit)
    assert_frame_equal(found.drop("adjusted_close"), expected.drop("adjusted_close"), rel_tol=1e-12)


@pytest.mark.parametrize("untold", UNTOLD)
def test_where_one_of_two_bars_does_not_tell_their_raw_closes_are_compared(untold: float | None) -> None:
    raw = told_only(split(wandering(40), 20, 1.5), 15, 24, untold)
    closes, found = raw["close"].to_numpy(), adjusted(raw)["close"].to_numpy()
    np.testing.assert_allclose(np.diff(np.log(found)), np.diff(np.log(closes)), rtol=1e-12)
    across = told_only(split(wandering(40), 20, 1.5), 21, 24, untold)
    found = adjusted(across)["close"].to_numpy()
    np.testing.assert_allclose(np.diff(np.log(found)), np.diff(np.log(wandering(40)["close"].to_numpy())), rtol=1e-9)


def test_symbols_do_not_touch() -> None:
    one, other = split(wandering(40), 20, 4.0), unadjusted(wandering(40, symbol="BBB", seed=2, start=9.0))
    both = adjusted(pl.concat([one, other]))
    assert_frame_equal(both, pl.concat([adjusted(one), other]), check_exact=True)


@settings(max_examples=40, deadline=None)
@given(ratio=st.sampled_from(RATIOS), dividend=st.floats(0.0, 0.1), first=st.integers(0, 39), days=st.integers(-1, 20))
def test_arrays_and_frames_obey_one_rule(ratio: float, dividend: float, first: int, days: int) -> None:
    raw = told_only(split(wandering(40), 20, ratio, dividend=dividend, ex_day=10, level=0.3), first, first + days)
    moves = log_moves(raw["close"].to_numpy(), raw["adjusted_close"].to_numpy())
    np.testing.assert_allclose(moves, np.diff(np.log(adjusted(raw)["close"].to_numpy())), rtol=1e-9, atol=1e-14)


def test_arrays_without_an_adjusted_close_give_the_raw_returns_to_the_bit() -> None:
    closes = wandering(40)["close"].to_numpy().copy()
    closes[7] = np.nan
    np.testing.assert_array_equal(log_moves(closes, np.full(40, np.nan)), np.diff(np.log(closes)))
    np.testing.assert_array_equal(log_moves(closes, closes), np.diff(np.log(closes)))
    for bad in UNTOLD[2:]:
        np.testing.assert_array_equal(log_moves(closes, np.full(40, bad)), np.diff(np.log(closes)))
