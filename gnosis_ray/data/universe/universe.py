"""The universe type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gnosis_ray.errors import UniverseError
from gnosis_ray.market.symbols import canonical_list


@dataclass(frozen=True)
class Universe:
    """``symbols`` distinct and sorted; ``note`` names their source and its limits.

    ``whole`` is False where members of the requested day are missing, or others are used instead: results on such a
    universe have a survivorship bias, which the note describes.
    """

    name: str
    symbols: tuple[str, ...]
    note: str
    whole: bool = True


def universe_of(name: str, texts: Iterable[str], note: str, *, whole: bool = True) -> Universe:
    """A universe from symbols in any spelling; :class:`UniverseError` for an invalid symbol, or none at all."""
    symbols, repeated = canonical_list(texts)
    if not symbols:
        raise UniverseError(f"Expected at least one symbol in universe '{name}', such as AAPL, found none")
    return Universe(name, symbols, f"{note}; {repeated} duplicates removed" if repeated else note, whole)


def named_few(names: Iterable[str], few: int) -> str:
    """``A, B and 3 more``."""
    listed = list(names)
    more = f" and {len(listed) - few} more" if len(listed) > few else ""
    return f"{', '.join(listed[:few])}{more}"
