"""Files to import, within the bounds that the settings give: bytes, unpacked, and rows."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from gnosis_ray.config.market import FileLimits
from gnosis_ray.errors import DataError

_PIECE = 1 << 20
_MOST_A_CELL = 1 << 20
"""Bytes: a long article has a tenth of it."""

_MOST_A_LINE = 4 << 20

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Python unpacks the others without a bound."""


def opened(path: Path, limits: FileLimits) -> Path | BytesIO:
    """A Parquet or CSV file as it is, or the content of a gzip file or of a zip that holds one file.

    Packed content is unpacked piece by piece, and never further than ``data.files.max_mib``; what a Parquet file holds
    is what its footer says. Raises :class:`DataError` for more than that, and for what cannot be unpacked.
    """
    try:
        if path.suffix == ".zip":
            return _only_member(path, limits)
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                return _read(path, packed, limits)
        _check_size(path, _size(path), limits)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, pa.ArrowException) as error:
        raise DataError(f"Cannot read {path}: {error}", cause=type(error).__name__) from error
    return path


def first_lines(source: Path | BytesIO, count: int) -> list[str]:
    """The first lines of a text, without their ends; each of a megabyte at most."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return list(_lines(file, count))
    found = list(_lines(source, count))
    source.seek(0)
    return found


def check_rows(path: Path, rows: pl.DataFrame, limits: FileLimits) -> None:
    """Raise :class:`DataError` for more rows than ``data.files.max_rows``, and for a cell longer than a text."""
    if rows.height > limits.max_rows:
        raise DataError(f"{path}: Expected at most {limits.max_rows:,} rows (data.files.max_rows), found more")
    for column in rows.select(pl.col(pl.String)):
        longest = column.str.len_bytes().max()
        if isinstance(longest, int) and longest > _MOST_A_CELL:
            raise DataError(
                f"{path}, column {column.name[:80]}: Expected texts of up to {_MOST_A_CELL:,} bytes, found {longest:,}"
            )


def _only_member(path: Path, limits: FileLimits) -> BytesIO:
    with zipfile.ZipFile(path) as archive:
        members = [item for item in archive.infolist() if not item.is_dir()]
        if len(members) != 1:
            raise DataError(f"{path}: Expected one file in the zip, found {len(members)}")
        if members[0].compress_type not in _METHODS:
            raise DataError(f"{path}: Expected a zip packed by deflate, found method {members[0].compress_type}")
        with archive.open(members[0]) as packed:
            return _read(path, packed, limits)


def _read(path: Path, packed: IO[bytes] | gzip.GzipFile, limits: FileLimits) -> BytesIO:
    found, line = BytesIO(), 0
    while piece := packed.read(_PIECE):
        _check_size(path, found.tell() + len(piece), limits)
        line = len(piece) - piece.rfind(b"\n") - 1 if b"\n" in piece else line + len(piece)
        if line > _MOST_A_LINE:  # to parse one would take many times its size
            raise DataError(f"{path}: Expected lines of at most {_MOST_A_LINE:,} bytes, found a longer one")
        found.write(piece)
    found.seek(0)
    return found


def _size(path: Path) -> int:
    size = path.stat().st_size
    if path.suffix != ".parquet":
        return size
    footer = pq.read_metadata(path)
    unpacked: int = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    return max(size, unpacked)


def _check_size(path: Path, size: int, limits: FileLimits) -> None:
    if size > limits.max_mib << 20:
        raise DataError(f"{path}: Expected at most {limits.max_mib:,} MiB, unpacked (data.files.max_mib), found more")


def _lines(text: IO[bytes], count: int) -> Iterator[str]:
    for _ in range(count):
        yield text.readline(_PIECE).decode("utf-8", errors="replace").rstrip("\r\n")
