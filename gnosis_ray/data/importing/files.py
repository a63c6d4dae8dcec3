"""Source files: found by name or pattern, unpacked, and what their names and first lines say."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.bounded_files import opened
from gnosis_ray.data.importing.mapping import TableMapping
from gnosis_ray.errors import DataError, NoDataError, SchemaError

_TEXT = (".csv", ".txt", ".json", ".jsonl", ".ndjson")
SUFFIXES = (".parquet", *_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), ".zip")

_LOOKED_AT = 65_536
"""Bytes of a file that say whether it is text."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def source_files(folder: Path, table: TableMapping) -> list[Path]:
    """The files of a table, in order of name; :class:`NoDataError` where there is none."""
    pattern = table.file.replace("[", "[[]").replace("?", "[?]")  # only * stands for other characters
    found = sorted(folder.glob(pattern)) if table.many_files else [folder / table.file]
    found = [path for path in found if path.is_file()]
    if not found:
        raise NoDataError(f"Expected a file {table.file} in {folder}, found none")
    for path in found:
        if not path.name.endswith(SUFFIXES):
            raise SchemaError(f"{path}: Expected a file ending in {', '.join(SUFFIXES)}, found '{path.suffix}'")
    return found


def text_of(path: Path, table: TableMapping, limits: FileLimits) -> tuple[bytes, str]:
    """The text of a file in UTF-8 with line feeds, and the name that says how it is written.

    Raises :class:`DataError` where the file cannot be read, is larger than ``limits`` or not in the mapping's encoding.
    """
    raw, name = _unpacked(path, limits)
    encoding = table.encoding
    if raw.startswith(_UTF_16):
        encoding = "utf-16"
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if encoding != "utf-16" and b"\0" in raw[:_LOOKED_AT]:
        raise DataError(f"{path}: Expected text, found bytes that are none. Say `encoding: utf-16` if they are that")
    if encoding != "utf-8":
        try:
            raw = raw.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: Expected {encoding}, found {_hex(raw, error.start)}") from error
    if b"\r" in raw and b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    return raw, name


def require_utf_8(path: Path, text: bytes) -> None:
    """Raise :class:`DataError` naming the line of the first byte that is no UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: Expected UTF-8, found {_hex(text, error.start)}. Say `encoding: latin-1` or another "
            "in the mapping if that is what it is"
        ) from error


def _hex(raw: bytes, position: int) -> str:
    return f"byte 0x{raw[position]:02x}" if position < len(raw) else "its end"


def constants_of_name(folder: Path, path: Path, table: TableMapping) -> dict[str, pl.Expr]:
    """The named groups of the file's name and of its path below ``folder``; :class:`SchemaError` for other names."""
    below = path.relative_to(folder).as_posix()
    constants: dict[str, pl.Expr] = {}
    for pattern, text, what in ((table.file_name, path.name, "name"), (table.file_path, below, "path")):
        if pattern is None:
            continue
        match = re.fullmatch(pattern, text)
        if match is None:
            raise SchemaError(f"{path}: Expected a {what} like {pattern}, found {text}")
        constants |= _columns(match.groupdict())
    return constants


def constants_of_preamble(path: Path, text: bytes, table: TableMapping) -> dict[str, pl.Expr]:
    """The named groups of the lines before the header as columns."""
    lines = text.split(b"\n", len(table.preamble))[: len(table.preamble)]
    constants: dict[str, pl.Expr] = {}
    for number, pattern in enumerate(table.preamble):
        line = lines[number].decode("utf-8", errors="replace").rstrip("\r") if number < len(lines) else ""
        match = re.fullmatch(pattern, line)
        if match is None:
            raise SchemaError(f"{path}, line {number + 1}: Expected a line like {pattern}, found '{line[:80]}'")
        constants |= _columns(match.groupdict())
    return constants


def _columns(groups: Mapping[str, str | None]) -> dict[str, pl.Expr]:
    return {name: pl.lit(text, dtype=pl.String) for name, text in groups.items()}


def _unpacked(path: Path, limits: FileLimits) -> tuple[bytes, str]:
    """The content, and the name of what is packed: of a zip its member's."""
    found = opened(path, limits)
    try:
        content = path.read_bytes() if isinstance(found, Path) else found.getvalue()
        if path.suffix != ".zip":
            return content, path.name.removesuffix(".gz")
        with zipfile.ZipFile(path) as archive:
            name = next(item.filename for item in archive.infolist() if not item.is_dir())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"Cannot read {path}: {error}", cause=type(error).__name__) from error
    if name.endswith(".parquet"):
        raise SchemaError(f"{path}: Expected text in the zip, CSV or JSON, found {name}")
    return content, name
