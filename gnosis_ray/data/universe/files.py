"""Universes from files: a symbol a line, or a CSV with a ``symbol`` column."""

from __future__ import annotations

import csv
from pathlib import Path

from gnosis_ray.config import config_root, home
from gnosis_ray.data.universe.universe import Universe, universe_of
from gnosis_ray.errors import UniverseError

FOLDER = "universes"


def own_files(name: str) -> list[Path]:
    """Files of that name or pattern in the configuration's folder of universes, then in the user's."""
    return [path for root in (config_root(), home()) for path in sorted((root / FOLDER).glob(name))]


def named_files() -> dict[str, Path]:
    """Universe files by name; a user's own hides one of the configuration."""
    return {path.stem: path for path in own_files("*.txt")}


def read_universe(name: str, path: Path) -> Universe:
    """The symbols of a file; ``#`` starts a comment. Raises :class:`UniverseError` naming the file."""
    lines = bare_lines(path)
    try:
        return universe_of(name, _listed(lines, path), f"read from {path}")
    except UniverseError as error:
        raise UniverseError(f"{path}: {error.message}") from error


def bare_lines(path: Path) -> list[str]:
    """The lines of a file without comments and blanks; :class:`UniverseError` where it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UniverseError(f"Cannot read the universe file {path}: {error}") from error
    bare = [line.split("#", 1)[0].strip() for line in lines]
    return [line for line in bare if line]


def _listed(lines: list[str], path: Path) -> list[str]:
    """The symbols of a file's lines: the ``symbol`` column where the first line names one, else each line."""
    header = [field.strip().lower() for field in next(csv.reader(lines[:1]), [])]
    if "symbol" in header:
        column = header.index("symbol")
        rows = [row for row in csv.reader(lines[1:]) if row]
        short = next((row for row in rows if len(row) <= column), None)
        if short is not None:
            raise UniverseError(f"Expected {column + 1} fields or more in each line of {path.name}, was {short!r}")
        return [row[column] for row in rows]
    if len(header) > 1:
        raise UniverseError(f"Expected one symbol a line or a 'symbol' column, found columns {', '.join(header)}")
    return lines
