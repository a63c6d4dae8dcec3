"""What a universe is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gnosis_ray.errors import UniverseError
from gnosis_ray.market.symbols import canonical_list


@dataclass(frozen=True)
class Universe:
    """``symbols`` distinct and sorted; ``note`` says where they come from and what to distrust in them.

    ``whole`` is False where members of the day asked for are missing, or others stand in: what is measured on such a
    universe is biased towards what survived, and the note says how.
    """

    name: str
    symbols: tuple[str, ...]
    note: str
    whole: bool = True


def universe_of(name: str, texts: Iterable[str], note: str, *, whole: bool = True) -> Universe:
    """The universe of some texts in any spelling; :class:`UniverseError` for an impossible symbol, or none at all."""
    symbols, repeated = canonical_list(texts)
    if not symbols:
        raise UniverseError(f"Expected at least one symbol in universe '{name}', found none")
    return Universe(name, symbols, f"{note}; {repeated} duplicates removed" if repeated else note, whole)


def named_few(names: Iterable[str], few: int) -> str:
    """``A, B and 3 more``."""
    listed = list(names)
    more = f" and {len(listed) - few} more" if len(listed) > few else ""
    return f"{', '.join(listed[:few])}{more}"
