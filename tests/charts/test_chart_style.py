"""Labels keep out of each other's way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.charts.chart_style import label_rows, spread

_labels = st.lists(st.tuples(st.floats(0, 1), st.floats(0.05, 0.4)), min_size=1, max_size=8)


@given(_labels)
def test_labels_above_the_axes_do_not_overlap_and_stay_within_them(labels: list[tuple[float, float]]) -> None:
    centres, widths = zip(*sorted(labels), strict=True)
    rows: dict[int, list[tuple[float, float]]] = {}
    for (centre, row), width in zip(label_rows(centres, widths), widths, strict=True):
        rows.setdefault(row, []).append((centre - width / 2, centre + width / 2))
    for together in rows.values():
        ordered = sorted(together)
        assert ordered[0][0] >= -1e-9
        assert ordered[-1][1] <= 1 + 1e-9
        assert all(before[1] <= after[0] for before, after in pairwise(ordered))
    assert sorted(rows) == list(range(len(rows)))


def test_labels_with_room_share_the_lowest_row() -> None:
    assert label_rows([0.2, 0.5, 0.55], [0.2, 0.2, 0.2]) == [(0.2, 0), (0.5, 0), (0.55, 1)]


@given(st.lists(st.floats(0, 1), max_size=10), st.floats(0.01, 0.2))
def test_labels_beside_the_axes_stand_apart_in_their_order(places: list[float], gap: float) -> None:
    wanted = sorted(places)
    placed = spread(wanted, gap)
    assert len(placed) == len(wanted)
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(placed))
    if all(after - before >= gap for before, after in pairwise(wanted)):
        assert placed == pytest.approx(wanted)
    assert sum(placed) == pytest.approx(sum(wanted))
