"""What every chart shares: size, colours, axes in dollars, labels that keep out of each other's way, SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gnosis_ray.charts.number_formats import short

LONG, SHORT, INK, SOFT, FAINT = "#0072b2", "#d55e00", "#1f2328", "#6e7781", "#c9d1d9"
GOLD, GREEN, PURPLE = "#b07d00", "#00795a", "#a8487c"
"""The palette of Okabe and Ito, safe for colour-blind readers; darkened where it colours text."""

WIDTH, HEIGHT = 5.4, 3.5
"""Inches: shown at full size beside one another, shrunk to three quarters on a phone."""

FONT = 9.5
ROW = 0.062
"""Height of a row of labels above the axes, of the axes' height."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": FONT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8ebee",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "path",
    "svg.hashsalt": "gnosis-ray",
}


@dataclass(frozen=True)
class Level:
    """A price worth a line: what it is called, where it is, its colour and its line style."""

    name: str
    at: float
    colour: str
    style: str = "-"


@dataclass(frozen=True)
class Chart:
    """A drawn figure, its caption, and in words what it shows, for those who cannot see it."""

    title: str
    alt: str
    figure: Figure


def blank(height: float = HEIGHT) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, in the common style; no global state."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        return figure, figure.subplots()


def svg(figure: Figure) -> bytes:
    """The figure as SVG without a date: equal figures give equal bytes."""
    body = BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(body, format="svg", metadata={"Date": None, "Creator": None})
    return body.getvalue()


def png(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG."""
    body = BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(body, format="png", dpi=dpi, metadata={"Software": None})
    return body.getvalue()


def dollar_axis(axes: Axes, which: str, ticks: int = 6) -> None:
    """Amounts on the ``x`` or ``y`` axis as ``$250m``."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(
        FuncFormatter(lambda usd, _: f"{'-' if usd < 0 else ''}${short(abs(usd))}" if usd else "$0")
    )
    axis.set_major_locator(MaxNLocator(ticks))


def price_axis(axes: Axes, which: str, ticks: int = 7) -> None:
    """Prices on the ``x`` or ``y`` axis, without a currency."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda usd, _: f"{usd:,.10g}"))
    axis.set_major_locator(MaxNLocator(ticks))


def legend_below(figure: Figure, columns: int) -> None:
    """The labelled lines, under the axes: in the way of nothing."""
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=FONT - 1)


def upright_levels(axes: Axes, levels: Sequence[Level]) -> None:
    """A vertical line at each level within the axes, its label above them in the first row that has room."""
    low, high = axes.get_xlim()
    inside = sorted((level for level in levels if low <= level.at <= high), key=lambda level: level.at)
    texts = [f"{level.name} {level.at:,.2f}" for level in inside]
    places = label_rows([(level.at - low) / (high - low) for level in inside], [_width(text) for text in texts])
    for level, text, (centre, row) in zip(inside, texts, places, strict=True):
        axes.axvline(level.at, color=level.colour, linestyle=level.style, linewidth=1.3, zorder=3)
        bottom = 1.03 + ROW * row
        axes.plot(
            [level.at, level.at],
            [1.0, bottom],
            transform=axes.get_xaxis_transform(),
            color=level.colour,
            linewidth=0.8,
            clip_on=False,
            zorder=4,
        )
        axes.text(
            centre,
            bottom,
            text,
            transform=axes.transAxes,
            ha="center",
            va="bottom",
            fontsize=FONT - 1,
            color=level.colour,
            zorder=5 + len(inside) - row,
            bbox={"boxstyle": "square,pad=0.08", "facecolor": "white", "edgecolor": "none"},
        )


def flat_levels(axes: Axes, levels: Sequence[Level]) -> None:
    """A horizontal line at each level within the axes, its label right of them, moved apart where they crowd."""
    low, high = axes.get_ylim()
    inside = sorted((level for level in levels if low <= level.at <= high), key=lambda level: level.at)
    wanted = [(level.at - low) / (high - low) for level in inside]
    for level, here, there in zip(inside, wanted, spread(wanted, ROW), strict=True):
        axes.axhline(level.at, color=level.colour, linestyle=level.style, linewidth=1.2, zorder=3)
        axes.annotate(
            f"{level.name} {level.at:,.2f}",
            xy=(1.0, here),
            xytext=(1.035, there),
            xycoords="axes fraction",
            textcoords="axes fraction",
            ha="left",
            va="center",
            fontsize=FONT - 1,
            color=level.colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": level.colour,
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
        )


def label_rows(centres: Sequence[float], widths: Sequence[float]) -> list[tuple[float, int]]:
    """For labels of these centres (ascending) and widths, in parts of the axes: a centre that keeps the label within
    the axes, and the lowest row in which it touches no other."""
    ends: list[float] = []
    places = []
    for centre, width in zip(centres, widths, strict=True):
        kept = min(max(centre, width / 2), 1 - width / 2)
        row = next((i for i, end in enumerate(ends) if kept - width / 2 >= end), len(ends))
        ends[row:] = [kept + width / 2 + 0.015, *ends[row + 1 :]]
        places.append((kept, row))
    return places


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved no further than needed to stand ``gap`` apart, around where they want to be."""
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and _bottom(groups[-1], gap) < _bottom(groups[-2], gap) + gap * len(groups[-2]):
            last = groups.pop()
            groups[-1] += last
    return [_bottom(group, gap) + gap * i for group in groups for i in range(len(group))]


def _bottom(group: Sequence[float], gap: float) -> float:
    """Where the lowest of a run of labels stands so that the run is centred on where they want to be."""
    return sum(group) / len(group) - gap * (len(group) - 1) / 2


def _width(text: str) -> float:
    """Of a label, in parts of the axes' width: about six tenths of its height a letter."""
    return len(text) * 0.56 * (FONT - 1) / (WIDTH * 72 * 0.86)
