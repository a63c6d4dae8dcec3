"""Parts: immutable Parquet files whose names are their content, each with an index of itself in its footer."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import polars as pl

from gnosis_ray.data.store.remote import footer, list_names, put_once, sizes
from gnosis_ray.errors import DataError
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import Dataset, check_columns
from gnosis_ray.storage.location import Location, S3Url

ROW_GROUP_ROWS = {"event_date": 16_384, "event_year": 4_096}
"""Small enough that a batch of 32 symbols out of 500 skips most of a part."""

COMPRESSION: Literal["lz4"] = "lz4"
"""Half as large again as zstd, decoded in three fifths of the time."""

INDEX = pl.Schema(
    [
        ("symbol", pl.String()),
        ("first_event", UTC_TIME),
        ("last_event", UTC_TIME),
        ("first_known", UTC_TIME),
        ("last_known", UTC_TIME),
        ("events", pl.UInt32()),  # distinct event times
        ("rows", pl.UInt32()),
    ]
)
"""What a part says of itself: one row a symbol; in chains one row a symbol, snapshot and known-at."""

_FOOTER_KEY = "gnosis_ray.index"


@dataclass(frozen=True)
class Part:
    """One committed file of a dataset and the label of the partition it lies in."""

    path: Location
    period: str


@dataclass(frozen=True)
class StorePartition:
    """A partition of a dataset; what it holds is listed when asked for."""

    label: str
    parts: Callable[[], list[Part]]


def list_parts(root: Location, data: Dataset, first: str = "", last: str = "~") -> list[Part]:
    """The parts of the partitions labelled ``first`` to ``last``, in path order. A file being written is no part.

    Raises :class:`DataError` where an object store cannot be listed.
    """
    return [part for partition in list_partitions(root, data, first, last) for part in partition.parts()]


def list_partitions(root: Location, data: Dataset, first: str = "", last: str = "~") -> list[StorePartition]:
    """The partitions labelled ``first`` to ``last``, in order.

    A folder is listed at once, and each partition when it is asked for; a bucket in one go, since asking is what takes
    the time there. Raises :class:`DataError` where an object store cannot be listed.
    """
    prefix = f"{data.period}="
    if isinstance(root, S3Url):
        return _remote_partitions(root / data.kind, prefix, first, last)
    folder = root / data.kind
    try:
        with os.scandir(folder) as entries:  # a path an entry would take most of the time of a read
            names = sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        StorePartition(label, partial(_local_parts, folder, name, label))
        for name in names
        if name.startswith(prefix) and first <= (label := name.removeprefix(prefix)) <= last
    ]


def _local_parts(folder: Path, name: str, label: str) -> list[Part]:
    return [Part(path, label) for path in sorted((folder / name).iterdir()) if _is_part(path.name)]


def _remote_partitions(folder: S3Url, prefix: str, first: str, last: str) -> list[StorePartition]:
    try:
        names = list_names(folder)
    except OSError as error:
        raise DataError(str(error), cause=type(error).__name__) from error
    held: dict[str, list[Part]] = {}
    for partition, file in names:
        label = partition.removeprefix(prefix)
        if partition.startswith(prefix) and first <= label <= last and _is_part(file):
            held.setdefault(label, []).append(Part(folder / partition / file, label))
    return [StorePartition(label, partial(list, parts)) for label, parts in held.items()]


def bytes_of(root: Location, data: Dataset, parts: Sequence[Location]) -> int:
    """What parts of a dataset take up. Raises :class:`DataError` where an object store cannot be listed."""
    if not isinstance(root, S3Url):
        return sum(part.stat().st_size for part in parts if isinstance(part, Path))
    try:
        found = sizes(root / data.kind)
    except OSError as error:
        raise DataError(str(error), cause=type(error).__name__) from error
    return sum(found.get(part, 0) for part in parts if isinstance(part, S3Url))


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def split(data: Dataset, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """``(period, rows)`` of each partition, rows sorted as they are stored: by symbol, so that readers can skip."""
    ordered = frame.sort(*data.identity, "known_at", *_rest(data))
    labelled = ordered.with_columns(period=data.period_of(pl.col(data.event)))
    for (period,), rows in labelled.group_by("period", maintain_order=True):
        yield str(period), rows.drop("period")


def _rest(data: Dataset) -> list[str]:
    return [name for name in data.stored if name not in (*data.identity, "known_at")]


def write_part(root: Location, data: Dataset, period: str, rows: pl.DataFrame) -> tuple[Location, bool]:
    """Write rows as one part, whole or not at all: its path; False where the same content is there already.

    Omissible columns that say nothing are left out, so that the same rows make the same part as before there were any.
    In a folder it is written under a temporary name, synced, then renamed: a crash leaves a hidden file that no reader
    sees. On an object store it is one request. Raises :class:`DataError` where the object store refuses.
    """
    rows = rows.drop(name for name in data.droppable_columns if rows[name].null_count() == rows.height)
    part = root / data.kind / f"{data.period}={period}" / f"part-{content_hash(rows)}.parquet"
    if isinstance(part, S3Url):
        return part, put_once(part, lambda: _bytes(data, rows))
    return part, _write_once(part, lambda: _bytes(data, rows))


def _bytes(data: Dataset, rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(
        buffer,
        compression=COMPRESSION,
        row_group_size=ROW_GROUP_ROWS[data.period],
        metadata={_FOOTER_KEY: _encode(measure(data, rows))},
    )
    return buffer.getvalue()


def _write_once(part: Path, content: Callable[[], bytes]) -> bool:
    if part.is_file():
        return False
    part.parent.mkdir(parents=True, exist_ok=True)
    temporary = part.parent / f".{part.name}.{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(content())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(part)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(part.parent)
    return True


def content_hash(rows: pl.DataFrame) -> str:
    """Sixteen hex digits over columns, types and values; what lies under a null does not count."""
    digest = hashlib.sha256(repr(dict(rows.schema)).encode())
    for column in rows.iter_columns():
        digest.update(column.is_null().to_numpy().tobytes())
        if column.dtype == pl.String:
            digest.update(column.fill_null("").str.len_bytes().to_numpy().tobytes())
            digest.update((column.fill_null("").str.join("").item() or "").encode())
        else:
            digest.update(column.to_physical().fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def measure(data: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    """The :data:`INDEX` of these rows, sorted by symbol and first event."""
    by = ["symbol", data.event, "known_at"] if data.kind == "chains" else ["symbol"]
    event = pl.col(data.event)
    return (
        rows.group_by(pl.col(name).alias(f"by_{name}") for name in by)
        .agg(
            symbol=pl.col("symbol").first(),
            first_event=event.min(),
            last_event=event.max(),
            first_known=pl.col("known_at").min(),
            last_known=pl.col("known_at").max(),
            events=event.n_unique(),
            rows=pl.len(),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in INDEX.items())
        .sort("symbol", "first_event", "first_known")
    )


def read_index(data: Dataset, part: Part) -> pl.DataFrame:
    """A part's index, from its footer.

    Checks the file's columns on the way: :class:`SchemaError` names the first that is missing or mistyped,
    :class:`DataError` a file that cannot be read or that something else than the store wrote.
    """
    try:
        file = footer(part.path) if isinstance(part.path, S3Url) else part.path
        check_columns(data, pl.Schema(pl.read_parquet_schema(file)), str(part.path), exact=True)
        own = pl.read_parquet_metadata(file).get(_FOOTER_KEY)
        index = _decode(own) if own is not None else None
    except (OSError, binascii.Error, pl.exceptions.PolarsError) as error:
        raise DataError(f"Cannot read {part.path}, dataset {data.kind}: {error}", cause=type(error).__name__) from error
    if index is None or index.schema != INDEX:
        raise DataError(f"{part.path}, dataset {data.kind}: Expected an index in the footer, found none of ours")
    return index


def _encode(index: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    index.write_ipc(buffer, compression="zstd")
    return base64.b64encode(buffer.getvalue()).decode()


def _decode(text: str) -> pl.DataFrame:
    return pl.read_ipc(base64.b64decode(text, validate=True))


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; Windows has no folder handles to sync."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
