"""Answers of vendors as they came, one Parquet file a symbol and kind: what a run that is cut off need not ask again.

    <root>/<vendor>/<kind>/AAPL/20260710T200001000000.parquet

The name says when the answer was whole. Files never change, so that who has one in hand keeps it whatever others do.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind, to_utc

_STAMP = "%Y%m%dT%H%M%S%f"
_SINCE = "gnosis_ray.since"
KEPT_FOR = timedelta(days=2)
"""Older answers of a symbol go when a newer one comes."""


@dataclass(frozen=True)
class CachedResponse:
    """One file of the spool; ``since``: the earliest event that was asked for."""

    path: Path
    fetched_at: datetime
    since: datetime


class ResponseCache:
    """The folder; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def newest(self, vendor: str, kind: DataKind, symbol: str) -> CachedResponse | None:
        """The latest answer that can be read; None where there is none."""
        dated = sorted(self._dated(vendor, kind, symbol), reverse=True)
        return next((answer for _, path in dated if (answer := _opened(path, kind)) is not None), None)

    def keep(
        self, vendor: str, kind: DataKind, symbol: str, rows: pl.DataFrame, fetched_at: datetime, since: datetime
    ) -> CachedResponse:
        """Write an answer, whole or not at all. Side effect: drops answers of the symbol that nobody needs."""
        folder = self._folder(vendor, kind, symbol)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{fetched_at.astimezone(UTC).strftime(_STAMP)}.parquet"
        temporary = folder / f".{path.name}.{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("xb") as file:
                rows.write_parquet(file, compression="lz4", metadata={_SINCE: since.isoformat()})
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        for moment, old in self._dated(vendor, kind, symbol):
            if moment < fetched_at - KEPT_FOR:
                old.unlink(missing_ok=True)
        return CachedResponse(path, fetched_at, since)

    def rows(self, answer: CachedResponse) -> pl.DataFrame:
        """What an answer holds. Raises :class:`DataError` where it is gone."""
        try:
            return pl.read_parquet(answer.path, hive_partitioning=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"Cannot read what was fetched into {answer.path}: {error}") from error

    def _folder(self, vendor: str, kind: DataKind, symbol: str) -> Path:
        return self.root / vendor / kind / symbol

    def _dated(self, vendor: str, kind: DataKind, symbol: str) -> list[tuple[datetime, Path]]:
        paths = self._folder(vendor, kind, symbol).glob("*.parquet")
        return [(moment, path) for path in paths if (moment := _moment(path)) is not None]


def response_schema(kind: DataKind) -> pl.Schema:
    """The columns of an answer: those of the kind but what is only known when rows are handed out."""
    return pl.Schema({n: t for n, t in DATASETS[kind].columns_provided.items() if n != "known_at"})


def _moment(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _opened(path: Path, kind: DataKind) -> CachedResponse | None:
    """None for what is no answer of today's shape: it is asked for again, which mends it."""
    moment = _moment(path)
    if moment is None:
        return None
    try:
        since = to_utc(datetime.fromisoformat(pl.read_parquet_metadata(path)[_SINCE]))
        whole = pl.read_parquet_schema(path) == response_schema(kind)
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError):
        return None
    return CachedResponse(path, moment, since) if whole else None
