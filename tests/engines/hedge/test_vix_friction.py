"""VIX friction: one figure a moment, of what was known by then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.keys import keys_at, one_key
from tests.engines.hedge.measuring import WholeAdapter, everywhere, feature, frames, vix_bars
from tests.support.books import NOW, FixedAdapter, Interest, bars, book

YEAR = [15.0 + 0.02 * day for day in range(252)]
"""Closes that rise slowly: the last is the highest."""


def friction(config: Config, *vix: pl.DataFrame, interest: Interest | None = None) -> tuple[float | None, str]:
    """Factor and basis as AAA sees them; ``interest`` is that of a VIX chain."""
    chains = [book(everywhere)]
    if interest is not None:
        chains.append(book(interest, symbol="VIX", spot=20.0, strikes=tuple(float(k) for k in range(14, 27))))
    measured = frames(chains, config, [bars(), *vix])
    return feature(measured, "vix_friction_factor"), measured.features["meta__vix_friction_basis"][0]


def level_friction(closes: Sequence[float]) -> float:
    factor, _ = friction(load_config().config, vix_bars(closes))
    assert factor is not None
    return factor


def test_it_is_made_of_level_and_percentile(config: Config) -> None:
    factor, basis = friction(config, vix_bars([10.0] * 63 + [30.0] * 188 + [20.0]))
    assert factor == pytest.approx(1 - (20.0 / 40.0 + 63.5 / 252) / 2)
    assert basis == "level 20.00 at percentile 25 of 252 closes"


@settings(max_examples=20, deadline=None)
@given(
    closes=st.lists(st.floats(9.0, 90.0), min_size=60, max_size=80), level=st.floats(9.0, 89.0), rise=st.floats(0.1, 50)
)
def test_it_falls_as_the_vix_rises_and_stays_within_its_range(closes: list[float], level: float, rise: float) -> None:
    low, high = level_friction([*closes, level]), level_friction([*closes, level + rise])
    assert 0.0 < high < low < 1.0


def test_the_same_level_is_firmer_in_a_wild_year_than_in_a_calm_one() -> None:
    assert level_friction([40.0] * 100 + [20.0]) > level_friction([12.0] * 100 + [20.0])


def test_only_the_window_counts(config: Config) -> None:
    assert friction(config, vix_bars([80.0] * 100 + YEAR)) == friction(config, vix_bars(YEAR))


@pytest.mark.parametrize(
    ("vix", "basis"),
    [
        ((), "none: no VIX data"),
        ((vix_bars([20.0] * 59),), "none: 59 VIX closes"),
        ((vix_bars(YEAR, NOW - timedelta(days=8)),), "none: no VIX data since 2026-07-02"),
        ((vix_bars([float("nan")] * 100),), "none: no VIX data"),
    ],
    ids=["none", "short", "old", "nan"],
)
def test_it_is_absent_with_a_note_and_takes_nothing_from_the_confidence(
    config: Config, vix: tuple[pl.DataFrame, ...], basis: str
) -> None:
    assert friction(config, *vix) == (None, basis)
    measured = frames([book(everywhere)], config, [bars(), *vix])
    assert measured.features.select("confidence", "meta__degraded").row(0) == (1.0, None)


def test_what_becomes_known_later_changes_nothing(config: Config) -> None:
    now = friction(config, vix_bars(YEAR))
    tomorrow = vix_bars([80.0], NOW + timedelta(days=1))
    restated = vix_bars([80.0]).with_columns(known_at=pl.lit(NOW + timedelta(hours=1)).dt.cast_time_unit("us"))
    assert friction(config, vix_bars(YEAR), tomorrow, restated) == now


def test_a_correction_known_by_then_counts(config: Config) -> None:
    first = vix_bars(YEAR).with_columns(known_at=pl.col("known_at") - timedelta(minutes=1))
    assert friction(config, first, vix_bars([17.0])) == friction(config, vix_bars([*YEAR[:-1], 17.0]))


def test_each_moment_of_a_panel_sees_its_own_past(config: Config) -> None:
    """A bar that was corrected between two moments is two bars to them."""
    moments = [NOW - timedelta(days=days) for days in (20, 10, 0)]
    corrected = vix_bars([5.0], NOW - timedelta(days=15)).with_columns(known_at=pl.col("known_at") + timedelta(days=8))
    daily = pl.concat([bars(), vix_bars(YEAR), corrected])
    engine = HedgeEngineV3(
        WholeAdapter(pl.concat([book(everywhere, now=moment) for moment in moments]), daily), config.engines.hedge
    )
    alone = [engine.frames(one_key("AAA", moment)).features for moment in moments]
    together = engine.frames(pl.concat([one_key("AAA", moment) for moment in moments])).features
    columns = ["vix_friction_factor", "meta__vix_friction_basis"]
    assert_frame_equal(together.select(columns), pl.concat(alone).select(columns), check_exact=True)
    assert together["vix_friction_factor"].n_unique() == 3


def calls_only(kind: str, _strike: float, _days: int) -> float:
    return 100.0 if kind == "C" else 0.001


def puts_only(kind: str, _strike: float, _days: int) -> float:
    return 100.0 if kind == "P" else 0.001


def test_a_chain_comes_before_the_level(config: Config) -> None:
    """Dealers are taken to be short VIX calls: nothing holds volatility where the book is all calls."""
    loose, firm, even = (friction(config, vix_bars(YEAR), interest=i) for i in (calls_only, puts_only, everywhere))
    assert {basis for _, basis in (loose, firm, even)} == {"chain"}
    assert loose[0] == pytest.approx(0.0, abs=1e-4)
    assert firm[0] == pytest.approx(1.0, abs=1e-4)
    assert even[0] == pytest.approx(0.5)


def test_the_dealers_of_the_vix_are_configured_apart() -> None:
    flags = {"engines.hedge.vix_dealer_call_sign": 1, "engines.hedge.vix_dealer_put_sign": -1}
    turned = load_config(flags=flags).config
    assert friction(turned, interest=calls_only)[0] == pytest.approx(1.0, abs=1e-4)


def test_a_chain_without_open_interest_gives_way_to_the_level(config: Config) -> None:
    factor, basis = friction(config, vix_bars(YEAR), interest=lambda _k, strike, _d: 9.0 if strike > 23 else 0.0)
    assert (factor, basis) == friction(config, vix_bars(YEAR))
    assert basis.startswith("level")


def batch(config: Config, names: list[str], now: datetime = NOW) -> EngineFrames:
    chains = [book(everywhere, symbol=name, spot=96.0 + i) for i, name in enumerate(names)]
    return frames(chains, config, [*(bars(symbol=name) for name in names), vix_bars(YEAR)], names, now)


def test_every_symbol_sees_the_same_and_alone_what_it_sees_among_others(config: Config) -> None:
    names = [f"S{i}" for i in range(7)]
    many = batch(config, names)
    assert many.features["vix_friction_factor"].n_unique() == 1
    ones = pl.concat([_alone(config, names, name) for name in names])
    assert_frame_equal(many.features, ones, check_exact=True)


def _alone(config: Config, names: list[str], name: str) -> pl.DataFrame:
    chain = book(everywhere, symbol=name, spot=96.0 + names.index(name))
    return frames([chain], config, [bars(symbol=name), vix_bars(YEAR)], [name]).features


def test_the_vix_itself_may_be_asked_for(config: Config) -> None:
    chain = book(everywhere, symbol="VIX", spot=20.0, strikes=tuple(float(k) for k in range(14, 27)))
    engine = HedgeEngineV3(FixedAdapter(chain, vix_bars(YEAR)), config.engines.hedge)
    row = engine.frames(keys_at(["VIX"], NOW)).features
    assert row["vix_friction_factor"][0] == pytest.approx(0.5)
    assert row["meta__degraded"][0] == "no_bars"
