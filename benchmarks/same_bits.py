"""Whether the engine gives the same bits however it is run.

``python -m benchmarks.same_bits STORE AS_OF`` prints a digest of what it gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from benchmarks.market import Market, opened
from benchmarks.report import Row
from gnosis_ray.data.store.part_files import content_hash
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3

THREADS = (1, 2, 4)


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """Over numbers of Polars threads, and symbol by symbol against the whole universe at once."""
    digests = {threads: _digest_in_process(market, threads) for threads in THREADS}
    same = len(set(digests.values())) == 1
    yield Row(f"same bits with {', '.join(map(str, THREADS))} Polars threads", note="yes" if same else f"NO: {digests}")
    whole, single = whole_universe(market), one_by_one(market)
    differing = different_columns(whole.features, single.features) + different_columns(whole.details, single.details)
    yield Row(
        f"same bits in {len(market.symbols)} batches of one as in one batch",
        note=f"NO: {', '.join(differing)}" if differing else "yes",
    )


def whole_universe(market: Market) -> EngineFrames:
    """The engine over all symbols at once."""
    return HedgeEngineV3(market.adapter(), market.config.engines.hedge).frames(market.keys)


def one_by_one(market: Market) -> EngineFrames:
    """The engine over each symbol alone."""
    engine = HedgeEngineV3(market.adapter(), market.config.engines.hedge)
    keys = market.keys
    parts = [engine.frames(keys[row : row + 1]) for row in range(keys.height)]
    return EngineFrames(pl.concat(p.features for p in parts), pl.concat(p.details for p in parts))


def different_columns(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """The columns in which two frames differ by a bit, by a null or by their length."""
    if one.height != other.height:
        return [f"{one.height} rows against {other.height}"]
    return [name for name in one.columns if _bits(one[name]).ne_missing(_bits(other[name])).any()]


def _bits(column: pl.Series) -> pl.Series:
    return column.reinterpret(signed=True) if column.dtype == pl.Float64 else column


def _digest_in_process(market: Market, threads: int) -> str:
    command = [sys.executable, "-m", "benchmarks.same_bits", str(market.root), market.as_of.isoformat()]
    environment = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout.strip()


def digest(frames: EngineFrames) -> str:
    """A hash over every value of features and details."""
    return f"{content_hash(frames.features)} {content_hash(frames.details)}"


if __name__ == "__main__":
    print(digest(whole_universe(opened(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), "a store"))))
