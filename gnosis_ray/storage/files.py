"""Files and folders that outlive a power cut."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import polars as pl

from gnosis_ray.errors import LedgerError


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each one durable; nothing happens where it exists."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_synced(path: Path, body: bytes) -> None:
    """Write a file's bytes to the disk. Its name is durable once its folder is synced."""
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, body: bytes) -> None:
    """Give a file new content, whole or not at all, durably."""
    temporary = path.with_name(f".{path.name}.{unique()}")
    try:
        write_synced(temporary, body)
        os.replace(temporary, path)  # noqa: PTH105  one place where tests can cut the power
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """A Parquet file: zstd, with statistics. Equal frames give equal bytes."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()


def read_parquet(file: Path | BytesIO, name: str) -> pl.DataFrame:
    """A Parquet file, without what its folders say. Raises :class:`LedgerError`, naming it, where it is damaged."""
    try:
        return pl.read_parquet(file, glob=False, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise LedgerError(f"Cannot read {name}: {error}", stage="ledger", cause=type(error).__name__) from error


def unique() -> str:
    """A name that nobody else uses; for temporary files only."""
    return uuid.uuid4().hex


@contextmanager
def reported(task: str) -> Iterator[None]:
    """Turn an error of the file system into a :class:`LedgerError` that says what was being done."""
    try:
        yield
    except OSError as error:
        raise LedgerError(f"Cannot {task}: {error}", stage="ledger", cause=type(error).__name__) from error
