"""Requests of one caller, several under way at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PARALLEL = 8
"""Each takes tens of milliseconds, many at once hardly more."""


def map_parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``function`` of every item, up to :data:`PARALLEL` at once, in the order of the items; raises the first error."""
    given = list(items)
    if len(given) < 2:
        return [function(item) for item in given]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(function, given))
