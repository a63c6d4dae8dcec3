"""Shares a result among engines: what was just computed of the same bars for the same keys is not computed again."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from functools import wraps

import polars as pl

from gnosis_ray.market.columns import KEYS

Measure = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]

HELD = 2
"""Results: of a batch's own bars, and of those of its reference symbols."""


def batch_cache(measure: Measure) -> Measure:
    """Caches the latest results of ``measure(keys, bars)``, a pure function of its arguments.

    A call hits the cache where its keys are equal and ``bars`` is the same object, which a batch's adapter hands to
    each engine. The last ``HELD`` keys and results are kept; bars are held by weak references only.
    """
    latest: deque[tuple[weakref.ref[pl.DataFrame], pl.DataFrame, pl.DataFrame]] = deque(maxlen=HELD)

    @wraps(measure)
    def remembered(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
        asked = keys.select(KEYS.names())
        for of, by, answer in tuple(latest):
            if of() is bars and by.equals(asked):
                return answer
        answer = measure(asked, bars)
        latest.append((weakref.ref(bars), asked, answer))
        return answer

    return remembered
