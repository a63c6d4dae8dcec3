"""Points of a smile whose far quotes are too dear."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from gnosis_ray.engines.hedge.surface import expiry_points

SMILE = [
    (36.0, "P", -0.10, 0.34),
    (38.0, "P", -0.20, 0.32),
    (40.0, "P", -0.30, 0.30),
    (42.0, "C", 0.50, 0.30),
    (44.0, "C", 0.30, 0.29),
    (45.0, "C", 0.20, 0.31),
]
"""Strike, type, delta, volatility: 25-delta put .31, call .30."""


def points(rows: list[tuple[float, str, float, float]]) -> pl.DataFrame:
    """The points of one expiry with these contracts."""
    frame = pl.DataFrame(rows, schema=["strike", "type", "delta", "iv"], orient="row").sort("strike")
    market = {"key": 0, "tau": 0.08, "dte": 29.0, "underlying_price": 42.0, "rate": 0.0, "carry": 0.0}
    quotes = {"expiry": date(2026, 8, 14), "settlement": "pm", "bid": 1.0, "ask": 1.0, "mid_price": 1.0}
    return expiry_points(frame.with_columns(pl.lit(v).alias(n) for n, v in (market | quotes).items()), 0.5)


def test_wings_lie_between_neighbouring_strikes() -> None:
    wings = points(SMILE).row(0, named=True)
    assert (wings["put_wing"], wings["call_wing"]) == (pytest.approx(0.31), pytest.approx(0.30))


@pytest.mark.parametrize(
    "far", [(48.0, "C", 0.26, 0.63), (60.0, "C", 0.40, 1.50), (20.0, "P", -0.26, 0.90), (15.0, "P", -0.40, 1.80)]
)
def test_a_far_quote_that_is_too_dear_bends_no_wing(far: tuple[float, str, float, float]) -> None:
    columns = ["put_wing", "call_wing", "atm"]
    assert points([*SMILE, far]).select(columns).equals(points(SMILE).select(columns))


def test_no_wing_without_strikes_on_both_sides_of_it() -> None:
    beyond = [(60.0, "C", 0.40, 1.50), (42.0, "C", 0.50, 0.30)]
    assert points([*SMILE[:3], *beyond])["call_wing"].to_list() == [None]
