"""Rows out of parts: only of the parts and row groups that a catalog chose."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gnosis_ray.data.store.catalog import PartListing
from gnosis_ray.data.store.part_files import require_unchanged
from gnosis_ray.errors import IntegrityError, ResourceError
from gnosis_ray.market.datasets import Dataset
from gnosis_ray.market.point_in_time import PART, number_repeats
from gnosis_ray.storage.backend import open_backend
from gnosis_ray.storage.location import Location
from gnosis_ray.storage.parquet import parquet_errors


def read_rows(
    root: Location,
    data: Dataset,
    listing: PartListing,
    chosen: pl.DataFrame,
    schema: pl.Schema | None = None,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    """The rows of the chosen symbols and parts (rows of ``listing.index``), in path order: what engines read of them.

    ``schema``: other columns, of those that are stored. ``where``: the only rows to read, decided while they are.

    A range of symbols is pushed down to the row groups (a batch is a run of the sorted universe); a membership
    test pushed down costs more than the rows it saves, so the joins drop whatever else is in the range.
    Raises :class:`ResourceError` where there is no way to a part, :class:`IntegrityError` where it is not what was
    written.
    """
    backend, wanted = open_backend(root), data.schema if schema is None else schema
    if chosen.is_empty():
        return number_repeats(pl.DataFrame(schema={**wanted, PART: pl.String()}), data)
    paths = [listing.paths[number] for number in chosen["part"].unique().sort()]
    in_range = pl.col("symbol").is_between(pl.lit(chosen["symbol"].min()), pl.lit(chosen["symbol"].max()))
    try:
        require_unchanged(paths)
        scan = pl.scan_parquet(
            backend.scan_sources([f"{data.kind}/{path.parent.name}/{path.name}" for path in paths]),
            hive_partitioning=False,
            schema=wanted,
            missing_columns="insert",
            extra_columns="ignore",
            include_file_paths=PART if data.repeats else None,
            glob=False,
            **backend.scan_arguments(),
        )
        with parquet_errors():
            rows = scan.filter(in_range if where is None else in_range & where).collect(engine="in-memory")
    except (OSError, pl.exceptions.PolarsError) as error:
        # not chained: the text of a bucket's error can hold the whole answer of the store
        text = f"Cannot read dataset {data.kind} of {root}: {backend.error_text(error)}"
        gone = isinstance(error, FileNotFoundError)
        damaged = gone or (isinstance(root, Path) and not isinstance(error, OSError))  # a bucket may be out of reach
        raise (IntegrityError if damaged else ResourceError)(text, cause=type(error).__name__) from None
    return number_repeats(rows, data)


def may_repeat(chosen: pl.DataFrame) -> bool:
    """True where a thing can have several rows: in one part, or because parts share a symbol and a partition."""
    within = (chosen["rows"] > chosen["events"]).any()
    return bool(within or chosen.select("symbol", "period").is_duplicated().any())
