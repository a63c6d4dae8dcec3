"""What is to be said of this process if it ends without a word: Ray's client ends it in C++ when Ray itself fails.

The command line watches over the process that does the work (:mod:`gnosis_ray.cli.guard`) and says it in its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

_texts: list[str] = []
_pipe: int | None = None


@dataclass(frozen=True)
class Left:
    """``texts``: what is to be said, oldest first. ``code``: the exit code of a process that came to its own end."""

    texts: Sequence[str] = ()
    code: int | None = None


def heard_at(pipe: int) -> None:
    """From now on, whoever reads ``pipe`` hears the last words of this process."""
    global _pipe
    _pipe = pipe


@contextmanager
def if_cut_off(text: str) -> Iterator[None]:
    """``text`` is to be said if this process ends within the block without leaving it."""
    _texts.append(text)
    _tell(Left(_texts))
    try:
        yield
    finally:
        _texts.pop()
        _tell(Left(_texts))


def end(code: int) -> None:
    """The process comes to its own end, with ``code``: what is to be said was said."""
    _tell(Left(code=code))


def read(said: bytes) -> Left:
    """The last of what was written to a pipe."""
    lines = said.rsplit(b"\n", 2)
    if len(lines) < 2:
        return Left()
    found = json.loads(lines[-2])
    return Left(tuple(found["texts"]), found["code"])


def _tell(left: Left) -> None:
    if _pipe is not None:
        os.write(_pipe, json.dumps({"texts": list(left.texts), "code": left.code}).encode() + b"\n")
