"""Bars and what stands behind them: regimes, jumps, the market factor, volume."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.data.synthetic.params import MARKET_VOL, symbol_params
from gnosis_ray.data.synthetic.paths import INTO_STRESS, OUT_OF_STRESS, market_path, stressed_sessions, symbol_path
from gnosis_ray.market.keys import keys_at

NOW = datetime(2026, 7, 10, 20, tzinfo=UTC)
SYMBOLS = [f"S{i:03}" for i in range(30)]
SEED = 5
SESSIONS = 2500


@pytest.fixture(scope="module")
def bars(source: SyntheticSource) -> pl.DataFrame:
    frame = source.bars(keys_at(SYMBOLS, NOW), 1000)
    return frame.with_columns(ret=pl.col("close").log().diff().over("symbol")).drop_nulls()


def test_every_bar_is_ordered_and_dated_at_its_close(bars: pl.DataFrame) -> None:
    ends = pl.min_horizontal("open", "close"), pl.max_horizontal("open", "close")
    assert bars.filter((pl.col("low") > ends[0]) | (pl.col("high") < ends[1])).is_empty()
    assert bars.filter((pl.col("low") <= 0) | (pl.col("volume") <= 0)).is_empty()
    assert (bars["timestamp"] == bars["known_at"]).all()
    assert bars.select("symbol", "timestamp").is_unique().all()


def test_volume_follows_the_size_of_the_move(bars: pl.DataFrame) -> None:
    turnover = (pl.col("volume") * pl.col("close")).log()
    related = bars.group_by("symbol").agg(pl.corr(pl.col("ret").abs(), turnover, method="spearman").alias("rank"))
    assert related["rank"].min() > 0.3  # type: ignore[operator]


def test_turnover_is_near_its_planted_level(bars: pl.DataFrame, config: Config) -> None:
    for symbol, turnover in (
        bars.group_by("symbol").agg((pl.col("volume") * pl.col("close")).mean().alias("t")).iter_rows()
    ):
        assert turnover == pytest.approx(symbol_params(config.data.synthetic.seed, symbol).dollar_volume, rel=0.25)


def test_a_regression_on_the_market_factor_finds_beta() -> None:
    market = market_path(SEED, SESSIONS)
    factor = market.steps.sum(axis=1)
    errors = []
    for symbol in SYMBOLS:
        params = symbol_params(SEED, symbol)
        own = symbol_path(SEED, params, market).steps.sum(axis=1)
        errors.append(np.cov(own, factor)[0, 1] / factor.var(ddof=1) / params.beta - 1.0)
    assert abs(np.mean(errors)) < 0.03
    assert np.max(np.abs(errors)) < 0.35


def test_volatility_in_force_is_that_of_the_returns() -> None:
    market = market_path(SEED, SESSIONS)
    scaled = []
    for symbol in SYMBOLS:
        path = symbol_path(SEED, symbol_params(SEED, symbol), market)
        scaled.append(np.diff(path.closes) / path.volatility[1:] * np.sqrt(252))
    assert np.std(scaled) == pytest.approx(1.0, abs=0.03)


def test_stressed_sessions_move_more() -> None:
    market = market_path(SEED, SESSIONS)
    ratios = []
    for symbol in SYMBOLS:
        path = symbol_path(SEED, symbol_params(SEED, symbol), market)
        moves = path.steps.sum(axis=1)
        ratios.append(moves[path.stressed].std() / moves[~path.stressed].std())
    assert np.median(ratios) > 1.5


def test_the_regime_is_the_two_state_chain_with_its_chances() -> None:
    rng = np.random.default_rng(1)
    states = stressed_sessions(rng.random(400_000))
    into = states[1:][~states[:-1]].mean()
    out = 1.0 - states[1:][states[:-1]].mean()
    assert into == pytest.approx(INTO_STRESS, rel=0.05)
    assert out == pytest.approx(OUT_OF_STRESS, rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_the_regime_without_a_loop_is_that_of_the_loop(uniforms: list[float]) -> None:
    state, expected = False, []
    for u in uniforms:
        state = u <= 1.0 - OUT_OF_STRESS if state else u < INTO_STRESS
        expected.append(state)
    assert stressed_sessions(np.array(uniforms)).tolist() == expected


def test_jumps_come_five_a_year_and_make_fat_tails() -> None:
    market = market_path(SEED, SESSIONS)
    jumped, tails = [], []
    for symbol in SYMBOLS:
        path = symbol_path(SEED, symbol_params(SEED, symbol), market)
        jumped.append(path.jumped.mean())
        moves = np.diff(path.closes)
        tails.append((moves**4).mean() / (moves**2).mean() ** 2)
    assert np.mean(jumped) * 252 == pytest.approx(5.0, rel=0.1)
    assert np.median(tails) > 4.0


def test_a_longer_path_begins_with_the_shorter_one() -> None:
    params = symbol_params(SEED, "AAPL")
    short, long = (symbol_path(SEED, params, market_path(SEED, n)) for n in (400, 1000))
    for name in ("opens", "closes", "steps", "volatility", "stressed", "volume", "overshoot"):
        assert (getattr(short, name) == getattr(long, name)[:400]).all()


def test_parameters_lie_in_their_ranges() -> None:
    for i in range(500):
        p = symbol_params(SEED, f"T{i}")
        assert 20 <= p.price_level <= 800
        assert 0.12 <= p.volatility <= 0.60
        assert 50e6 <= p.dollar_volume <= 15e9
        assert 0 < p.beta * MARKET_VOL < p.volatility
        assert p.own_volatility > 0
        assert p.smile_eta * (1 + abs(p.skew_rho)) <= 2
