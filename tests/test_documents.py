"""Markdown files wrap at 120 columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COLUMNS = 120
SKIPPED = {".venv", "build", "node_modules"}
PREFIX = re.compile(r"\s*(?:>\s*)*(?:(?:[-*+]|\d+[.)])\s+)?")
"""Indentation, quotation marks and the mark of a list: what a line cannot be broken in."""


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    found = (path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def too_long(text: str) -> Iterator[int]:
    """Numbers of the lines over :data:`COLUMNS` characters that could be wrapped.

    Could not be: lines inside a fenced block of code, rows of tables (``|`` first), headings (``#`` first), and lines
    that are one word, such as an address, after their :data:`PREFIX`.
    """
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif len(line) > COLUMNS and not fenced and _can_wrap(line):
            yield number


def _can_wrap(line: str) -> bool:
    return not line.lstrip().startswith(("|", "#")) and " " in PREFIX.sub("", line, count=1).rstrip()


def test_there_are_documents() -> None:
    names = {path.name for path in documents()}
    assert {"README.md", "CHANGELOG.md", "SECURITY.md", "hedge.md"} <= names


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_wrap(path: Path) -> None:
    assert list(too_long(path.read_text(encoding="utf-8"))) == []


def test_only_what_cannot_wrap_may_be_long() -> None:
    long = "word " * 30
    address = "https://example.org/" + "x" * 120
    kept = [f"| {long} |", f"# {long}", f"- {address}", address, "```", long, "```"]
    assert list(too_long("\n".join(kept))) == []
    assert list(too_long("\n".join([*kept, long, f"- {long}", f"> see {address}"]))) == [8, 9, 10]
    assert list(too_long("é" * 10 + " " + "é" * 109)) == []
