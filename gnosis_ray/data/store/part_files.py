"""Parts: immutable Parquet files, each with an index in its footer, named by two hashes.

``part-<content>-<file>.parquet``: the first is of the rows, by which the same rows are known again whatever version
wrote them; the second of the file's bytes, with which it is compared before it is read. Older parts have the first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import polars as pl

from gnosis_ray.errors import IntegrityError, ResourceError, SchemaError
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import Dataset, check_columns
from gnosis_ray.storage.backend import disk_of, open_backend
from gnosis_ray.storage.digests import digest_of, require_digest, require_file_digests
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_errors, parquet_footer, parquet_frame

ROW_GROUP_ROWS = {"event_date": 16_384, "event_year": 4_096}
"""Small enough that a batch of 32 symbols out of 500 skips most of a part."""

COMPRESSION: Literal["lz4"] = "lz4"
"""Half as large again as zstd, decoded in three fifths of its time."""

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
"""The index of a part: one row per symbol; in chains one row per symbol, snapshot and known-at."""

_FOOTER_KEY = "gnosis_ray.index"

_DIGITS = 32
"""Of a file's digest in the name of its part."""

_NAME = re.compile(r"part-([0-9a-f]{16})(?:-([0-9a-f]{32}))?\.parquet")


@dataclass(frozen=True)
class Part:
    """One committed file of a dataset and the label of its partition."""

    path: Location
    period: str


@dataclass(frozen=True)
class StorePartition:
    """A partition of a dataset; its parts are listed when asked for."""

    label: str
    parts: Callable[[], list[Part]]


def list_parts(root: Location, data: Dataset, first: str = "", last: str = "~") -> list[Part]:
    """The parts of the partitions labelled ``first`` to ``last``, in path order. A file being written is no part.

    Raises :class:`ResourceError` where the folder or bucket refuses.
    """
    return [part for partition in list_partitions(root, data, first, last) for part in partition.parts()]


def list_partitions(root: Location, data: Dataset, first: str = "", last: str = "~") -> list[StorePartition]:
    """The partitions labelled ``first`` to ``last``, in order. The parts of each are listed when asked for.

    Raises :class:`ResourceError` where the folder or bucket refuses.
    """
    prefix, folder = f"{data.period}=", root / data.kind
    with data_errors(root):
        children = open_backend(root).browse(data.kind)
        names = children("")
    return [
        StorePartition(label, partial(_parts, children, folder, name, label))
        for name in names
        if name.startswith(prefix) and first <= (label := name.removeprefix(prefix)) <= last
    ]


def _parts(children: Callable[[str], list[str]], folder: Location, name: str, label: str) -> list[Part]:
    """The parts in a folder; of two with the same rows, which two versions at once can write, the first."""
    by_content: dict[str, str] = {}
    with data_errors(folder):
        files = children(name)
    for file in sorted(filter(_is_part, files)):
        by_content.setdefault(content_hash_of(file), file)
    return [Part(folder / name / file, label) for file in by_content.values()]


def bytes_of(root: Location, data: Dataset, parts: Sequence[Location]) -> int:
    """The size of parts of a dataset. Raises :class:`ResourceError` where the folder or bucket refuses."""
    with data_errors(root):
        sizes = open_backend(root).sizes(data.kind)
    return sum(sizes.get(f"{part.parent.name}/{part.name}", 0) for part in parts)


@contextmanager
def data_errors(place: Location) -> Iterator[None]:
    """Raise what a folder or a bucket refuses as :class:`ResourceError`: no symbol is at fault, and it may pass.

    It names ``place``: the operating system does not say where a write or a sync failed.

    What is not there is said by :class:`FileNotFoundError` and :class:`NotADirectoryError`, as ever.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        text = str(error)
        named = text if str(place) in text else f"Cannot use {place}: {text}"
        raise ResourceError(named, cause=type(error).__name__) from error


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def content_hash_of(name: str) -> str:
    """The hash of the rows in a part's name; the whole name where it has none."""
    named = _NAME.fullmatch(name)
    return named[1] if named else name


def file_digest_of(name: str) -> str | None:
    """The digest in a part's name with which its bytes begin; None for a part of an older version."""
    named = _NAME.fullmatch(name)
    return named[2] if named else None


