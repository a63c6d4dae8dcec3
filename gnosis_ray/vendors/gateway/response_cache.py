"""Responses of vendors as received, one Parquet file per symbol and kind: an interrupted run need not ask again.

    <root>/<vendor>/<kind>/AAPL/20260710T200001000000.parquet

The name is the time at which the response was complete. Files never change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind, to_utc
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_footer, read_parquet

_STAMP = "%Y%m%dT%H%M%S%f"
_SINCE = "gnosis_ray.since"
KEPT_FOR = timedelta(days=2)
"""Older responses of a symbol are deleted when a newer one comes."""


@dataclass(frozen=True)
class CachedResponse:
    """One file of the cache, by its name there; ``since``: the earliest event that was asked for."""

    name: str
    fetched_at: datetime
    since: datetime


class ResponseCache:
    """The cached responses under a root; several processes may use it at once."""

    def __init__(self, root: Location) -> None:
        self._backend = open_backend(root)

    def newest(self, vendor: str, kind: DataKind, symbol: str) -> CachedResponse | None:
        """The latest response that can be read; None where there is none."""
        dated = sorted(self._dated(vendor, kind, symbol), reverse=True)
        opened = (self._opened(name, fetched_at, kind) for fetched_at, name in dated)
        return next((response for response in opened if response is not None), None)

    def keep(
        self, vendor: str, kind: DataKind, symbol: str, rows: pl.DataFrame, fetched_at: datetime, since: datetime
    ) -> CachedResponse:
        """Write a response, whole or not at all. Side effect: deletes the symbol's responses that are too old."""
        name = f"{_folder(vendor, kind, symbol)}/{fetched_at.astimezone(UTC).strftime(_STAMP)}.parquet"
        buffer = BytesIO()
        rows.write_parquet(buffer, compression="lz4", metadata={_SINCE: since.isoformat()})
        self._backend.put(name, buffer.getvalue())
        dated = self._dated(vendor, kind, symbol)
        self._backend.delete([old for timestamp, old in dated if timestamp < fetched_at - KEPT_FOR])
        return CachedResponse(name, fetched_at, since)

    def rows(self, response: CachedResponse) -> pl.DataFrame:
        """The rows of a response. Raises :class:`DataError` where it was deleted."""
        try:
            return read_parquet(self._backend, response.name)
        except (OSError, pl.exceptions.PolarsError) as error:
            path = self._backend.root / response.name
            raise DataError(f"Cannot read what was fetched into {path}: {error}") from error

    def _dated(self, vendor: str, kind: DataKind, symbol: str) -> list[tuple[datetime, str]]:
        folder = _folder(vendor, kind, symbol)
        names = self._backend.children(folder)
        return [(at, f"{folder}/{name}") for name in names if (at := _timestamp(name)) is not None]

    def _opened(self, name: str, fetched_at: datetime, kind: DataKind) -> CachedResponse | None:
        """None for a file of another schema or without one: it is fetched again, which repairs it."""
        try:
            footer = parquet_footer(self._backend, name)
            since = to_utc(datetime.fromisoformat(pl.read_parquet_metadata(footer)[_SINCE]))
            whole = pl.read_parquet_schema(footer) == response_schema(kind)
        except (OSError, KeyError, ValueError, pl.exceptions.PolarsError):
            return None
        return CachedResponse(name, fetched_at, since) if whole else None


def response_schema(kind: DataKind) -> pl.Schema:
    """The columns of a response: those of the kind except ``known_at``, which is set when rows are handed out."""
    return pl.Schema({n: t for n, t in DATASETS[kind].columns_provided.items() if n != "known_at"})


def _folder(vendor: str, kind: DataKind, symbol: str) -> str:
    return f"{vendor}/{kind}/{symbol}"


def _timestamp(name: str) -> datetime | None:
    """When the response of that name was complete; None for the name of another file."""
    path = PurePosixPath(name)
    try:
        return datetime.strptime(path.stem, _STAMP).replace(tzinfo=UTC) if path.suffix == ".parquet" else None
    except ValueError:
        return None
