"""A store of many days of chains, made up, and smaller ones that hold the last of its days."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import RAW_CHAIN
from gnosis_ray.market.keys import keys_at

SYMBOLS = 500
SESSIONS = 250
EXPIRIES = 8
FIRST, LAST = date(2025, 6, 2), date(2026, 7, 10)
AFTER_CLOSE = timedelta(minutes=15)

ROWS_SETTING = "GNOSIS_RAY_BENCH_ROWS"
"""Environment: how many rows of chains to make, about; the whole of it takes some 25 bytes a row of disk."""
DEFAULT_ROWS = 4_000_000


@dataclass(frozen=True)
class LargeStore:
    """A folder with the last ``sessions`` of the days that were made."""

    root: Path
    sessions: int
    rows: int

    @property
    def megabytes(self) -> float:
        """On disk."""
        return sum(path.stat().st_size for path in self.root.rglob("part-*.parquet")) / 1e6


def symbols() -> list[str]:
    """Names of no company."""
    return [f"S{number:03d}" for number in range(SYMBOLS)]


def closes() -> list[datetime]:
    """When the snapshots were taken: the last :data:`SESSIONS` closes to 2026-07-10."""
    moments = SessionCalendar.build("XNYS", FIRST, LAST).closes[-SESSIONS:]
    return [moment.astype(datetime).replace(tzinfo=UTC) for moment in moments]


def as_of() -> datetime:
    """A moment at which every snapshot is known."""
    return closes()[-1] + timedelta(hours=1)


def make(root: Path) -> list[LargeStore]:
    """The last quarter of the days, the last half, and all, under ``root``; the files that they share are the same."""
    per_symbol = max(2 * EXPIRIES, int(os.environ.get(ROWS_SETTING, DEFAULT_ROWS)) // (SYMBOLS * SESSIONS))
    contracts = _contracts(per_symbol)
    moments = closes()
    writer, rng = StoreWriter(root / "whole"), np.random.default_rng(0)
    for moment in moments:
        writer.append("chains", _snapshot(contracts, moment, rng))
    parts = sorted((root / "whole" / "chains").iterdir())
    made = []
    for name, sessions in (("quarter", SESSIONS // 4), ("half", SESSIONS // 2)):
        _link(parts[-sessions:], root / name / "chains")
        made.append(LargeStore(root / name, sessions, sessions * contracts.height))
    return [*made, LargeStore(root / "whole", len(parts), len(parts) * contracts.height)]


def asked(count: int, moments: list[datetime]) -> pl.DataFrame:
    """Keys of ``count`` neighbouring symbols, from the middle, at each moment."""
    first = (SYMBOLS - count) // 2
    return pl.concat([keys_at(symbols()[first : first + count], moment) for moment in moments])


def _contracts(per_symbol: int) -> pl.DataFrame:
    """``symbol, place, spot, strike, type, days``: every symbol's contracts."""
    place = np.arange(per_symbol)
    strikes = -(-per_symbol // (2 * EXPIRIES))
    one = pl.DataFrame(
        {
            "type": np.where(place % 2 == 0, "C", "P"),
            "days": 7 * (1 + place // 2 % EXPIRIES),
            "moneyness": 0.8 + 0.4 * (place // (2 * EXPIRIES)) / max(1, strikes - 1),
        }
    )
    names = pl.DataFrame({"symbol": symbols(), "spot": 20.0 + np.arange(SYMBOLS)})
    return names.join(one, how="cross").with_columns(strike=(pl.col("spot") * pl.col("moneyness")).round(2))


def _snapshot(contracts: pl.DataFrame, moment: datetime, rng: np.random.Generator) -> pl.DataFrame:
    """The chains of one close: figures without meaning, with as many digits as real ones."""
    count = contracts.height
    bid = np.round(rng.gamma(1.0, 3.0, count), 2)
    figures = {
        "bid": bid,
        "ask": np.round(bid + 0.05, 2),
        "last": np.round(bid + rng.uniform(-0.2, 0.2, count), 2).clip(0.0),
        "volume": rng.poisson(20.0, count).astype(float),
        "open_interest": rng.poisson(400.0, count).astype(float),
        "vendor_iv": np.round(rng.uniform(0.1, 0.9, count), 4),
    }
    return contracts.select(
        "symbol",
        event_time=pl.lit(moment),
        known_at=pl.lit(moment + AFTER_CLOSE),
        underlying_price=pl.col("spot"),
        expiry=pl.lit(moment.date()) + pl.duration(days="days"),
        strike="strike",
        type="type",
        settlement=pl.lit("PM"),
        **{name: pl.Series(values) for name, values in figures.items()},
    ).select(pl.col(name).cast(dtype) for name, dtype in RAW_CHAIN.items())


def _link(partitions: list[Path], folder: Path) -> None:
    for partition in partitions:
        (folder / partition.name).mkdir(parents=True)
        for part in partition.glob("part-*.parquet"):
            (folder / partition.name / part.name).hardlink_to(part)
