"""Rows out of parts: only of the parts and row groups that a catalog chose."""

from __future__ import annotations

from typing import Any

import polars as pl

from gnosis_ray.data.store.catalog import PartListing
from gnosis_ray.errors import DataError
from gnosis_ray.market.datasets import Dataset
from gnosis_ray.market.point_in_time import PART, number_repeats
from gnosis_ray.storage.location import Location, S3Url
from gnosis_ray.storage.object_store import scan_options, short_text


def read_rows(
    root: Location, data: Dataset, listing: PartListing, chosen: pl.DataFrame, schema: pl.Schema | None = None
) -> pl.DataFrame:
    """The rows of the chosen symbols and parts (rows of ``listing.index``), in path order: what engines read of them.

    ``schema``: other columns, of those that are stored.

    A range of symbols is pushed down to the row groups (a batch is a run of the sorted universe); a membership
    test pushed down costs more than the rows it saves, so whatever else lies in the range falls in the joins.
    Raises :class:`DataError` where a part cannot be read.
    """
    wanted = data.schema if schema is None else schema
    if chosen.is_empty():
        return number_repeats(pl.DataFrame(schema={**wanted, PART: pl.String()}), data)
    paths = [str(listing.paths[number]) for number in chosen["part"].unique().sort()]
    in_range = pl.col("symbol").is_between(pl.lit(chosen["symbol"].min()), pl.lit(chosen["symbol"].max()))
    scan = pl.scan_parquet(
        paths,
        hive_partitioning=False,
        schema=wanted,
        missing_columns="insert",
        extra_columns="ignore",
        include_file_paths=PART if data.repeats else None,
        glob=False,
        **_access(root),
    )
    try:
        rows = scan.filter(in_range).collect(engine="in-memory")
    except (OSError, pl.exceptions.PolarsError) as error:
        said = short_text(str(error)) if isinstance(root, S3Url) else error
        raise DataError(f"Cannot read dataset {data.kind} of {root}: {said}", cause=type(error).__name__) from (
            None if isinstance(root, S3Url) else error
        )
    return number_repeats(rows, data)


def may_repeat(chosen: pl.DataFrame) -> bool:
    """True where a thing can have several rows: in one part, or because parts share a symbol and a partition."""
    within = (chosen["rows"] > chosen["events"]).any()
    return bool(within or chosen.select("symbol", "period").is_duplicated().any())


def _access(root: Location) -> dict[str, Any]:
    """How Polars is to reach the parts: credentials are found as :mod:`gnosis_ray.storage.object_store` finds them."""
    if isinstance(root, S3Url):
        return {"storage_options": scan_options(), "credential_provider": None}
    return {}
