"""The yardsticks of the benchmarks: medians, ratios, and a digest that sees a bit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import engines, market, panel
from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.same_bits import different_columns
from benchmarks.timing import alternate
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS


def test_sides_alternate_after_a_round_that_does_not_count() -> None:
    called: list[str] = []
    seconds = alternate({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=2)
    assert called == ["a", "b"] * 3
    assert set(seconds) == {"a", "b"}


def test_a_ratio_says_which_way_it_goes() -> None:
    assert Row("x", 0.2, "y", 0.1).ratio == "2.00 x"
    assert Row("x", 0.1, "y", 0.2, times_faster=True).ratio == "2.0 x faster"
    assert Row("x", 0.1).ratio == ""


@pytest.mark.parametrize(("other", "different"), [(0.1 + 0.2, ["x"]), (None, ["x"]), (0.3, [])])
def test_a_bit_makes_a_difference(other: float | None, different: list[str]) -> None:
    moment = datetime(2026, 7, 10, 20, tzinfo=UTC)
    frames = [pl.DataFrame({"t": [moment], "x": [x]}, schema_overrides={"x": pl.Float64}) for x in (0.3, other)]
    assert different_columns(*frames) == different


def test_the_market_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    monkeypatch.setattr(market, "REALDATA", tmp_path / "nowhere")
    written = market.prepare(tmp_path / "market", members=4)
    chains = written.adapter().source.raw_chains(written.keys)
    assert "SYNTHETIC" in written.name
    assert chains["symbol"].n_unique() == 4
    assert written.read_and_sum()["strike"].item() == pytest.approx(chains["strike"].sum())
    bars = written.adapter().fetch_bars(written.keys, BAR_LOOKBACK)
    assert written.read_and_sum("bars")["volume"].item() == pytest.approx(bars["volume"].sum())
    _check_panel(written, bars)


def _check_panel(market: Market, bars: pl.DataFrame) -> None:
    days = panel.last_days(market, 3)
    assert days.to_list() == bars["known_at"].unique().sort().tail(3).to_list()
    keys = panel.panel_keys(market.symbols, days)
    assert keys.height == len(market.symbols) * 3
    assert keys.is_duplicated().sum() == 0
    in_one, in_three = (
        panel.features_of(ElasticityEngineV1(market.adapter(), market.config.engines.elasticity), calls)
        for calls in ([keys], [panel.panel_keys(market.symbols, days[at : at + 1]) for at in range(3)])
    )
    assert in_one["energy_to_move_1pct_up"].null_count() == 0
    assert_frame_equal(in_one, in_three, check_row_order=False, rel_tol=1e-9)


def test_engines_take_their_share_of_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    monkeypatch.setattr(market, "REALDATA", tmp_path / "nowhere")
    monkeypatch.setattr(engines, "ROUNDS", 1)
    whole, *stages = engines.rows(market.prepare(tmp_path / "market", members=2), tmp_path)
    names = [stage.what.removeprefix("  stage: ") for stage in stages]
    assert names == ["load", *(f"engine.{kind}" for kind in ENGINE_KINDS)]
    assert whole.seconds == pytest.approx(sum(stage.seconds or 0.0 for stage in stages))
