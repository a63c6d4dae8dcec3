"""Output on terminals that cannot show every character, such as those of ASCII or cp1252: it ends well there too."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

HANDLER = "gnosis_ray.plainer"

_PLAINER = {
    "│": "|",
    "░": "-",
    "◄": "<",
    "•": "*",
    "±": "+-",
    **dict.fromkeys("▏▎▍", " "),
    **dict.fromkeys("▌▋▊▉█", "#"),
}
"""What our pictures in text are drawn with there."""


def make_total() -> None:
    """Write what an encoding lacks as the nearest it has, else as ``?``, on stdout and stderr."""
    codecs.register_error(HANDLER, _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=HANDLER)


def use_utf8() -> None:
    """Write what follows on stdout as UTF-8: files for machines are the same on every terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_nearest, lacking)), error.end


def _nearest(character: str) -> str:
    if character in _PLAINER:
        return _PLAINER[character]
    base = unicodedata.normalize("NFKD", character)[:1]
    return base if base.isascii() and base.isprintable() else "?"
