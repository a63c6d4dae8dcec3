"""The only way into the store: rows are appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.deduplication import last_measured, unknown_rows
from gnosis_ray.data.store.part_files import split, write_part
from gnosis_ray.data.store.store_format import state_format
from gnosis_ray.data.store.validation import check_values
from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import FEATURES, FETCHED_AT, Dataset, conform, dataset
from gnosis_ray.schemas.core_schemas import DataKind, to_utc
from gnosis_ray.storage.location import Location, locate
from gnosis_ray.storage.object_store import map_parallel


@dataclass(frozen=True)
class AppendResult:
    """The result of an append: rows in new parts, and rows that the store had already."""

    written: int
    known: int
    parts: tuple[Location, ...]


class StoreWriter:
    """Appends market tables under ``root``, a folder or a prefix of an object store; several processes may write.

    A correction is a row of the same identity with a later ``known_at``: it applies to reads as of that time or
    later, and to no others. Appending the same rows again changes nothing: parts are named by their content. A new
    store states its format with the first append; every append raises :class:`FormatError` for a newer one.
    """

    def __init__(self, root: Location) -> None:
        self.root = locate(root)
        self._catalog = Catalog(self.root)
        self._format_is_stated = False

    def append(self, kind: DataKind, frame: pl.DataFrame) -> AppendResult:
        """Store ``frame`` (the columns of that kind, in any row order) as one part a partition.

        Naive times are read as UTC. Rows equal in everything but ``fetched_at`` count once, as first fetched, except
        trades and quotes, which may rightly repeat. Raises :class:`SchemaError` for columns, :class:`DataError` for
        values that cannot be stored (null symbol or time, NaN or infinity, known before it happened, two values for
        one thing known at one time) and where the object store refuses.
        """
        data = dataset(kind)
        return self._write(data, self._checked(data, frame))

    def append_new(self, kind: DataKind, frame: pl.DataFrame, as_of: datetime) -> AppendResult:
        """Store those rows of ``frame`` that differ from what the store knows at ``as_of``; they are known from then.

        ``frame`` as in :meth:`append`, but its ``known_at`` is replaced by ``as_of``; no event may be later. Rows
        differ by anything but ``known_at`` and ``fetched_at`` (see
        :func:`gnosis_ray.data.store.deduplication.unknown_rows`), so a year of bars fetched every night adds the
        night's bars and corrections. Raises as :meth:`append` does.
        """
        data, known_at = dataset(kind), to_utc(as_of)
        rows = self._checked(data, frame.with_columns(known_at=pl.lit(known_at)))
        new = unknown_rows(self._catalog, data, rows, known_at)
        done = self._write(data, new)
        return AppendResult(done.written, done.known + rows.height - new.height, done.parts)

    def append_features(self, frame: pl.DataFrame) -> AppendResult:
        """Store those rows of ``columns.FEATURE_HISTORY`` whose value differs from the last one measured before.

        ``frame`` may say in ``fetched_at`` when it was measured: of two values for one moment the later one is read.
        Raises as :meth:`append` does.
        """
        rows = self._checked(FEATURES, frame)
        if rows.is_empty():
            return AppendResult(0, 0, ())
        key = [*FEATURES.identity, "known_at"]
        known = last_measured(self._catalog, rows).select(*key, known_value="value")
        compared = rows.join(known, on=key, how="left", maintain_order="left")
        new = compared.filter(pl.col("known_value").ne_missing(pl.col("value"))).select(rows.columns)
        done = self._write(FEATURES, new)
        return AppendResult(done.written, done.known + rows.height - new.height, done.parts)

    def _checked(self, data: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
        where = f"append to {self.root}"
        rows = conform(data, frame, where)
        check_values(data, rows, where)
        if data.repeats or _has_unique_versions(data, rows):
            return rows
        rows = rows.sort(FETCHED_AT, maintain_order=True).unique(
            data.columns_provided.names(), keep="first", maintain_order=True
        )
        _refuse_contradictions(data, rows, where)
        return rows

    def _write(self, data: Dataset, rows: pl.DataFrame) -> AppendResult:
        cuts = list(split(data, rows))
        if cuts and not self._format_is_stated:
            state_format(self.root)
            self._format_is_stated = True

        def write(cut: tuple[str, pl.DataFrame]) -> tuple[Location, bool]:
            return write_part(self.root, data, *cut)

        done = map_parallel(write, cuts)  # most of the time is spent waiting for the store or the disk
        written = sum(cut.height for (_, cut), (_, new) in zip(cuts, done, strict=True) if new)
        return AppendResult(written, rows.height - written, tuple(part for part, _ in done))


def _has_unique_versions(data: Dataset, rows: pl.DataFrame) -> bool:
    """Whether no thing has two rows known at one time; cheaper to see than which rows are equal in everything."""
    return rows.select(*data.identity, "known_at").n_unique() == rows.height


def _refuse_contradictions(data: Dataset, rows: pl.DataFrame, where: str) -> None:
    if _has_unique_versions(data, rows):
        return
    key = [*data.identity, "known_at"]
    row = rows.filter(pl.struct(key).is_duplicated()).row(0, named=True)
    what = ", ".join(f"{name}={row[name]}" for name in data.identity if name != "symbol")
    raise DataError(
        f"{where}, dataset {data.kind}: two values for {what}, known at {row['known_at']}", symbol=row["symbol"]
    )
