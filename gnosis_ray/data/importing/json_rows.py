"""JSON lines and JSON arrays as tables of text: a number keeps the digits that were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from gnosis_ray.data.importing.row_places import FAULT, KEY_TWICE, LINE, NO_OBJECT, placed
from gnosis_ray.errors import DataError

_Row = tuple[int, dict[str, str | None], str | None]


class _KeyTwiceError(ValueError):
    """An object names a key twice, so that one of two values would be lost."""


def json_table(path: Path, text: bytes, most: int) -> pl.DataFrame:
    """The objects of JSON lines, or of one array, as rows of text, ``most`` of them; what is no object
    has a fault.

    A key that an object lacks, and ``null``, is null; a nested value is its JSON. Raises :class:`DataError` where an
    array cannot be read.
    """
    is_array = text.lstrip().startswith(b"[")
    rows = list(islice(_of_array(path, text) if is_array else _of_lines(text), most))
    names = list(dict.fromkeys(name for _, cells, _ in rows for name in cells))
    columns = {name: pl.Series(name, [cells.get(name) for _, cells, _ in rows], dtype=pl.String) for name in names}
    places = pl.DataFrame(
        {LINE: [number for number, _, _ in rows], FAULT: [fault for *_, fault in rows]},
        schema={LINE: pl.UInt32, FAULT: pl.String},
    )
    return placed(places.with_columns(*columns.values()), "row" if is_array else "line", 0)


def _of_lines(text: bytes) -> Iterator[_Row]:
    for number, line in enumerate(text.split(b"\n"), 1):
        if line.strip():
            yield (number, *_object(line))


def _object(line: bytes) -> tuple[dict[str, str | None], str | None]:
    try:
        found = _parsed(line)
    except _KeyTwiceError:
        return {}, KEY_TWICE
    except (ValueError, RecursionError):
        return {}, NO_OBJECT
    return _cells(found)


def _of_array(path: Path, text: bytes) -> Iterator[_Row]:
    try:
        found = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"Cannot read {path}: Expected a JSON array of objects: {error}") from error
    for number, item in enumerate(found, 1):
        yield (number, *_cells(item))


def _parsed(text: bytes) -> Any:
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyTwiceError("a key stands twice in one object")
    return found


def _cells(item: object) -> tuple[dict[str, str | None], str | None]:
    if not isinstance(item, dict):
        return {}, NO_OBJECT
    return {name: _text(value) for name, value in item.items()}, None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