def require_unchanged(paths: Sequence[Location]) -> None:
    """Compare parts in a folder with the digests in their names, each once in a process unless it changes.

    Parts of a bucket are read in pieces: whole they are compared by ``gnosis-ray data verify``. Raises
    :class:`IntegrityError` for one that is not what was written, :class:`OSError` where there is no way to it.
    """
    named = [(path, digest) for path in paths if isinstance(path, Path) and (digest := file_digest_of(path.name))]
    if named:
        require_file_digests(named, disk_of(named[0][0]))


def split(data: Dataset, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """``(period, rows)`` of each partition, rows sorted as they are stored: by symbol, so that readers can skip."""
    ordered = frame.sort(*data.identity, "known_at", *_rest(data))
    labelled = ordered.with_columns(period=data.period_of(pl.col(data.event)))
    for (period,), rows in labelled.group_by("period", maintain_order=True):
        yield str(period), rows.drop("period")


def _rest(data: Dataset) -> list[str]:
    return [name for name in data.stored if name not in (*data.identity, "known_at")]


def write_part(root: Location, data: Dataset, period: str, rows: pl.DataFrame) -> tuple[Location, bool]:
    """Write rows as one part, whole or not at all: its path; False where the same content exists already.

    Droppable columns without a value are left out, so that the same rows make the same part as before those columns
    existed. Raises :class:`ResourceError` where the folder or bucket refuses.
    """
    rows = rows.drop(name for name in data.droppable_columns if rows[name].null_count() == rows.height)
    folder, content = f"{data.kind}/{data.period}={period}", content_hash(rows)
    backend = open_backend(root)
    with data_errors(root):
        held = next((file for file in backend.children(folder) if content_hash_of(file) == content), None)
        if held is not None:
            backend.make_durable(folder)  # whoever wrote it may have died before its name was durable
            return root / f"{folder}/{held}", False
        body = _bytes(data, rows)
        name = f"{folder}/part-{content}-{digest_of(body)[:_DIGITS]}.parquet"
        backend.put(name, body)  # of two writers at the same time both write the same rows
    return root / name, True


def _bytes(data: Dataset, rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(
        buffer,
        compression=COMPRESSION,
        row_group_size=ROW_GROUP_ROWS[data.period],
        metadata={_FOOTER_KEY: _encode(measure(data, rows))},
    )
    return buffer.getvalue()


def content_hash(rows: pl.DataFrame) -> str:
    """Sixteen hex digits over columns, types and values; the bytes under a null do not count."""
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

    Checks the file's columns on the way. Raises :class:`IntegrityError` for a file that is gone or not as the store
    wrote it, naming the first column that is missing or mistyped; :class:`ResourceError` where there is no way to it.
    """
    try:
        file = parquet_footer(open_backend(part.path.parent), part.path.name)
        with parquet_errors():
            check_columns(data, pl.Schema(pl.read_parquet_schema(file)), str(part.path), exact=True)
            own = pl.read_parquet_metadata(file).get(_FOOTER_KEY)
            index = _decode(own) if own is not None else None
    except SchemaError as error:
        raise IntegrityError(error.message, cause=type(error).__name__) from error
    except (OSError, binascii.Error, pl.exceptions.PolarsError) as error:
        refused = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        kind = ResourceError if refused else IntegrityError
        again = "" if refused else ". `gnosis-ray data verify` reads every file of the store"
        text = f"Cannot read {part.path}, dataset {data.kind}: {error}{again}"
        raise kind(text, cause=type(error).__name__) from error
    if index is None or index.schema != INDEX:
        raise IntegrityError(f"{part.path}, dataset {data.kind}: Expected an index in the footer, found none of ours")
    return index


def read_part(part: Part) -> pl.DataFrame:
    """All stored columns of a part, whose bytes are compared first.

    Raises :class:`IntegrityError` where it is not what was written, :class:`ResourceError` where there is no way to it.
    """
    with data_errors(part.path):
        body = open_backend(part.path.parent).get(part.path.name)
    digest = file_digest_of(part.path.name)
    if digest is not None:
        require_digest(body, digest, part.path)
    try:
        return parquet_frame(body)
    except pl.exceptions.PolarsError as error:
        raise IntegrityError(f"Cannot read {part.path}: {error}", cause=type(error).__name__) from error


def _encode(index: pl.DataFrame) -> str:
    buffer = io.BytesIO()
    index.write_ipc(buffer, compression="zstd")
    return base64.b64encode(buffer.getvalue()).decode()


def _decode(text: str) -> pl.DataFrame:
    return pl.read_ipc(base64.b64decode(text, validate=True))
