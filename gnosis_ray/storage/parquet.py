"""Parquet files of a backend: whole, or their footer alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import polars as pl

from gnosis_ray.storage.backend import StorageBackend

TAIL_BYTES = 512 * 1024
"""Read of a file at first: the footer of a few hundred symbols fits."""

_PARQUET_END = 8
"""The footer's length and the magic number."""


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """A Parquet file: zstd, with statistics. Equal frames give equal bytes."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()


def parquet_frame(body: bytes) -> pl.DataFrame:
    """The rows of a Parquet file, with the columns that are in it and none of its folders' names.

    Raises :class:`polars.exceptions.PolarsError` where it is none.
    """
    with parquet_errors():
        return pl.read_parquet(BytesIO(body), hive_partitioning=False)


@contextmanager
def parquet_errors() -> Iterator[None]:
    """Raise as :class:`polars.exceptions.PolarsError` whatever the reader of a damaged file ends in.

    It can panic, which is no :class:`Exception` and would end the process.
    """
    try:
        yield
    except pl.exceptions.PanicException as error:
        raise pl.exceptions.ComputeError(f"no Parquet file that can be read ({error})") from error


def parquet_footer(backend: StorageBackend, name: str) -> BytesIO:
    """The end of a Parquet file, with its whole footer: readers need no more for its schema and metadata.

    Raises :class:`OSError` where it cannot be read.
    """
    tail = backend.get_tail(name, TAIL_BYTES)
    needed = int.from_bytes(tail[-_PARQUET_END:-4], "little") + _PARQUET_END
    return BytesIO(tail if needed <= len(tail) else backend.get_tail(name, needed))
