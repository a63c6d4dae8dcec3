"""Source files: Parquet, CSV, or one CSV in a zip; with what their names tell."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import polars as pl

from gnosis_ray.data.importing.mapping import TableMapping
from gnosis_ray.errors import DataError, NoDataError, SchemaError

SUFFIXES = (".parquet", ".csv", ".zip")


def source_files(folder: Path, table: TableMapping) -> list[Path]:
    """The files of a table, in order of name; :class:`NoDataError` where there is none."""
    found = sorted(folder.glob(table.file)) if table.many_files else [folder / table.file]
    found = [path for path in found if path.is_file()]
    if not found:
        raise NoDataError(f"Expected a file {table.file} in {folder}, found none")
    for path in found:
        if path.suffix not in SUFFIXES:
            raise SchemaError(f"{path}: Expected a .parquet, .csv or .zip file, found '{path.suffix}'")
    return found


def scan_file(path: Path, table: TableMapping) -> pl.LazyFrame:
    """A file's columns under their source names, and those that ``file_name`` takes from its name.

    Raises :class:`SchemaError` where the name or the number of columns is not as the mapping says,
    :class:`DataError` where a zip cannot be read or holds other than one file.
    """
    told = _told_by_name(path, table)
    if path.suffix == ".parquet":
        return pl.scan_parquet(path).with_columns(**told)
    source = path if path.suffix == ".csv" else io.BytesIO(_only_member(path))
    frame = pl.scan_csv(source, infer_schema_length=None, has_header=not table.header)
    if table.header:
        found = frame.collect_schema().names()
        if len(found) != len(table.header):
            raise SchemaError(f"{path}: Expected {len(table.header)} columns, found {len(found)}")
        frame = frame.rename(dict(zip(found, table.header, strict=True)))
    return frame.with_columns(**told)


def _told_by_name(path: Path, table: TableMapping) -> dict[str, pl.Expr]:
    if table.file_name is None:
        return {}
    match = re.fullmatch(table.file_name, path.name)
    if match is None:
        raise SchemaError(f"{path}: Expected a name like {table.file_name}")
    return {name: pl.lit(text) for name, text in match.groupdict().items()}


def _only_member(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            if len(members) != 1:
                raise DataError(f"{path}: Expected one file in the zip, found {len(members)}")
            return archive.read(members[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"Cannot read {path}: {error}", cause=type(error).__name__) from error
