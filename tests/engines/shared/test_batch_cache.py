"""The same question is answered once; another one is not taken for it."""

from __future__ import annotations

import gc
import weakref
from datetime import timedelta

import polars as pl

from gnosis_ray.engines.shared.batch_cache import HELD, batch_cache
from gnosis_ray.market.keys import keys_at
from tests.support.books import NOW, bars

KEYS = keys_at(["AAA", "BBB"], NOW)


class Counted:
    """How often bars were measured: their rows, one a key."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        self.calls += 1
        return keys.with_columns(rows=pl.lit(table.height))


def test_equal_keys_of_the_very_frame_are_measured_once() -> None:
    counted, table = Counted(), bars()
    measure = batch_cache(counted)
    first = measure(KEYS, table)
    again = measure(KEYS.clone().with_columns(more=1), table)
    assert counted.calls == 1
    assert again.equals(first)


def test_other_keys_and_other_frames_are_measured_anew() -> None:
    counted, table = Counted(), bars()
    measure = batch_cache(counted)
    for keys, asked in [
        (KEYS, table),
        (KEYS[:1], table),
        (KEYS.with_columns(pl.col("timestamp") + timedelta(days=1)), table),
        (KEYS, table.clone()),
        (KEYS, table[:5]),
    ]:
        assert measure(keys, asked)["rows"].unique().to_list() == [asked.height]
    assert counted.calls == 5


def test_bars_are_not_kept_alive() -> None:
    measure = batch_cache(Counted())
    tables = [bars() for _ in range(HELD + 1)]
    held = [weakref.ref(table) for table in tables]
    for table in tables:
        measure(KEYS, table)
    del tables, table
    gc.collect()
    assert [reference() for reference in held] == [None] * (HELD + 1)
