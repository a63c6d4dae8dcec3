"""The only way into the store: rows are appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from gnosis_ray.data.store.catalog import Catalog
from gnosis_ray.data.store.deduplication import ComparedRows, compare_with_store, last_measured
from gnosis_ray.data.store.part_files import data_errors, split, write_part
from gnosis_ray.data.store.store_format import state_format
from gnosis_ray.data.store.validation import check_values
from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import FEATURES, FETCHED_AT, Dataset, conform, dataset
from gnosis_ray.schemas.core_schemas import DataKind, to_utc
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location, locate


@dataclass(frozen=True)
class AppendResult:
    """The result of an append: rows in new parts, and rows that the store had already.

    ``contradicting``: identity and ``known_at`` of rows that were left out, as the store has other figures for them.
    """

    written: int
    known: int
    parts: tuple[Location, ...]
    contradicting: pl.DataFrame = field(default_factory=pl.DataFrame)


class StoreWriter:
    """Appends market tables under ``root``, a folder or a prefix of an object store; several processes may write.

    A correction is a row of the same identity with a later ``known_at``: it applies to reads as of that time or
    later, and to no others. Appending rows that the store has changes nothing, whatever file or vendor told them. A new
    store states its format with the first append; every append raises :class:`FormatError` for a newer one.
    """

    def __init__(self, root: Location) -> None:
        self.root = locate(root)
        self._catalog = Catalog(self.root)
        self._format_is_stated = False

    def append(self, kind: DataKind, frame: pl.DataFrame, *, leave_out_contradicting: bool = False) -> AppendResult:
        """Store those rows of ``frame`` (the columns of that kind, in any row order) that the store does not have.

        Naive times are read as UTC. Rows equal in everything but ``fetched_at`` count once, as first fetched, except
        trades and quotes, which may rightly repeat; a row is known where the version that stood at its ``known_at`` has
        the same figures (:func:`gnosis_ray.data.store.deduplication.compare_with_store`). Raises :class:`SchemaError`
        for columns, :class:`DataError` for values that cannot be stored (null symbol or time, NaN or infinity, known
        before it happened, two values for one thing known at one time) and where the object store refuses.
        ``leave_out_contradicting``: a row that contradicts a stored one is left out instead, and named in the result.
        """
        data = dataset(kind)
        rows = self._checked(data, frame)
        compared = compare_with_store(self._catalog, data, rows, with_vendor_columns=True)
        if not leave_out_contradicting:
            _refuse(data, compared.contradicting, f"append to {self.root}", "another value than the store has")
        return self._append(data, rows, compared)

    def append_new(self, kind: DataKind, frame: pl.DataFrame, as_of: datetime) -> AppendResult:
        """Store those rows of ``frame`` that differ from what the store knows at ``as_of``; they are known from then.

        ``frame`` as in :meth:`append`, but its ``known_at`` is replaced by ``as_of``; no event may be later. A vendor's
        own figures alone make no row new, so a year of bars fetched every night adds the night's bars and corrections.
        A row of which the store has another value known at just ``as_of`` is left out. Raises as :meth:`append` does.
        """
        data, known_at = dataset(kind), to_utc(as_of)
        rows = self._checked(data, frame.with_columns(known_at=pl.lit(known_at)))
        compared = compare_with_store(self._catalog, data, rows, with_vendor_columns=False)
        return self._append(data, rows, compared)

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
        self._keep(FEATURES, rows, new)
        return AppendResult(done.written, done.known + rows.height - new.height, done.parts)

    def _append(self, data: Dataset, rows: pl.DataFrame, compared: ComparedRows) -> AppendResult:
        done = self._write(data, compared.new)
        self._keep(data, rows, compared.new)
        left_out = compared.contradicting.select(*data.identity, "known_at")
        known = done.known + rows.height - compared.new.height - left_out.height
        return AppendResult(done.written, known, done.parts, left_out)

    def _checked(self, data: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
        where = f"append to {self.root}"
        rows = conform(data, frame, where)
        check_values(data, rows, where)
        if data.repeats or _has_unique_versions(data, rows):
            return rows
        rows = rows.sort(FETCHED_AT, maintain_order=True).unique(
            data.columns_provided.names(), keep="first", maintain_order=True
        )
        twice = rows.filter(pl.struct(*data.identity, "known_at").is_duplicated())
        _refuse(data, twice, where, "two values")
        return rows

    def _keep(self, data: Dataset, rows: pl.DataFrame, new: pl.DataFrame) -> None:
        """Make durable what holds the rows that were there already: its writer may have died before it could."""
        if new.height < rows.height:
            backend = open_backend(self.root)
            periods = rows.select(data.period_of(pl.col(data.event)).unique().sort()).to_series()
            folders = [f"{data.kind}/{data.period}={period}" for period in periods]
            with data_errors(self.root):
                backend.map_waiting(backend.make_durable, folders)

    def _write(self, data: Dataset, rows: pl.DataFrame) -> AppendResult:
        cuts = list(split(data, rows))
        if cuts and not self._format_is_stated:
            state_format(self.root)
            self._format_is_stated = True

        def write(cut: tuple[str, pl.DataFrame]) -> tuple[Location, bool]:
            return write_part(self.root, data, *cut)

        done = open_backend(self.root).map_waiting(write, cuts)
        written = sum(cut.height for (_, cut), (_, new) in zip(cuts, done, strict=True) if new)
        return AppendResult(written, rows.height - written, tuple(part for part, _ in done))


def _has_unique_versions(data: Dataset, rows: pl.DataFrame) -> bool:
    """Whether no thing has two rows known at one time; cheaper to see than which rows are equal in everything."""
    return rows.select(*data.identity, "known_at").n_unique() == rows.height


def _refuse(data: Dataset, rows: pl.DataFrame, where: str, fault: str) -> None:
    """Raise :class:`DataError` that names the first of ``rows``; nothing where there is none."""
    if rows.is_empty():
        return
    row = rows.row(0, named=True)
    what = ", ".join(f"{name}={row[name]}" for name in data.identity if name != "symbol")
    raise DataError(
        f"{where}, dataset {data.kind}: {fault} for {what}, known at {row['known_at']}", symbol=row["symbol"]
    )
