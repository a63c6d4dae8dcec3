"""Bars of block characters are to scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.report.symbol_report import ProfileSeries
from gnosis_ray.report.text_bars import BarRow, bars, bin_profile, sample_profile

WIDTH = 40


def drawn(values: list[float]) -> list[str]:
    return bars([BarRow("x", value) for value in values], WIDTH, ["" for _ in values])


@given(st.lists(st.floats(0.0, 1e12), min_size=1, max_size=12).filter(lambda values: max(values) > 1e-300))
def test_positive_bars_are_as_long_as_their_values(values: list[float]) -> None:
    for line, value in zip(drawn(values), values, strict=True):
        cells = sum({"█": 8, "▉": 7, "▊": 6, "▋": 5, "▌": 4, "▍": 3, "▎": 2, "▏": 1}.get(c, 0) for c in line)
        assert cells == pytest.approx(8 * WIDTH * value / max(values), abs=0.51)


def test_negative_bars_grow_the_other_way_from_one_zero() -> None:
    up, down = drawn([3.0, -1.0])
    assert up.index("│") == down.index("│")
    assert "█" in up[up.index("│") :]
    assert "█" not in down
    assert down[: down.index("│")].count("░") == WIDTH // 4


def test_nothing_draws_nothing() -> None:
    assert drawn([]) == []
    assert drawn([0.0])[0].strip() == "x"


@given(st.lists(st.tuples(st.floats(1, 1000), st.floats(0, 1)), min_size=2, max_size=60, unique_by=lambda p: p[0]))
def test_bands_hold_the_whole_volume(points: list[tuple[float, float]]) -> None:
    x, value = zip(*sorted(points), strict=True)
    bands = bin_profile(ProfileSeries(x, value), {})
    assert sum(total for _, total, _ in bands) == pytest.approx(sum(value))
    assert [level for level, _, _ in bands] == sorted((level for level, _, _ in bands), reverse=True)


def test_marks_stand_at_their_own_level() -> None:
    rows = sample_profile(
        ProfileSeries((0.0, 20.0), (0.0, 10.0)), {"wall": 15.2, "gone": None, "beyond": 30.0}, rows=21
    )
    assert [(level, marks) for level, _, marks in rows if marks] == [(15.2, ("wall",))]
    assert {level: value for level, value, _ in rows}[15.2] == pytest.approx(7.6)
