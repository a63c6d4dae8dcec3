"""One spelling of a symbol inside: upper case, a dot before the share class (``BRK.B``)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gnosis_ray.errors import UniverseError

MAX_LENGTH = 12
_SPELLING = re.compile(r"[A-Z0-9]+(?:\.[A-Z0-9]{1,3})?")
_PREFIXES = "$^_"
_CLASS_MARKS = str.maketrans({"-": ".", "/": "."})


def canonical(text: str) -> str:
    """The inside spelling of ``BRK-B``, ``BRK/B``, ``brk.b``, ``_SPX``, ``^SPX`` or ``$AAPL``.

    Symbols become folder names and partition bounds, so whatever is not letters and digits with at most one share
    class raises :class:`UniverseError` naming the text and what was expected.
    """
    bare = text.strip()
    if bare[:1] in _PREFIXES:
        bare = bare[1:]
    symbol = bare.upper().translate(_CLASS_MARKS)
    if not symbol:
        raise UniverseError(f"Expected a symbol such as AAPL or BRK.B, was {text!r}: empty")
    if len(symbol) > MAX_LENGTH:
        raise UniverseError(f"Expected a symbol of at most {MAX_LENGTH} characters, was {text!r}: {len(symbol)}")
    if not bare.isascii() or not _SPELLING.fullmatch(symbol):
        raise UniverseError(
            f"Expected a symbol of letters and digits with at most one share class, such as AAPL or BRK.B, was {text!r}"
        )
    return symbol


def canonical_list(texts: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The distinct symbols, sorted, and how many of ``texts`` repeated another one."""
    spelled = [canonical(text) for text in texts]
    symbols = tuple(sorted(set(spelled)))
    return symbols, len(spelled) - len(symbols)
