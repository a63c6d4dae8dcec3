"""Tables of source files: every cell of a text file as it is written, every row with its place and its fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.bounded_files import check_rows, opened
from gnosis_ray.data.importing.files import constants_of_name, constants_of_preamble, require_utf_8, text_of
from gnosis_ray.data.importing.json_rows import json_table
from gnosis_ray.data.importing.mapping import TableMapping
from gnosis_ray.data.importing.row_places import FAULT, FILE, LINE, PLACE, SURPLUS_CELLS, placed
from gnosis_ray.errors import DataError, SchemaError, nearest_hint
from gnosis_ray.storage.parquet import parquet_errors

_SURPLUS = "__surplus"

_SHOWN = 60
"""Columns that an error names, and characters of each."""


def read_table(
    folder: Path, path: Path, table: TableMapping, wanted: Sequence[str], limits: FileLimits
) -> pl.DataFrame:
    """The ``wanted`` columns of one file under their source names, with :data:`row_places.PLACE_COLUMNS`.

    Columns of a text file are text, as it is written; those of a Parquet file have its types. A named group of the
    file's name, path or preamble is a column. Raises :class:`SchemaError` where a column is missing or name, preamble
    or number of columns is not as the mapping says, :class:`DataError` where the file cannot be read or is larger than
    ``limits``.
    """
    constants = constants_of_name(folder, path, table)
    try:
        if path.suffix == ".parquet":
            with parquet_errors():
                rows = _parquet(path, table, wanted, constants, limits)
        else:
            text, name = text_of(path, table, limits)
            written_as_json = name.endswith((".json", ".jsonl", ".ndjson"))
            read = _json if written_as_json else _csv
            rows = read(path, text, table, wanted, constants, limits)
    except (OSError, pl.exceptions.PolarsError) as error:
        first = str(error).strip().split("\n", 1)[0]
        raise DataError(f"Cannot read {path}: {first}", cause=type(error).__name__) from error
    check_rows(path, rows, limits)
    return rows.with_columns(pl.lit(path.relative_to(folder).as_posix()).cast(pl.Categorical).alias(FILE))


def _parquet(
    path: Path, table: TableMapping, wanted: Sequence[str], constants: dict[str, pl.Expr], limits: FileLimits
) -> pl.DataFrame:
    opened(path, limits)
    scan = pl.scan_parquet(path, glob=False, hive_partitioning=False).with_columns(**constants)
    _require(path, table, wanted, scan.collect_schema().names())
    return placed(scan.select(*wanted).head(limits.max_rows + 1).collect(engine="in-memory"), "row", 1)


def _json(
    path: Path,
    text: bytes,
    table: TableMapping,
    wanted: Sequence[str],
    constants: dict[str, pl.Expr],
    limits: FileLimits,
) -> pl.DataFrame:
    require_utf_8(path, text)
    rows = json_table(path, text, limits.max_rows + 1).with_columns(**constants)
    if rows[FAULT].null_count():
        _require(path, table, wanted, [name for name in rows.columns if name not in (FAULT, LINE, PLACE)])
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in rows.columns]
    return rows.with_columns(absent).select(*wanted, FAULT, LINE, PLACE)


def _csv(
    path: Path,
    text: bytes,
    table: TableMapping,
    wanted: Sequence[str],
    constants: dict[str, pl.Expr],
    limits: FileLimits,
) -> pl.DataFrame:
    constants = constants | constants_of_preamble(path, text, table)
    before, header, body = _header(path, text, table)
    mark = table.separator.encode()
    scan = pl.scan_csv(
        io.BytesIO(header + mark + _SURPLUS.encode() + b"\n" + body),
        separator=table.separator,
        comment_prefix=table.comment,
        infer_schema=False,
        truncate_ragged_lines=True,
        row_index_name=LINE,
    )
    names = scan.collect_schema().names()
    _require(path, table, wanted, [*names[1:-1], *constants])
    surplus = pl.when(pl.col(names[-1]).is_not_null()).then(pl.lit(SURPLUS_CELLS)).alias(FAULT)
    chosen = scan.with_columns(**constants).select(LINE, surplus, *wanted).head(limits.max_rows + 1)
    try:
        rows = chosen.collect(engine="in-memory")
    except pl.exceptions.PolarsError:
        require_utf_8(path, text)
        _require_closed_quotes(path, text)
        raise
    has_a_line_each = body.count(b"\n") + (not body.endswith(b"\n") and body != b"") == rows.height
    cells = [name for name in wanted if name not in constants]
    return placed(
        rows.filter(pl.any_horizontal(pl.col(FAULT, *cells).is_not_null())),  # an empty line is no row
        "line" if has_a_line_each else "row",
        before + 1 if has_a_line_each else 1,
    )


def _header(path: Path, text: bytes, table: TableMapping) -> tuple[int, bytes, bytes]:
    """How many lines come before the first row, the header line, and the lines of rows."""
    rest, before = text, 0
    for _ in table.preamble:
        rest, before = rest.partition(b"\n")[2], before + 1
    while table.comment and rest.startswith(table.comment.encode()):
        rest, before = rest.partition(b"\n")[2], before + 1
    if table.header:
        found = len(_cells(rest.partition(b"\n")[0], table)) if rest.strip() else len(table.header)
        if found != len(table.header):
            raise SchemaError(f"{path}: Expected {len(table.header)} columns, found {found}")
        return before, _written(table.header, table).encode(), rest
    header, _, body = rest.partition(b"\n")
    if not header.strip():
        raise DataError(
            f"{path}: Expected a line of column names and rows, found an empty " + ("line" if rest else "file")
        )
    return before + 1, header.rstrip(b"\r"), body


def _cells(line: bytes, table: TableMapping) -> list[str]:
    text = line.decode("utf-8", errors="replace").rstrip("\r")
    return next(csv.reader([text], delimiter=table.separator), [])


def _written(names: Sequence[str], table: TableMapping) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=table.separator, lineterminator="").writerow(names)
    return out.getvalue()


def _require_closed_quotes(path: Path, text: bytes) -> None:
    """Raise :class:`DataError` for the first line whose quotes do not pair, if the file's do not."""
    if text.count(b'"') % 2 == 0:
        return
    number = next(number for number, line in enumerate(text.split(b"\n"), 1) if line.count(b'"') % 2)
    raise DataError(f"{path}, line {number}: Expected quotes in pairs, found one that is never closed")


def _require(path: Path, table: TableMapping, wanted: Sequence[str], found: Sequence[str]) -> None:
    for name in wanted:
        if name in found:
            continue
        targets = [target for target, source in table.columns.items() if source == name]
        of = f" of {targets[0]}" if targets and targets[0] != name else ""
        raise SchemaError(
            f"{path}, column {name}: Expected the source{of}, found no such column among {_listed(found)}. "
            f"{_advice(name, table, found)}"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:_SHOWN] for name in names[:_SHOWN]) + more


def _advice(name: str, table: TableMapping, found: Sequence[str]) -> str:
    first = found[0] if found else ""
    marks = [mark for mark in (";", "\t", "|", ",") if mark != table.separator and mark in first]
    if first.startswith("#"):
        return "Say `comment: '#'` in the mapping if its first lines are comments."
    if marks:
        return f"Say `separator: {marks[0]!r}` in the mapping if that divides its cells."
    return nearest_hint(name, found)
