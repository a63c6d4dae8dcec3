"""One answer for several engines: what was just made of the same bars for the same keys is not made again."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from functools import wraps

import polars as pl

from gnosis_ray.market.columns import KEYS

Measure = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]

HELD = 2
"""Answers: of a batch's own bars, and of those of its context."""


def batch_cache(measure: Measure) -> Measure:
    """``measure(keys, bars)``, a pure function of them, that gives a latest answer again where it is asked the same.

    The same: equal keys, and the very frame of ``bars``, which a batch's adapter hands to each engine. It holds the
    last ``HELD`` keys and answers, and bars no longer than others do.
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
