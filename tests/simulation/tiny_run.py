"""A run small enough to be worked thousands of times: two features of a few symbols, in real Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from gnosis_ray.ledger.rows import failures_frame
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.market.columns import KEYS
from gnosis_ray.runs.kinds import BACKFILL
from gnosis_ray.runs.worker import BatchResult, RunWorker
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, Batch, Failure, RunManifest

NOON = datetime(2026, 7, 10, 16, tzinfo=UTC)
FEATURES = ("hedge__pressure", "liquidity__depth")
NONCE = "nonce"
"""A column of the features that tells attempts apart."""

RUN_ID = "20260712T120000000-5eed"


def manifest(batches: int) -> RunManifest:
    """A run of two symbols a batch."""
    return RunManifest(
        format=MANIFEST_FORMAT,
        kind=BACKFILL.name,
        tables=BACKFILL.table_names,
        run_id=RUN_ID,
        run_date=date(2026, 7, 12),
        as_of=NOON,
        provider="simulated",
        synthetic=True,
        universe="tiny",
        symbols=tuple(f"SIM{number:02d}" for number in range(2 * batches)),
        batch_size=2,
        config_hash="0123456789abcdef",
        config_json="{}",
        version="0.1.0",
    )


def measured(symbols: Sequence[str]) -> pl.DataFrame:
    """The features of symbols; they follow from the names."""
    sizes = [float(int(symbol.removeprefix("SIM"))) for symbol in symbols]
    rows = [(symbol, NOON, 100.0 + size, size / 7) for symbol, size in zip(symbols, sizes, strict=True)]
    return pl.DataFrame(rows, schema={**KEYS, **dict.fromkeys(FEATURES, pl.Float64())}, orient="row")


@dataclass(frozen=True)
class TinyWork:
    """A :class:`gnosis_ray.runs.worker.BatchWork` that measures nothing real."""

    nonces: Iterator[int]

    def compute(self, batch: Batch) -> pl.DataFrame:
        """The features of a batch's symbols; no two attempts have the same bytes, so that mixed ones are found."""
        return measured(batch.symbols).with_columns(pl.lit(float(next(self.nonces))).alias(NONCE))

    def result(self, outcomes: Sequence[pl.DataFrame], failures: Sequence[Failure]) -> BatchResult:
        """The tables of a backfill."""
        frames = {
            "features": pl.concat([measured(()), *outcomes], how="diagonal"),
            "failures": failures_frame(failures),
        }
        return BatchResult(frames, tuple(failures))


@dataclass(frozen=True)
class TinyJob:
    """A :class:`gnosis_ray.fanout.Job` of it."""

    writer: RunWriter
    nonces: Iterator[int]
    """Numbers that are given out once."""

    def open(self) -> RunWorker[pl.DataFrame]:
        """A real worker."""
        return RunWorker(TinyWork(self.nonces), self.writer)
