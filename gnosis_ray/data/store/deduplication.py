"""Which rows of a frame a store holds already, and which are new to it."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gnosis_ray.data.store.catalog import CATALOG, Catalog, PartListing
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.datasets import FEATURES, FETCHED_AT, OCCURRENCE, Dataset
from gnosis_ray.market.point_in_time import drop_superseded

ADJUSTMENT_NOISE = 1e-6
"""Vendors compute adjusted closes anew for each answer, in single precision; a true adjustment moves them by more."""

_FIRST, _LAST, _AS_OF = "__first", "__last", "__as_of"


def unknown_rows(catalog: Catalog, data: Dataset, rows: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Those of ``rows`` (stored columns) that differ from what the store knows at ``as_of``, in their order.

    A row is known where the store has its identity with the same figures. A null in an optional
    column is no difference, and an adjusted close is one only beyond :data:`ADJUSTMENT_NOISE`. Where rows may rightly
    repeat, equal ones come back together if the store has fewer of them: a part counts its own repeats.
    """
    if rows.is_empty():
        return rows
    known = known_rows(catalog, data, rows, as_of)
    if data.repeats:
        return _more_often(data, rows, known)
    figures = [name for name in data.schema if name not in (*data.identity, "known_at")]
    joined = rows.join(
        known.select(*data.identity, *figures, pl.lit(value=True).alias(_AS_OF)),
        on=list(data.identity),
        how="left",
        nulls_equal=True,
        suffix="__known",
        maintain_order="left",
    )
    differs = pl.any_horizontal(pl.col(_AS_OF).is_null(), *(_differs(data, name) for name in figures))
    return joined.filter(differs).select(rows.columns)


def known_rows(catalog: Catalog, data: Dataset, rows: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The rows known at ``as_of`` of the symbols of ``rows``, each in the span of its own events there."""
    event = pl.col(data.event)
    span = rows.group_by("symbol").agg(event.min().alias(_FIRST), event.max().alias(_LAST))
    listing = _listed(catalog, data, rows)
    chosen = listing.index.join(span, on="symbol").filter(
        pl.col("last_event") >= pl.col(_FIRST),
        pl.col("first_event") <= pl.col(_LAST),
        pl.col("first_known") <= as_of,
    )
    found = (
        read_rows(catalog.root, data, listing, chosen)
        .join(span, on="symbol", maintain_order="left")
        .filter(event.is_between(_FIRST, _LAST), pl.col("known_at") <= as_of)
        .with_columns(pl.lit(as_of).alias(_AS_OF))
    )
    return drop_superseded(found, data, by="", as_of=_AS_OF).drop(_FIRST, _LAST, _AS_OF)


def last_measured(catalog: Catalog, rows: pl.DataFrame) -> pl.DataFrame:
    """The history of features on the days and of the symbols of ``rows``: of each moment the value measured last."""
    listing = _listed(catalog, FEATURES, rows)
    chosen = listing.index.join(rows.select("symbol").unique(), on="symbol", how="semi")
    return latest_measurements(read_rows(catalog.root, FEATURES, listing, chosen, FEATURES.stored))


def latest_measurements(rows: pl.DataFrame) -> pl.DataFrame:
    """Of stored rows of features with the same identity and ``known_at`` the one that was measured last."""
    key = [*FEATURES.identity, "known_at"]
    return rows.sort(*key, FETCHED_AT).unique(key, keep="last", maintain_order=True)


def _listed(catalog: Catalog, data: Dataset, rows: pl.DataFrame) -> PartListing:
    event = pl.col(data.event)
    first, last = rows.select(first=data.period_of(event.min()), last=data.period_of(event.max())).row(0)
    try:
        return catalog.listing(data, first, last)
    except NoDataError:  # a store that is yet to be filled
        return PartListing((), pl.DataFrame(schema=CATALOG))


def _differs(data: Dataset, name: str) -> pl.Expr:
    new, old = pl.col(name), pl.col(f"{name}__known")
    if name == "adjusted_close":
        return new.is_not_null() & (old.is_null() | ((new - old).abs() > ADJUSTMENT_NOISE * old.abs()))
    return (new.is_not_null() & new.ne_missing(old)) if name in data.optional else new.ne_missing(old)


def _more_often(data: Dataset, rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    identity = list(data.identity)
    seen = known.group_by(identity).agg(seen=pl.col(OCCURRENCE).max() + 1)
    return (
        rows.with_columns(times=pl.len().over(identity))
        .join(seen, on=identity, how="left", nulls_equal=True, maintain_order="left")
        .filter(pl.col("times") > pl.col("seen").fill_null(0))
        .drop("times", "seen")
    )
