"""Responses of vendors as received, one Parquet file per symbol and kind: an interrupted run need not ask again.

    <root>/<vendor>/<kind>/AAPL/20260710T200001000000-<digest>.parquet

The name is the time at which the response was complete, and a digest of the file. Files never change; one that has is
passed over, so that what it held is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from gnosis_ray.errors import IntegrityError, ResourceError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind, to_utc
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.digests import digest_of, require_digest
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_errors, parquet_frame

_STAMP = "%Y%m%dT%H%M%S%f"
_SINCE = "gnosis_ray.since"
_DIGITS = 32
"""Of a file's digest in its name."""

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
        buffer = BytesIO()
        rows.write_parquet(buffer, compression="lz4", metadata={_SINCE: since.isoformat()})
        body = buffer.getvalue()
        stamp = fetched_at.astimezone(UTC).strftime(_STAMP)
        name = f"{_folder(vendor, kind, symbol)}/{stamp}-{digest_of(body)[:_DIGITS]}.parquet"
        self._backend.put(name, body)
        dated = self._dated(vendor, kind, symbol)
        self._backend.delete([old for timestamp, old in dated if timestamp < fetched_at - KEPT_FOR])
        return CachedResponse(name, fetched_at, since)

    def rows(self, response: CachedResponse) -> pl.DataFrame:
        """The rows of a response.

        Raises :class:`ResourceError` where it was deleted or there is no way to it, :class:`IntegrityError` where it
        is not what was written: no symbol is at fault.
        """
        path = self._backend.root / response.name
        try:
            body = self._backend.get(response.name)
        except OSError as error:
            raise ResourceError(f"Cannot read what was fetched into {path}: {error}") from error
        require_digest(body, _digest(response.name), path)
        return parquet_frame(body)

    def _dated(self, vendor: str, kind: DataKind, symbol: str) -> list[tuple[datetime, str]]:
        folder = _folder(vendor, kind, symbol)
        names = self._backend.children(folder)
        return [(at, f"{folder}/{name}") for name in names if (at := _timestamp(name)) is not None]

    def _opened(self, name: str, fetched_at: datetime, kind: DataKind) -> CachedResponse | None:
        """None for a file that has changed, or of another schema: it is fetched again, which repairs it."""
        try:
            body = self._backend.get(name)
            require_digest(body, _digest(name), self._backend.root / name)
            with parquet_errors():
                since = to_utc(datetime.fromisoformat(pl.read_parquet_metadata(BytesIO(body))[_SINCE]))
                whole = pl.read_parquet_schema(BytesIO(body)) == response_schema(kind)
        except (OSError, IntegrityError, KeyError, ValueError, pl.exceptions.PolarsError):
            return None
        return CachedResponse(name, fetched_at, since) if whole else None


def response_schema(kind: DataKind) -> pl.Schema:
    """The columns of a response: those of the kind except ``known_at``, which is set when rows are handed out."""
    return pl.Schema({n: t for n, t in DATASETS[kind].columns_provided.items() if n != "known_at"})


def _folder(vendor: str, kind: DataKind, symbol: str) -> str:
    return f"{vendor}/{kind}/{symbol}"


def _digest(name: str) -> str:
    """The digest in a response's name."""
    return PurePosixPath(name).stem.partition("-")[2]


def _timestamp(name: str) -> datetime | None:
    """When the response of that name was complete; None for the name of another file."""
    path = PurePosixPath(name)
    try:
        stamp, _, digest = path.stem.partition("-")
        ours = path.suffix == ".parquet" and len(digest) == _DIGITS
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC) if ours else None
    except ValueError:
        return None
