"""Bar charts of block characters, one line of text for each bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gnosis_ray.report.symbol_report import ProfileSeries

_EIGHTHS = " ▏▎▍▌▋▊▉█"
ROWS = 21


@dataclass(frozen=True)
class BarRow:
    """A bar: its label, its value, and the names of the levels at it."""

    label: str
    value: float
    marks: tuple[str, ...] = ()


def bars(rows: Sequence[BarRow], width: int, figures: Sequence[str]) -> list[str]:
    """Lines of text, one a row: label, bar of at most ``width`` characters, figure, marks.

    Bars are to scale with one another; where a value is negative all grow from a common zero, negative ones leftward.
    """
    if not rows:
        return []
    most = max(max(row.value for row in rows), 0.0)
    least = min(min(row.value for row in rows), 0.0)
    span = (most - least) or 1.0
    left = round(width * -least / span) if least < 0 else 0
    labelled = max(len(row.label) for row in rows)
    figured = max(map(len, figures))
    lines = []
    for row, figure in zip(rows, figures, strict=True):
        drawn = _bar(row.value, span, left, width - left)
        marks = f"  ◄ {', '.join(row.marks)}" if row.marks else ""
        lines.append(f"{row.label:>{labelled}} {drawn} {figure:>{figured}}{marks}")
    return lines


def sample_profile(
    profile: ProfileSeries, marks: Mapping[str, float | None], rows: int = ROWS
) -> list[tuple[float, float, tuple[str, ...]]]:
    """The curve at evenly spaced levels and at the marks, highest first: level, value, and the marks at that level."""
    first, last = profile.x[0], profile.x[-1]
    within = [level for level in marks.values() if level is not None and first <= level <= last]
    levels = np.unique([*np.linspace(first, last, rows), *within])
    return _marked(levels, np.interp(levels, profile.x, profile.value), marks)


def bin_profile(
    profile: ProfileSeries, marks: Mapping[str, float | None], rows: int = ROWS
) -> list[tuple[float, float, tuple[str, ...]]]:
    """Sums over evenly wide bands of ``x``, highest first: middle of the band, sum, and the marks that lie in it."""
    edges = np.linspace(profile.x[0], profile.x[-1], rows + 1)
    total, _ = np.histogram(profile.x, edges, weights=profile.value)
    return _marked((edges[1:] + edges[:-1]) / 2, total, marks)


def _marked(
    levels: np.typing.NDArray[np.float64], values: np.typing.NDArray[np.float64], marks: Mapping[str, float | None]
) -> list[tuple[float, float, tuple[str, ...]]]:
    at: dict[int, list[str]] = {}
    for name, level in marks.items():
        if level is not None and levels[0] <= level <= levels[-1]:
            at.setdefault(int(np.argmin(np.abs(levels - level))), []).append(name)
    each = [(float(levels[i]), float(values[i]), tuple(at.get(i, ()))) for i in range(len(levels))]
    return each[::-1]


def _bar(value: float, span: float, left: int, right: int) -> str:
    """The field left and right of zero, filled by ``value``; leftward in whole characters, rightward in eighths."""
    length = abs(value) / span * (left + right)
    if value < 0:
        count = min(left, max(1, round(length)))
        return " " * (left - count) + "░" * count + "│" + " " * right
    eighths = min(round(length * 8), right * 8)
    body = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return " " * left + ("│" if left else "") + f"{body:<{right}}"
