"""The table of ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.market import Market

MILLISECOND = 1e-3

WIDTH = 150
"""Columns of a table that goes to a file or a pipe."""


@dataclass(frozen=True)
class Row:
    """One thing measured. ``ratio`` is ``seconds`` over ``against_seconds`` unless ``times_faster`` turns it round.

    A row without ``against`` stands by itself: a stage, or a finding in words.
    """

    what: str
    seconds: float | None = None
    against: str = ""
    against_seconds: float | None = None
    times_faster: bool = False
    note: str = ""

    @property
    def ratio(self) -> str:
        """The ratio as read."""
        if self.seconds is None or self.against_seconds is None:
            return ""
        if self.times_faster:
            return f"{self.against_seconds / self.seconds:,.1f} x faster"
        return f"{self.seconds / self.against_seconds:,.2f} x"


def talk(text: str) -> None:
    """Progress, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style="dim", markup=False)


def show(rows: Sequence[Row], market: Market) -> None:
    """Print the table on stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    table = Table(title=f"Ratios on {market.name}", title_justify="left", header_style="bold")
    for heading in ("what", "ms", "against", "ms", "ratio", "note"):
        table.add_column(heading, justify="right" if heading in ("ms", "ratio") else "left")
    for row in rows:
        table.add_row(row.what, _ms(row.seconds), row.against, _ms(row.against_seconds), row.ratio, row.note)
    console.print(table)


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:,.1f}" if seconds >= MILLISECOND else f"{seconds * 1000:,.4f}"
