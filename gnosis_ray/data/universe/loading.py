"""Universes by name: an index, a sector of one, a file, or a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from gnosis_ray.data.universe.files import named_files, read_universe
from gnosis_ray.data.universe.indices import INDEX_SIZES, index_members
from gnosis_ray.data.universe.sectors import SECTORS, sector_source, sectors_of
from gnosis_ray.data.universe.universe import Universe, named_few, universe_of
from gnosis_ray.errors import UniverseError, nearest_hint
from gnosis_ray.schemas.expectations import was

UNKNOWN_NAMED = 8
"""How many members without a recorded sector a note names; it counts the rest."""


def universe_names(*, sectors: bool = False) -> tuple[str, ...]:
    """Every name that :func:`load_universe` knows: indices, files; with ``sectors`` also every ``INDEX:SECTOR``."""
    slices = {f"{index}:{sector}" for index in INDEX_SIZES for sector in SECTORS} if sectors else set()
    return tuple(sorted({*INDEX_SIZES, *named_files(), *slices}))


def load_universe(name_or_file: str, as_of: date | None = None) -> Universe:
    """The symbols of a named universe, of a sector of an index, of a file, or of a comma-separated list.

    An index gives its members on ``as_of`` where recorded, its present list without ``as_of``; ``sp500:energy`` those
    of a sector. A file has one symbol a line, or is a CSV with a ``symbol`` column; ``#`` starts a comment. Raises
    :class:`UniverseError` for a name that is none of these (naming the nearest), an unreadable or empty file, and
    impossible symbols.
    """
    if not isinstance(name_or_file, str) or "\0" in name_or_file:
        accepted = "the name of a universe, a file, or a list such as AAPL,MSFT"
        raise UniverseError(f"Expected {accepted}, was {was(name_or_file)}")
    name = name_or_file.strip()
    index, _, sector = name.partition(":")
    if name in INDEX_SIZES:
        members = index_members(name, as_of)
        return universe_of(name, members.symbols_then.values(), members.note, whole=members.whole)
    if index in INDEX_SIZES and sector in SECTORS:
        return _slice(index, sector, as_of)
    named = named_files().get(name)
    if named is not None:
        return read_universe(name, named)
    path = Path(name).expanduser()
    if name and _is_file(path):
        return read_universe(path.stem, path)
    if "," in name:
        return universe_of("list", (part for part in name.split(",") if part.strip()), "given as a list")
    raise UniverseError(_unknown(name))


def _slice(index: str, sector: str, as_of: date | None) -> Universe:
    """The members of an index in one sector; the sector is today's, since no source keeps the moves between sectors."""
    members = index_members(index, as_of)
    known = sectors_of(tuple(members.symbols_then))
    symbols = [was for now, was in members.symbols_then.items() if known.get(now) == sector]
    unknown = [was for now, was in members.symbols_then.items() if now not in known]
    if not symbols:
        raise UniverseError(f"No member of {index} is of the sector {sector}")
    note = f"{members.note}; {sector_source()}"
    if unknown:
        note += f"; left out, since their sector is not recorded: {named_few(unknown, UNKNOWN_NAMED)}"
    return universe_of(f"{index}:{sector}", symbols, note, whole=members.whole and not unknown)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long list of symbols is no possible name
        return False


def _unknown(name: str) -> str:
    names = universe_names(sectors=":" in name)
    return (
        f"Unknown universe {was(name)}. {nearest_hint(name, names)} Also accepted: a sector of an index such as "
        "sp500:energy, the path of a file with one symbol a line or a 'symbol' column, and a list such as AAPL,MSFT."
    )
