"""Output: data to stdout, messages to stderr."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gnosis_ray.api.console_observer import ConsoleObserver, PlainConsole, plain_console
from gnosis_ray.cli.options import Format
from gnosis_ray.cli.output_encoding import use_utf8
from gnosis_ray.errors import ConfigError
from gnosis_ray.plain_text import plain_text
from gnosis_ray.report.serialization import csv_text, json_text

PIPED_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""

HEADING_WIDTH = 14
"""Characters of a heading's line."""

stderr = plain_console()
"""Progress, summaries, errors."""

OBSERVER = ConsoleObserver(stderr)
"""Shows what a run reports."""


def print_error(message: str) -> None:
    """Print an error to stderr, without a traceback."""
    stderr.print(Text.assemble(("error:", "bold red"), f" {message}"))


def emit(
    frame: pl.DataFrame,
    format_: Format,
    title: str,
    right: frozenset[str] = frozenset(),
    spare: tuple[str, ...] = (),
) -> None:
    """Write a frame to stdout. Tables are for reading; the other formats keep every digit and column.

    ``right`` names text columns that hold figures; ``spare`` those that a table does without where the line is too
    short for all, in the order in which they go. Infinity is the string ``Infinity`` in JSON, ``inf`` in CSV.
    """
    if format_ == "table":
        fits = sys.stdout.isatty() or "COLUMNS" in os.environ
        console = stdout_console(None if fits else PIPED_WIDTH)
        line = console.width
        shown = _fitting(frame, line, spare)
        console.print(_table(console, shown, title, right))
        hidden = [heading for heading in _headings(frame) if heading not in _headings(shown)]
        if hidden:
            stderr.print(f"Not in a line of {line} characters: {', '.join(hidden)}", style="dim")
    elif format_ == "json":
        write_for_machines(f"{json_text(frame.rows(named=True))}\n")
    elif format_ == "csv":
        write_for_machines(csv_text(frame))
    else:
        if sys.stdout.isatty():
            raise ConfigError("Parquet is not for a terminal: redirect stdout to a file")
        body = io.BytesIO()  # Polars hides that the reader of a pipe has gone
        frame.write_parquet(body)
        sys.stdout.buffer.write(body.getbuffer())


def write_for_machines(text: str) -> None:
    """Write text to stdout as UTF-8, whatever the terminal's encoding is."""
    use_utf8()
    click.echo(text, nl=False)


def stdout_console(width: int | None) -> PlainConsole:
    """A console on stdout whose texts are literal, and which passes on that the reader has gone."""
    return _StdoutConsole(highlight=False, markup=False, emoji=False, width=width)


class _StdoutConsole(PlainConsole):
    """Passes on that the reader of stdout has gone; rich would end the process with code 1."""

    def on_broken_pipe(self) -> None:
        """Raise what rich is handling."""
        raise BrokenPipeError


def _table(console: Console, frame: pl.DataFrame, title: str, right: frozenset[str]) -> Table:
    """Every column as wide as it needs; texts are wrapped between words where the line is too short."""
    texts = [[_readable(value) for value in row] for row in frame.iter_rows()]
    figures = [dtype.is_numeric() or name in right for name, dtype in frame.schema.items()]
    widths = _wrapped_widths(frame, figures, console.width)
    # a terminal that is too narrow even so breaks lines: a word or a figure is never cut
    console.width = max(console.width, 3 * frame.width + 1 + sum(widths))
    table = Table(title=Text(title), title_justify="left", title_style="bold", header_style="bold")
    for heading, figure, width in zip(_headings(frame), figures, widths, strict=True):
        table.add_column(Text(_folded(heading)), justify="right" if figure else "left", width=width, no_wrap=figure)
    for row in texts:
        table.add_row(*map(Text, row))  # literal: markup in foreign texts means nothing
    return table


def _fitting(frame: pl.DataFrame, width: int, spare: tuple[str, ...]) -> pl.DataFrame:
    """As many columns as a line has room for."""
    for name in spare:
        if 3 * frame.width + 1 + sum(_widths(frame)) <= width:
            break
        frame = frame.drop(name)
    return frame


def _widths(frame: pl.DataFrame) -> list[int]:
    """Characters that each column needs."""
    headings = [max(map(len, _folded(heading).split("\n"))) for heading in _headings(frame)]
    rows = [[len(_readable(value)) for value in row] for row in frame.iter_rows()]
    return [max(each) for each in zip(headings, *rows, strict=True)]


def _wrapped_widths(frame: pl.DataFrame, figures: Sequence[bool], line: int) -> list[int]:
    """The widths of the columns, the widest texts made narrower until all fit the line, down to their longest word."""
    widths, least = _widths(frame), _longest_words(frame)
    while 3 * frame.width + 1 + sum(widths) > line:
        wide = [i for i, figure in enumerate(figures) if not figure and widths[i] > least[i]]
        if not wide:
            break
        widest = max(wide, key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _longest_words(frame: pl.DataFrame) -> list[int]:
    rows = [_headings(frame), *([_readable(value) for value in row] for row in frame.iter_rows())]
    words = [[max(map(len, text.split()), default=0) for text in row] for row in rows]
    return [max(row[position] for row in words) for position in range(frame.width)]


def _headings(frame: pl.DataFrame) -> list[str]:
    return [name.replace("_usd", " $").replace("_", " ") for name in frame.columns]


def _folded(heading: str) -> str:
    """A heading in lines: a long name of narrow figures takes no width from the others."""
    return "\n".join(textwrap.wrap(heading, HEADING_WIDTH, break_long_words=False)) or heading


def _readable(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:,.2g}"
    if isinstance(value, list):
        return plain_text(", ".join(map(str, value)))
    return plain_text(str(value))
