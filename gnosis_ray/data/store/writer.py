"""The only door into the store: appends, never changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gnosis_ray.data.store.datasets import Dataset, Kind, check_values, conform, dataset
from gnosis_ray.data.store.parts import split, write_part
from gnosis_ray.errors import DataError


@dataclass(frozen=True)
class Appended:
    """What an append did: rows in new parts, and rows of parts that the store had already."""

    written: int
    known: int
    parts: tuple[Path, ...]


class StoreWriter:
    """Appends market tables under ``root``; several processes may write at once.

    A correction is a row of the same identity with a later ``known_at``: it wins for whoever looks at or after that
    moment, and nobody else. Appending the same rows again changes nothing: parts are named by their content.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def append(self, kind: Kind, frame: pl.DataFrame) -> Appended:
        """Store ``frame`` (the columns of that kind, in any row order) as one part a partition.

        Naive times are read as UTC. Rows equal in everything count once, except trades and quotes, which may rightly
        repeat. Raises :class:`SchemaError` for columns, :class:`DataError` for values that cannot be stored:
        null symbol or time, NaN or infinity, known before it happened, two values for one thing known at one time.
        """
        data = dataset(kind)
        where = f"append to {self.root}"
        rows = conform(data, frame, where)
        check_values(data, rows, where)
        if not data.repeats:
            rows = rows.unique(maintain_order=True)
            _refuse_contradictions(data, rows, where)
        written = known = 0
        parts = []
        for period, cut in split(data, rows):
            part, new = write_part(self.root, data, period, cut)
            parts.append(part)
            written += cut.height if new else 0
            known += 0 if new else cut.height
        return Appended(written, known, tuple(parts))


def _refuse_contradictions(data: Dataset, rows: pl.DataFrame, where: str) -> None:
    key = [*data.identity, "known_at"]
    if rows.select(key).n_unique() == rows.height:
        return
    row = rows.filter(pl.struct(key).is_duplicated()).row(0, named=True)
    what = ", ".join(f"{name}={row[name]}" for name in data.identity if name != "symbol")
    raise DataError(
        f"{where}, dataset {data.kind}: two values for {what}, known at {row['known_at']}", symbol=row["symbol"]
    )
