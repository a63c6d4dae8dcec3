"""The yardsticks of the benchmarks: medians, ratios, and a digest that sees a bit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from benchmarks.report import Row
from benchmarks.same_bits import different_columns
from benchmarks.timing import alternate


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
    from benchmarks import market

    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    monkeypatch.setattr(market, "REALDATA", tmp_path / "nowhere")
    written = market.prepare(tmp_path / "market", members=4)
    chains = written.adapter().source.raw_chains(written.keys)
    assert "SYNTHETIC" in written.name
    assert chains["symbol"].n_unique() == 4
    assert written.read_and_sum()["strike"].item() == pytest.approx(chains["strike"].sum())
