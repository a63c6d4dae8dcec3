"""Copying a market store of an older format into a new one, in the format that this version writes."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.part_files import Part, list_parts, read_index, read_part, split, write_part
from gnosis_ray.data.store.store_format import STORE_FORMAT, begin_copy, require_format, seal_copy
from gnosis_ray.errors import ConfigError, DataError, IntegrityError
from gnosis_ray.market.datasets import STORE_DATASETS, Dataset, conform
from gnosis_ray.storage.location import Location, locate, resolved

OnPart = Callable[[str, int, int], None]
"""Called with the kind and partition, the parts that are copied and those in all."""

COPIED = pl.Schema({"kind": pl.String(), "parts": pl.Int64(), "rows": pl.Int64()})
"""The columns of :func:`upgrade_store`."""


def upgrade_store(source: Location, target: Location, on_part: OnPart) -> pl.DataFrame:
    """Copy every part of a store, read each copy back and compare every value, then state the format of the copy.

    Rows keep their ``known_at`` and ``fetched_at``. The source is only read. Readers refuse the copy until it is
    finished; the same call again finishes it. Returns :data:`COPIED`, one row a kind.

    Raises :class:`ConfigError` where the source has today's format, or there is a store at the target already;
    :class:`NoDataError` where there is no source; :class:`DataError` where a part cannot be read, or the copy is not
    what the source holds now.
    """
    source, target = locate(source), locate(target)
    if resolved(source) == resolved(target):
        raise ConfigError(f"Expected another place to copy into, was the source, {source}")
    found = require_format(source)
    if found.number >= STORE_FORMAT:
        raise ConfigError(f"The market store {source} has format {found.number} already: there is nothing to upgrade")
    Catalog(source).require_some()
    begin_copy(target)
    parts = _parts(source)
    rows: dict[str, int] = {}
    for done, (data, part) in enumerate(parts, start=1):
        rows[data.kind] = rows.get(data.kind, 0) + _copy(target, data, part)
        on_part(f"{data.kind} {part.period}", done, len(parts))
    _require_same_parts(source, target)
    seal_copy(target)
    counts = [(kind, sum(data.kind == kind for data, _ in parts), count) for kind, count in rows.items()]
    return pl.DataFrame(counts, schema=COPIED, orient="row")


def _parts(root: Location) -> list[tuple[Dataset, Part]]:
    return [(data, part) for data in STORE_DATASETS.values() for part in list_parts(root, data)]


def _copy(target: Location, data: Dataset, part: Part) -> int:
    """Copy one part and compare the copy; its rows."""
    read_index(data, part)  # refuses what the store did not write
    rows = conform(data, read_part(part), str(part.path))
    cuts = dict(split(data, rows))
    if list(cuts) != [part.period]:
        raise IntegrityError(
            f"{part.path}: Expected rows of {part.period}, found rows of {', '.join(cuts) or 'no time'}"
        )
    ordered = cuts[part.period]
    path, _ = write_part(target, data, part.period, ordered)
    copy = conform(data, read_part(Part(path, part.period)), str(path))
    if not copy.equals(ordered):
        raise IntegrityError(f"{path} differs from its source {part.path}")
    return rows.height


def _require_same_parts(source: Location, target: Location) -> None:
    """Raise :class:`DataError` unless the copy has, by kind and partition, the rows that the source has now."""
    expected, copied = _rows_by_part(source), _rows_by_part(target)
    differing = sorted(key for key in expected.keys() | copied.keys() if expected.get(key) != copied.get(key))
    if differing:
        raise DataError(
            f"{target} is not a copy of {source}: {differing[0]} differs. If the source was appended to, run it again; "
            "if the copy was begun from another store, choose an empty place"
        )


def _rows_by_part(root: Location) -> dict[str, tuple[int, ...]]:
    """Kind and partition -> the rows of each part, sorted; from the parts' own indexes."""
    found: dict[str, list[int]] = {}
    for data, part in _parts(root):
        found.setdefault(f"{data.kind}/{part.period}", []).append(int(read_index(data, part)["rows"].sum()))
    return {key: tuple(sorted(rows)) for key, rows in found.items()}
