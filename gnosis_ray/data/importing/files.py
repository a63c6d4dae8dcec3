"""Source files (Parquet, CSV, gzipped CSV, or one CSV in a zip), and the columns in their names and first lines."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import polars as pl

from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.bounded_files import first_lines, opened
from gnosis_ray.data.importing.mapping import TableMapping
from gnosis_ray.errors import NoDataError, SchemaError

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".zip")


def source_files(folder: Path, table: TableMapping) -> list[Path]:
    """The files of a table, in order of name; :class:`NoDataError` where there is none."""
    found = sorted(folder.glob(table.file)) if table.many_files else [folder / table.file]
    found = [path for path in found if path.is_file()]
    if not found:
        raise NoDataError(f"Expected a file {table.file} in {folder}, found none")
    for path in found:
        if not path.name.endswith(SUFFIXES):
            raise SchemaError(f"{path}: Expected a .parquet, .csv, .csv.gz or .zip file, found '{path.suffix}'")
    return found


def scan_file(path: Path, table: TableMapping, limits: FileLimits) -> pl.LazyFrame:
    """A file's columns under their source names, and constant columns from its name and the lines before its header.

    Raises :class:`SchemaError` where the name, a line before the header or the number of columns is not as the mapping
    says, :class:`DataError` where a file is larger than ``limits``, a compressed one cannot be read, or a zip does not
    hold exactly one file.
    """
    constants = _constants_of_name(path, table)
    source = opened(path, limits)
    if path.suffix == ".parquet":
        return pl.scan_parquet(source).with_columns(**constants)
    constants |= _constants_of_preamble(path, table, source)
    frame = pl.scan_csv(source, infer_schema_length=None, has_header=not table.header, skip_lines=len(table.preamble))
    if table.header:
        found = frame.collect_schema().names()
        if len(found) != len(table.header):
            raise SchemaError(f"{path}: Expected {len(table.header)} columns, found {len(found)}")
        frame = frame.rename(dict(zip(found, table.header, strict=True)))
    return frame.with_columns(**constants)


def _constants_of_name(path: Path, table: TableMapping) -> dict[str, pl.Expr]:
    if table.file_name is None:
        return {}
    match = re.fullmatch(table.file_name, path.name)
    if match is None:
        raise SchemaError(f"{path}: Expected a name like {table.file_name}")
    return {name: pl.lit(text) for name, text in match.groupdict().items()}


def _constants_of_preamble(path: Path, table: TableMapping, source: Path | BytesIO) -> dict[str, pl.Expr]:
    """The named groups of the preamble as columns; numbers become floats."""
    lines = first_lines(source, len(table.preamble))
    constants: dict[str, pl.Expr] = {}
    for number, pattern in enumerate(table.preamble):
        line = lines[number]
        match = re.fullmatch(pattern, line)
        if match is None:
            raise SchemaError(f"{path}, line {number + 1}: Expected a line like {pattern}, found '{line[:80]}'")
        constants |= {name: pl.lit(_figure(text)) for name, text in match.groupdict().items()}
    return constants


def _figure(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
