"""No split and no dividend changes what bars say of returns, ranges and depth, where the adjusted close is known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import load_config
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.hedge.co_movement import Tapes
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.engines.sentiment.processors import TechnicalSentimentProcessor
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import one_key
from tests.engines.shared.series import START, wandering
from tests.market.actions import RATIOS, split, unadjusted
from tests.support.books import FixedAdapter

DAYS = 150
CONFIG = load_config().config.engines
STEPPED = ("poc", "value_area_low", "value_area_high", "volume_magnet_level", "volume_magnet_score")
"""Of a profile's plateau any bucket may be the fullest to the last bit; a split by a power of two keeps every bit."""
NO_CHAINS = pl.DataFrame(schema=KEYS)


def at(*days: int, symbol: str = "AAA") -> pl.DataFrame:
    """Keys at the close of bars."""
    return pl.concat([one_key(symbol, START + timedelta(days=day)) for day in days])


def said(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """What all engines that read bars say, side by side."""
    adapter = FixedAdapter(NO_CHAINS, bars)
    depth = LiquidityEngineV1(adapter, CONFIG.liquidity).compute(keys, {"bars": bars}, {}).features
    cost = ElasticityEngineV1(adapter, CONFIG.elasticity).compute(keys, {"bars": bars}, {}).features
    mood = TechnicalSentimentProcessor(adapter, CONFIG.sentiment.technical).score(keys, bars)
    frames = [f.rename({c: f"{name}.{c}" for c in f.columns}) for name, f in (("d", depth), ("c", cost), ("m", mood))]
    return pl.concat(frames, how="horizontal")


def smooth(frame: pl.DataFrame) -> pl.DataFrame:
    """Without what a last bit may move by a bucket."""
    return frame.drop(f"d.{name}" for name in STEPPED)


@settings(max_examples=30, deadline=None)
@given(
    ratio=st.sampled_from(RATIOS),
    dividend=st.floats(0.0, 0.1),
    ex_day=st.integers(DAYS - 70, DAYS - 1),
    day=st.integers(DAYS - 70, DAYS - 1),
    level=st.floats(0.05, 5.0),
    seed=st.integers(0, 1000),
)
def test_no_action_changes_what_bars_say(
    ratio: float, dividend: float, ex_day: int, day: int, level: float, seed: int
) -> None:
    plain = wandering(DAYS, seed=seed)
    raw = split(plain, day, ratio, dividend=dividend, ex_day=ex_day, level=level)
    keys = at(DAYS - 1)
    assert_frame_equal(smooth(said(keys, raw)), smooth(said(keys, plain)), rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("ratio", [2.0, 4.0, 0.5])
def test_a_split_by_a_power_of_two_keeps_every_bucket_of_the_profile(ratio: float) -> None:
    plain = wandering(DAYS)
    found = said(at(DAYS - 1), split(plain, DAYS - 30, ratio))
    assert_frame_equal(found, said(at(DAYS - 1), plain), rel_tol=1e-12)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_same_split_unadjusted_is_felt(ratio: float) -> None:
    plain = wandering(DAYS)
    found = said(at(DAYS - 1), unadjusted(split(plain, DAYS - 3, ratio))).row(0, named=True)
    expected = said(at(DAYS - 1), plain).row(0, named=True)
    assert found["c.ret_5d"] is None or abs(found["c.ret_5d"] - expected["c.ret_5d"]) > 0.2
    assert found["d.amihud_illiquidity"] != pytest.approx(expected["d.amihud_illiquidity"], rel=1e-6)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_panel_through_splits_equals_its_moments_one_by_one(ratio: float) -> None:
    days = (355, 380, 399, 400, 401, 420, 460, 499)
    bars = pl.concat(
        [
            split(wandering(500, symbol=name, seed=seed), 400, ratio, dividend=0.03, ex_day=390, level=0.7)
            for seed, name in enumerate("ABC")
        ]
    )
    keys = pl.concat([at(day, symbol=name) for name in "ABC" for day in days])
    panel = said(keys, bars)
    single = []
    for symbol, moment in keys.iter_rows():
        seen = bars.filter(pl.col("symbol") == symbol, pl.col("known_at") <= moment).tail(BAR_LOOKBACK)
        single.append(said(one_key(symbol, moment), seen))
    assert_frame_equal(smooth(panel), smooth(pl.concat(single)), rel_tol=1e-9, abs_tol=1e-10)


def test_a_batch_of_one_equals_a_batch_of_many_bit_for_bit() -> None:
    names = ("AAA", "BBB", "CCC", "DDD")
    tables = [wandering(DAYS, symbol=name, seed=seed) for seed, name in enumerate(names)]
    tables[1] = split(tables[1], 120, 1.5, dividend=0.02, ex_day=100, level=0.37)
    tables[2] = tables[2].with_columns(adjusted_close="close")
    tables[3] = split(tables[3], 120, 3.0).with_columns(
        adjusted_close=pl.when(pl.int_range(pl.len()) > 110).then("adjusted_close")
    )
    keys = pl.concat([at(DAYS - 1, symbol=name) for name in names])
    many = said(keys, pl.concat(tables))
    ones = pl.concat([said(at(DAYS - 1, symbol=n), table) for n, table in zip(names, tables, strict=True)])
    assert_frame_equal(many, ones, check_exact=True)


def test_an_adjusted_close_that_is_the_close_or_unknown_changes_no_bit() -> None:
    plain = wandering(DAYS)
    expected = said(at(DAYS - 1), plain)
    for same in (plain.with_columns(adjusted_close="close"), plain.drop("adjusted_close")):
        assert_frame_equal(said(at(DAYS - 1), same), expected, check_exact=True)


@pytest.mark.parametrize("ratio", RATIOS)
def test_an_action_still_to_come_changes_nothing(ratio: float) -> None:
    """Bars recorded in hindsight: the level of every adjusted close knows of the split after the key."""
    plain = wandering(DAYS)
    known = plain.head(DAYS - 10).with_columns(adjusted_close="close")
    hindsight = split(plain, DAYS - 5, ratio, dividend=0.02, ex_day=DAYS - 2)
    today = at(DAYS - 11)
    factor = hindsight["close"][0] / plain["close"][0]
    shares = known.with_columns(
        *(pl.col(c) * factor for c in ("open", "high", "low", "close")), volume=pl.col("volume") / factor
    )
    found = said(today, hindsight.with_columns(adjusted_close=pl.col("adjusted_close") * 0.9))
    expected = said(today, shares.with_columns(adjusted_close="close"))
    assert_frame_equal(smooth(found), smooth(expected), rel_tol=1e-9, abs_tol=1e-12)


def test_a_corrected_adjustment_is_known_from_then_on() -> None:
    """The day after a split every bar before it is told again; who looks earlier sees none of it."""
    plain = wandering(DAYS)
    raw = split(plain, DAYS - 5, 1.5)
    first = raw.with_columns(adjusted_close="close")
    again = raw.with_columns(known_at=pl.max_horizontal("known_at", pl.lit(START + timedelta(days=DAYS - 5, hours=1))))
    both = pl.concat([first, again.filter(pl.col("timestamp") < START + timedelta(days=DAYS - 5))])
    keys = at(DAYS - 6, DAYS - 1)
    expected = pl.concat([said(at(DAYS - 6), first), said(at(DAYS - 1), raw)])
    assert_frame_equal(said(keys, both), expected, check_exact=True)


@settings(max_examples=20, deadline=None)
@given(ratio=st.sampled_from(RATIOS), dividend=st.floats(0.0, 0.1), day=st.integers(1, DAYS - 1))
def test_betas_are_of_adjusted_returns(ratio: float, dividend: float, day: int) -> None:
    plain = wandering(DAYS)
    raw = split(plain, day, ratio, dividend=dividend, ex_day=DAYS // 2, level=0.4)
    now = plain["timestamp"].to_numpy()[-1]
    expected, found = (Tapes.of(b) for b in (plain, raw))
    sessions = expected.sessions_at("AAA", now)
    np.testing.assert_allclose(found.returns(sessions, now), expected.returns(sessions, now), rtol=1e-9, atol=1e-12)
