"""Sums over a book: the same bits for a key alone and among others."""

from __future__ import annotations

import numpy as np
import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.engines.hedge.exposure import book_sums, with_exposures
from tests.support.books import book

KEYS = 40


def _books() -> pl.DataFrame:
    """Books of uneven weights: every second one stands on last prices alone, the others on none."""
    rng = np.random.default_rng(7)
    chains = [
        book(
            lambda *_: float(rng.lognormal(5, 3)), spot=60 + key, iv_source=("mid", "last_smile")[key % 2]
        ).with_columns(key=pl.lit(key, dtype=pl.UInt32))
        for key in range(KEYS)
    ]
    return pl.concat(chains).sort("key", "expiry", "strike", "type")


def test_a_key_alone_has_the_bits_it_has_among_others(config: Config) -> None:
    books = with_exposures(_books(), config.engines.hedge)
    together = book_sums(books, config.engines.hedge).sort("key")
    alone = pl.concat([book_sums(books.filter(key=key), config.engines.hedge) for key in range(KEYS)])
    assert together.equals(alone.sort("key"))
    assert together["last_smile_share"].to_list() == [0.0, 1.0] * (KEYS // 2)
