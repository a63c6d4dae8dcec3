"""The rows of a provider's response: validated before they are cached, filtered and sorted when they are served."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gnosis_ray.data.store.validation import check_values
from gnosis_ray.errors import DataError, ProviderError, SchemaError
from gnosis_ray.market.columns import FREE_TEXTS, UTC_TIME, plain_texts
from gnosis_ray.market.datasets import DATASETS, conform
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.gateway.response_cache import response_schema
from gnosis_ray.vendors.providers.base import ProviderRequest


def validated(frame: pl.DataFrame, request: ProviderRequest, vendor: str, max_rows: int) -> pl.DataFrame:
    """The rows of a response as the store will take them, sorted, its texts without control characters.

    Raises :class:`SchemaError` for other columns, types or symbols than were requested, :class:`DataError` for values
    that cannot be stored and for two rows that contradict each other, :class:`ProviderError` for more than ``max_rows``
    (``gateway.max_rows``).
    """
    data, where = DATASETS[request.kind], f"answer of {vendor}"
    if frame.height > max_rows:
        raise ProviderError(
            f"{where}, dataset {data.kind}: {frame.height:,} rows, more than gateway.max_rows ({max_rows:,})",
            symbol=request.symbol,
        )
    whole = conform(
        data, plain_texts(frame, FREE_TEXTS).with_columns(known_at=pl.lit(request.until, dtype=UTC_TIME)), where
    )
    check_values(data, whole.with_columns(known_at=pl.max_horizontal("known_at", data.event)), where)
    others = whole.filter(pl.col("symbol") != request.symbol)["symbol"]
    if others.len():
        raise SchemaError(f"{where}, dataset {data.kind}: Expected rows of {request.symbol}, found {others[0][:40]}")
    rows = whole.select(response_schema(request.kind).names())
    if not data.repeats:
        rows = rows.unique()
        twice = rows.select(data.identity).is_duplicated()
        if twice.any():
            row = rows.filter(twice).row(0, named=True)
            what = ", ".join(f"{name}={row[name]}" for name in data.identity if name != "symbol")
            raise DataError(f"{where}, dataset {data.kind}: two rows for {what}", symbol=request.symbol)
    return ordered(rows, request.kind)


def known_by(rows: pl.DataFrame, kind: DataKind, fetched_at: datetime, as_of: datetime) -> pl.DataFrame:
    """The rows of events up to ``as_of``; of bars only those whose session was over when they were fetched.

    A bar of a session that was still trading is not complete, however late it is read.
    """
    event = pl.col(DATASETS[kind].event)
    return rows.filter(event <= (min(fetched_at, as_of) if kind == "bars" else as_of))


def ordered(rows: pl.DataFrame, kind: DataKind) -> pl.DataFrame:
    """Sorted by what identifies a row, then by all other columns: a fixed order, independent of arrival."""
    first = DATASETS[kind].identity
    return rows.sort(*first, *(name for name in rows.columns if name not in first), nulls_last=True)
