"""Indicators against the textbook, and against the ways in which history misleads."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK, daily_statistics
from gnosis_ray.engines.shared.indicators import INDICATORS, MEMORY, daily_indicators
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.corporate_actions import PRICES
from gnosis_ray.market.keys import keys_at, one_key
from tests.engines.shared.series import START, keltner, percent_b, rsi, wandering, yang_zhang
from tests.market.actions import split


def at(day: int, symbol: str = "AAA") -> pl.DataFrame:
    """The key at the close of a bar."""
    return one_key(symbol, START + timedelta(days=day))


def last(bars: pl.DataFrame, day: int | None = None) -> dict[str, float]:
    """The indicators at the close of ``day``, the last one by default."""
    moment: datetime = bars["timestamp"].max() if day is None else START + timedelta(days=day)  # type: ignore[assignment]
    return daily_indicators(one_key("AAA", moment), bars).row(0, named=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [MEMORY, 120, 400])
def test_indicators_are_the_textbooks(seed: int, count: int) -> None:
    bars = wandering(count, seed=seed)
    high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
    found = last(bars)
    assert found["rsi_14"] == pytest.approx(rsi(close), rel=1e-10)
    assert found["bollinger_percent_b"] == pytest.approx(percent_b(close), rel=1e-9)
    assert found["keltner_position"] == pytest.approx(keltner(high, low, close), rel=1e-10)
    assert found["ret_5d"] == pytest.approx(close[-1] / close[-6] - 1, rel=1e-12)
    assert found["realised_vol_20d"] == pytest.approx(yang_zhang(bars), rel=1e-9)
    assert found["last_bar"] == bars["timestamp"].max()


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("ret_5d", 5),
        ("bollinger_percent_b", 19),
        ("realised_vol_20d", 20),
        ("rsi_14", 44),
        ("keltner_position", 49),
    ],
)
def test_an_indicator_is_absent_until_its_window_and_warm_up_are_full(name: str, first: int) -> None:
    bars = wandering(80)
    assert last(bars, first - 1)[name] is None
    assert last(bars, first)[name] is not None


def test_nothing_known_is_nothing_said() -> None:
    keys = pl.concat([at(50, "ZZZ"), at(50), at(50, "BBB")])
    found = daily_indicators(keys, wandering(60))
    assert found["symbol"].to_list() == ["ZZZ", "AAA", "BBB"]
    assert found["rsi_14"].is_null().to_list() == [True, False, True]
    assert daily_indicators(at(20), wandering(60))["price_break"].to_list() == [False]
    assert daily_indicators(keys, wandering(0)).select(INDICATORS).null_count().row(0) == (3,) * len(INDICATORS)
    assert daily_indicators(keys.clear(), wandering(60)).height == 0


def test_a_price_that_does_not_move_has_no_position() -> None:
    flat = wandering(100).with_columns(pl.lit(50.0).alias(name) for name in PRICES)
    found = last(flat)
    assert [found[name] for name in INDICATORS] == [None, None, None, 0.0, None]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 1000.0), days=st.integers(1, 2000))
def test_scale_calendar_order_and_repeats_change_nothing(seed: int, scale: float, days: int) -> None:
    bars = wandering(90, seed=seed)
    plain = daily_indicators(at(89), bars).select(INDICATORS)
    scaled = bars.with_columns(pl.col(name) * scale for name in PRICES)
    assert_frame_equal(daily_indicators(at(89), scaled).select(INDICATORS), plain, rel_tol=1e-7, abs_tol=1e-9)
    shift = pl.duration(days=days)
    moved = bars.with_columns(pl.col("timestamp") + shift, pl.col("known_at") + shift)
    assert_frame_equal(daily_indicators(at(89 + days), moved).select(INDICATORS), plain, check_exact=True)
    mixed = bars.sample(fraction=1.0, shuffle=True, seed=seed)
    assert_frame_equal(daily_indicators(at(89), mixed).select(INDICATORS), plain, check_exact=True)
    twice = pl.concat([bars, bars.sample(10, seed=seed)])
    assert_frame_equal(daily_indicators(at(89), twice).select(INDICATORS), plain, check_exact=True)


def test_the_future_changes_nothing() -> None:
    bars = wandering(200)
    known = bars.filter(pl.col("known_at") <= START + timedelta(days=100))
    assert_frame_equal(daily_indicators(at(100), bars), daily_indicators(at(100), known), check_exact=True)


def test_a_batch_of_one_equals_a_batch_of_many_bit_for_bit() -> None:
    names = [f"S{i:02d}" for i in range(12)]
    bars = pl.concat(
        [
            wandering(60 + 20 * i, symbol=n, seed=i, sigma=0.005 * (i + 1), start=3.0 * i + 1)
            for i, n in enumerate(names)
        ]
    )
    now = START + timedelta(days=400)
    many = daily_indicators(keys_at(names, now), bars)
    ones = pl.concat([daily_indicators(one_key(n, now), bars.filter(symbol=n)) for n in names])
    assert_frame_equal(many, ones, check_exact=True)


def test_a_panel_equals_its_moments_one_by_one() -> None:
    bars = pl.concat([wandering(700, symbol=s, seed=i, sigma=0.01 * (i + 1)) for i, s in enumerate("ABC")])
    moments = range(350, 700, 25)
    panel = daily_indicators(pl.concat([at(day, s) for day in moments for s in "ABC"]), bars)
    single = pl.concat(
        [
            daily_indicators(
                at(day, s),
                bars.filter(pl.col("symbol") == s, pl.col("known_at") <= at(day)["timestamp"][0]).tail(BAR_LOOKBACK),
            )
            for day in moments
            for s in "ABC"
        ]
    )
    assert_frame_equal(panel, single, rel_tol=1e-9, abs_tol=1e-10)


def test_an_adjusted_close_undoes_a_split() -> None:
    bars = wandering(150)
    adjusted = daily_indicators(at(149), split(bars, 130, 4.0))
    assert_frame_equal(adjusted, daily_indicators(at(149), bars), rel_tol=1e-9)
    assert adjusted["price_break"].to_list() == [False]


@pytest.mark.parametrize("ratio", [4.0, 0.2])
def test_a_split_without_an_adjustment_is_no_return(ratio: float) -> None:
    bars = wandering(250)
    raw = split(bars, 130, ratio).drop("adjusted_close")
    after = last(raw, 133)
    assert after["price_break"]
    assert [after[name] for name in INDICATORS] == [None] * len(INDICATORS)
    assert last(raw, 129)["rsi_14"] == pytest.approx(last(bars, 129)["rsi_14"])
    assert last(raw, 135)["ret_5d"] == pytest.approx(last(bars, 135)["ret_5d"])
    assert last(raw, 150)["realised_vol_20d"] == pytest.approx(last(bars, 150)["realised_vol_20d"])
    fresh = last(raw, 130 + MEMORY - 1)
    assert not fresh["price_break"]
    assert fresh["rsi_14"] == pytest.approx(last(bars.tail(120), 130 + MEMORY - 1)["rsi_14"])


def test_a_split_is_no_volatility_and_no_volume() -> None:
    bars = wandering(150)
    raw = split(bars, 130, 4.0).drop("adjusted_close")
    plain, found = (daily_statistics(at(149), rows).row(0, named=True) for rows in (bars, raw))
    assert found["adv_usd"] == pytest.approx(plain["adv_usd"])
    assert found["sigma_daily"] == pytest.approx(plain["sigma_daily"], rel=0.1)


def test_a_deep_fall_that_is_no_split_is_a_return() -> None:
    found = last(split(wandering(150), 148, 1.5).drop("adjusted_close"))
    assert not found["price_break"]
    assert found["ret_5d"] < -0.2


@pytest.mark.parametrize("bad", [float("nan"), None, 0.0, -1.0, float("inf")])
@pytest.mark.parametrize("column", PRICES)
def test_an_impossible_bar_is_left_out(column: str, bad: float | None) -> None:
    bars = wandering(120)
    broken = pl.col("timestamp") == START + timedelta(days=110)
    spoilt = bars.with_columns(pl.when(broken).then(pl.lit(bad, pl.Float64)).otherwise(column).alias(column))
    assert_frame_equal(daily_indicators(at(119), spoilt), daily_indicators(at(119), bars.filter(~broken)))


def test_each_moment_sees_the_bars_as_they_stood() -> None:
    bars = wandering(120)
    wrong = bars.with_columns(
        pl.when(pl.col("timestamp") == START + timedelta(days=100)).then(pl.col(n) * 1.1).otherwise(n).alias(n)
        for n in PRICES
    )
    late = wrong.row(100, named=True) | {"known_at": START + timedelta(days=110)}
    both = pl.concat([bars, pl.DataFrame([late], schema=bars.schema)])
    keys = pl.concat([at(105), at(115)])
    expected = pl.concat([daily_indicators(at(105), bars), daily_indicators(at(115), wrong)])
    assert_frame_equal(daily_indicators(keys, both), expected, check_exact=True)
    assert keys.schema == KEYS
