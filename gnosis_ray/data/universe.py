"""Universes: which symbols a run looks at. Index members come from the package index-constitution, offline."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gnosis_ray.config import config_root, home
from gnosis_ray.data.symbols import canonical_list
from gnosis_ray.errors import UniverseError

INDEX_SIZES = {"dow30": 30, "nasdaq100": 100, "sp500": 500}
"""Indices with recorded membership, and the least number of members that a complete record of a day has."""

RENAMES_NAMED = 5
"""How many renamed members a note names; it counts the rest."""


@dataclass(frozen=True)
class Universe:
    """``symbols`` distinct and sorted; ``note`` says where they come from and what to distrust in them."""

    name: str
    symbols: tuple[str, ...]
    note: str


def universe_names() -> tuple[str, ...]:
    """Every name that :func:`load_universe` knows: indices, and files of the configuration and of the user."""
    return tuple(sorted({*INDEX_SIZES, *_named_files()}))


def load_universe(name_or_file: str, as_of: date | None = None) -> Universe:
    """The symbols of a named universe, of a file, or of a comma-separated list.

    An index gives its members on ``as_of`` where recorded, its present list without ``as_of``. A file has one symbol
    a line, or is a CSV with a ``symbol`` column; ``#`` starts a comment. Raises :class:`UniverseError` for a name
    that is none of these (naming the nearest), an unreadable or empty file, and impossible symbols.
    """
    name = name_or_file.strip()
    if name in INDEX_SIZES:
        return _index(name, as_of)
    named = _named_files().get(name)
    if named is not None:
        return _from_file(name, named)
    path = Path(name).expanduser()
    if name and _is_file(path):
        return _from_file(path.stem, path)
    if "," in name:
        return _universe("list", (part for part in name.split(",") if part.strip()), "given as a list")
    raise UniverseError(_unknown(name))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long list of symbols is no possible name
        return False


def _unknown(name: str) -> str:
    names = universe_names()
    nearest = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.3) or names
    return (
        f"Unknown universe '{name}'. Nearest valid: {', '.join(nearest)}. "
        "Also accepted: the path of a file with one symbol a line or a 'symbol' column, and a list such as AAPL,MSFT."
    )


def _named_files() -> dict[str, Path]:
    """Universe files by name; a user's own hides one of the configuration."""
    folders = (config_root() / "universes", home() / "universes")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.txt"))}


def _from_file(name: str, path: Path) -> Universe:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UniverseError(f"Cannot read the universe file {path}: {error}") from error
    bare = [line.split("#", 1)[0].strip() for line in lines]
    try:
        return _universe(name, _listed([line for line in bare if line], path), f"read from {path}")
    except UniverseError as error:
        raise UniverseError(f"{path}: {error.message}") from error


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


def _universe(name: str, texts: Iterable[str], note: str) -> Universe:
    symbols, repeated = canonical_list(texts)
    if not symbols:
        raise UniverseError(f"Expected at least one symbol in universe '{name}', found none")
    return Universe(name, symbols, f"{note}; {repeated} duplicates removed" if repeated else note)


def _index(name: str, as_of: date | None) -> Universe:
    import index_constitution  # brings pandas along: only who asks for an index pays for it

    today = index_constitution.latest(name)
    history = index_constitution.history(name)
    recorded_to = max(history["opt-in"].max(), history["opt-out"].max()).date()
    if as_of is None:
        return _universe(name, today["symbol"], f"members recorded up to {recorded_to} (index-constitution)")
    members = index_constitution.constituents_at(name, as_of.isoformat())["symbol"]
    if members.empty:
        note = f"no members recorded on {as_of}: those of {recorded_to} stand in (survivorship and look-ahead bias)"
        return _universe(name, today["symbol"], note)
    note = _history_note(name, as_of, members.nunique(), history, recorded_to)
    renamed = _renamed_since(set(members), index_constitution.events(name), as_of)
    # market data of a day lies under the symbols of that day
    return _universe(name, (renamed.get(member, member) for member in members), note + _renames_note(renamed))


def _history_note(name: str, as_of: date, members: int, history: Any, recorded_to: date) -> str:
    """What to believe of an index's members on a past day."""
    note = f"members on {as_of} (index-constitution)"
    if as_of > recorded_to:
        note += f"; changes are recorded up to {recorded_to} only"
    if as_of < history["opt-out"].min().date():
        note += "; no removal is recorded before that day: survivors only (survivorship bias)"
    elif members < INDEX_SIZES[name]:
        note += (
            f"; {members} of at least {INDEX_SIZES[name]} are recorded: some that left are missing (survivorship bias)"
        )
    return note


def _renamed_since(members: set[str], events: Any, as_of: date) -> dict[str, str]:
    """Present symbol -> the symbol that the member had on ``as_of``, for members renamed after that day."""
    changes = events[(events["event_type"] == "ticker_change") & (events["event_date"].dt.date > as_of)]
    then = {symbol: symbol for symbol in members}
    for change in changes.sort_values("event_date", ascending=False).itertuples():
        for now, was in then.items():
            if was == change.new_symbol:
                then[now] = change.old_symbol
    return {now: was for now, was in sorted(then.items()) if now != was}


def _renames_note(renamed: dict[str, str]) -> str:
    """The record spells members as today: say who is spelled otherwise here."""
    if not renamed:
        return ""
    named = ", ".join(f"{was} is {now} today" for now, was in list(renamed.items())[:RENAMES_NAMED])
    more = f" and {len(renamed) - RENAMES_NAMED} more" if len(renamed) > RENAMES_NAMED else ""
    return f"; spelled as on that day: {named}{more}"
