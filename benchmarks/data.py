"""The store against Polars, and whether reading grows with what is asked for or with what is stored."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks import large_store
from benchmarks.large_store import LargeStore, asked
from benchmarks.market import REALDATA, RECORDED, Market
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.quality import verify
from gnosis_ray.data.store import StoreSource, StoreWriter

ROUNDS = 3
READS = 9
"""Rounds of what takes milliseconds."""

SHARD = 64
PANEL = 60
"""Sessions of a symbol read at once."""


@dataclass(frozen=True)
class Question:
    """What is asked of a store: ``symbols`` at each of the last ``sessions`` closes."""

    what: str
    symbols: int
    sessions: int


QUESTIONS = (
    Question("one symbol, one day", 1, 1),
    Question(f"one shard of {SHARD} symbols, one day", SHARD, 1),
    Question(f"{large_store.SYMBOLS} symbols, one day", large_store.SYMBOLS, 1),
    Question(f"one symbol, {PANEL} days", 1, PANEL),
)


def rows(market: Market, scratch: Path) -> Iterator[Row]:
    """Writing, then reading."""
    if (REALDATA / RECORDED).is_dir():
        yield _importing(market, scratch / "import")
    yield _appending(market, scratch / "append")
    yield _verifying(market, scratch)
    stores = large_store.make(scratch / "large")
    yield Row(
        f"made: {stores[-1].rows:,} rows of chains, {large_store.SYMBOLS} symbols by {stores[-1].sessions} days",
        note=f"{stores[-1].megabytes:,.0f} MB in the store; {large_store.ROWS_SETTING} sets how many",
    )
    yield from _reading(stores)
    shutil.rmtree(scratch / "large")


def _importing(market: Market, scratch: Path) -> Row:
    folder = REALDATA / RECORDED
    mapping = load_mapping(RECORDED)
    files = [folder / table.file for table in mapping.tables]
    count = sum(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item() for file in files)
    seconds = alternate(
        {
            "ours": lambda: import_dataset(folder, mapping, StoreWriter(_emptied(scratch)), market.calendar),
            "theirs": lambda: _copied(files, scratch.with_name("copied")),
        },
        ROUNDS,
    )
    return _rate(f"data import {RECORDED}: map, judge, store", seconds, count, "Polars reads and writes the same files")


def _appending(market: Market, scratch: Path) -> Row:
    count = market.scan("chains").select(pl.len()).collect().item()
    seconds = alternate(
        {
            "ours": lambda: StoreWriter(_emptied(scratch)).append("chains", market.scan("chains").collect()),
            "theirs": lambda: _copied(market.parts("chains"), scratch.with_name("appended")),
        },
        ROUNDS,
    )
    return _rate("append chains: check, sort, hash, store", seconds, count, "Polars reads and writes the same files")


def _verifying(market: Market, scratch: Path) -> Row:
    parts = sorted(market.root.rglob("part-*.parquet"))
    count = sum(
        pl.scan_parquet(part, glob=False, hive_partitioning=False).select(pl.len()).collect().item() for part in parts
    )
    seconds = alternate(
        {
            "ours": lambda: verify(market.root, market.config, market.calendar),
            "theirs": lambda: _copied(parts, scratch / "verified"),
        },
        ROUNDS,
    )
    return _rate("data verify: every check of every row", seconds, count, "Polars reads and writes the same files")


def _rate(what: str, seconds: dict[str, float], count: int, against: str) -> Row:
    ours, theirs = (f"{count / seconds[side] / 1e6:,.2f}" for side in ("ours", "theirs"))
    note = f"{ours} against {theirs} million rows/s, of {count:,}"
    return Row(what, seconds["ours"], against, seconds["theirs"], note=note)


def _reading(stores: list[LargeStore]) -> Iterator[Row]:
    """Each question put to the whole store and to its last quarter: by a new reader, and again."""
    smallest, largest = stores[0], stores[-1]
    moments = [moment + large_store.AFTER_CLOSE for moment in large_store.closes()]
    for question in QUESTIONS:
        keys = asked(question.symbols, moments[-question.sessions :])
        for how, side in (("first read", _first_read), ("read again", _read_again)):
            seconds = alternate({store.root.name: side(store.root, keys) for store in stores}, READS)
            yield Row(
                f"{question.what}: {how}",
                seconds[largest.root.name],
                f"the same from a store of {smallest.sessions} days",
                seconds[smallest.root.name],
                note=f"{_growth(stores, seconds)}; {StoreSource(largest.root).raw_chains(keys).height:,} rows",
            )
    keys = asked(SHARD, moments[-1:])
    wanted = StoreSource(largest.root).raw_chains(keys)
    day = next(iter(sorted((largest.root / "chains").iterdir())[-1].glob("part-*.parquet")))
    held = pl.col("symbol").is_in(wanted["symbol"].unique().implode())
    seconds = alternate(
        {
            "ours": _read_again(largest.root, keys),
            "theirs": lambda: pl.scan_parquet(day, glob=False, hive_partitioning=False).filter(held).collect(),
        },
        READS,
    )
    yield _rate(
        f"one shard of {SHARD} symbols, one day: read again", seconds, wanted.height, "Polars filters that day's part"
    )


def _first_read(root: Path, keys: pl.DataFrame) -> Callable[[], object]:
    """By a reader that has seen nothing of the store, as in a process that has just begun."""
    return lambda: StoreSource(root).raw_chains(keys)


def _read_again(root: Path, keys: pl.DataFrame) -> Callable[[], object]:
    """By one that remembers which part holds what."""
    return partial(StoreSource(root).raw_chains, keys)


def _growth(stores: list[LargeStore], seconds: dict[str, float]) -> str:
    """The slope of log time over log days: 0 where time does not grow with what is stored, 1 where it does as much."""
    points = [(math.log(store.sessions), math.log(seconds[store.root.name])) for store in stores]
    x, y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    slope = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return f"slope {slope:+.2f} with days stored"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _copied(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        pl.read_parquet(file, glob=False, hive_partitioning=False).write_parquet(
            folder / f"{number}.parquet", compression="lz4"
        )
