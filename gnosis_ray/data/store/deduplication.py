"""Which rows of a frame a store holds already, which are new to it, and which contradict it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from gnosis_ray.data.store.catalog import CATALOG, Catalog, PartListing
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.datasets import FEATURES, FETCHED_AT, OCCURRENCE, Dataset

ADJUSTMENT_NOISE = 1e-6
"""Vendors compute adjusted closes anew for each answer, in single precision; a true adjustment moves them by more."""

_FIRST, _LAST, _ROW, _STORED = "__first", "__last", "__row", "__stored"


@dataclass(frozen=True)
class ComparedRows:
    """Rows in their order, split by what the store has: those ``new`` to it, and those ``contradicting`` it.

    The others it knows. A contradicting row has the identity and the ``known_at`` of a stored row, and other figures.
    """

    new: pl.DataFrame
    contradicting: pl.DataFrame


def compare_with_store(
    catalog: Catalog, data: Dataset, rows: pl.DataFrame, *, with_vendor_columns: bool
) -> ComparedRows:
    """``rows`` (stored columns, each identity and ``known_at`` once) against what the store knew at their ``known_at``.

    A row is known where the latest version of its identity until then has the same figures, whatever file or vendor it
    came from. A null in an optional column is no difference, and an adjusted close is one only beyond
    :data:`ADJUSTMENT_NOISE`. ``with_vendor_columns``: a vendor's own figure that the store lacks makes a row new.
    Where rows may rightly repeat, equal ones are new together if the store has fewer of them: a part counts its own
    repeats.
    """
    if rows.is_empty():
        return ComparedRows(rows, rows)
    extra = data.vendor_columns if with_vendor_columns else ()
    stored = _stored_rows(catalog, data, rows, extra)
    if stored.is_empty():
        return ComparedRows(rows, rows.clear())
    if data.repeats:
        return ComparedRows(_more_often(data, rows, stored), rows.clear())
    return _split(data, rows, stored, extra)


def _split(data: Dataset, rows: pl.DataFrame, stored: pl.DataFrame, extra: Iterable[str]) -> ComparedRows:
    figures = [name for name in data.schema if name not in (*data.identity, "known_at")]
    numbered = rows.with_row_index(_ROW)
    stood_at = pl.col(f"known_at{_STORED}")
    in_effect = numbered.join(
        stored.rename({name: f"{name}{_STORED}" for name in stored.columns if name not in data.identity}),
        on=list(data.identity),
        nulls_equal=True,
    ).filter(
        stood_at <= pl.col("known_at"), stood_at == stood_at.filter(stood_at <= pl.col("known_at")).max().over(_ROW)
    )
    differs = pl.any_horizontal(pl.lit(value=False), *(_differs(data, name) for name in figures))
    lacks = pl.any_horizontal(pl.lit(value=False), *(_lacks(name) for name in extra))
    verdicts = in_effect.group_by(_ROW).agg(
        known=(~differs & ~lacks).any(),
        contradicted=((stood_at == pl.col("known_at")) & _contradicts(data, figures)).any(),
    )
    contradicts = verdicts.filter(pl.col("contradicted") & ~pl.col("known")).select(_ROW)
    seen = verdicts.filter(pl.col("known")).select(_ROW)
    new = numbered.join(pl.concat([seen, contradicts]), on=_ROW, how="anti", maintain_order="left")
    contradicting = numbered.join(contradicts, on=_ROW, how="semi", maintain_order="left")
    return ComparedRows(new.drop(_ROW), contradicting.drop(_ROW))


def last_measured(catalog: Catalog, rows: pl.DataFrame) -> pl.DataFrame:
    """The history of features on the days and of the symbols of ``rows``: of each moment the value measured last."""
    listing = _listed(catalog, FEATURES, rows)
    chosen = listing.index.join(rows.select("symbol").unique(), on="symbol", how="semi")
    return latest_measurements(read_rows(catalog.root, FEATURES, listing, chosen, FEATURES.stored))


def latest_measurements(rows: pl.DataFrame) -> pl.DataFrame:
    """Of stored rows of features with the same identity and ``known_at`` the one that was measured last."""
    key = [*FEATURES.identity, "known_at"]
    return rows.sort(*key, FETCHED_AT).unique(key, keep="last", maintain_order=True)


def _stored_rows(catalog: Catalog, data: Dataset, rows: pl.DataFrame, extra: Iterable[str]) -> pl.DataFrame:
    """Every version of the symbols of ``rows``, each in the span of its own events there."""
    event = pl.col(data.event)
    span = rows.group_by("symbol").agg(
        event.min().alias(_FIRST), event.max().alias(_LAST), last_known=pl.col("known_at").max()
    )
    listing = _listed(catalog, data, rows)
    chosen = listing.index.join(span, on="symbol", suffix="_asked").filter(
        pl.col("last_event") >= pl.col(_FIRST),
        pl.col("first_event") <= pl.col(_LAST),
        pl.col("first_known") <= pl.col("last_known_asked"),
    )
    wanted = pl.Schema({**data.schema, **dict.fromkeys(extra, pl.Float64())})
    found = read_rows(catalog.root, data, listing, chosen, wanted)
    return (
        found.join(span.drop("last_known"), on="symbol", maintain_order="left")
        .filter(event.is_between(_FIRST, _LAST))
        .drop(_FIRST, _LAST)
    )


def _listed(catalog: Catalog, data: Dataset, rows: pl.DataFrame) -> PartListing:
    event = pl.col(data.event)
    first, last = rows.select(first=data.period_of(event.min()), last=data.period_of(event.max())).row(0)
    try:
        return catalog.listing(data, first, last)
    except NoDataError:  # a store that is yet to be filled
        return PartListing((), pl.DataFrame(schema=CATALOG))


def _differs(data: Dataset, name: str) -> pl.Expr:
    """Whether the new row says of a figure what the stored row does not."""
    new, old = pl.col(name), pl.col(f"{name}{_STORED}")
    if name not in data.optional:
        return new.ne_missing(old)
    return new.is_not_null() & (old.is_null() | _disagrees(name))


def _contradicts(data: Dataset, figures: Iterable[str]) -> pl.Expr:
    """Whether both rows say something of a figure, and not the same; a required figure is always said."""
    told = [
        _disagrees(name).fill_null(value=False)
        if name in data.optional
        else pl.col(name).ne_missing(pl.col(f"{name}{_STORED}"))
        for name in figures
    ]
    return pl.any_horizontal(pl.lit(value=False), *told)


def _disagrees(name: str) -> pl.Expr:
    new, old = pl.col(name), pl.col(f"{name}{_STORED}")
    return (new - old).abs() > ADJUSTMENT_NOISE * old.abs() if name == "adjusted_close" else new != old


def _lacks(name: str) -> pl.Expr:
    return pl.col(name).is_not_null() & pl.col(f"{name}{_STORED}").is_null()


def _more_often(data: Dataset, rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    identity, key = list(data.identity), [*data.identity, "known_at"]
    seen = (
        rows.select(key)
        .unique()
        .join(stored.select(*identity, OCCURRENCE, stood_at="known_at"), on=identity, nulls_equal=True)
        .filter(pl.col("stood_at") <= pl.col("known_at"))
        .group_by(key)
        .agg(seen=pl.col(OCCURRENCE).max() + 1)
    )
    return (
        rows.with_columns(times=pl.len().over(key))
        .join(seen, on=key, how="left", nulls_equal=True, maintain_order="left")
        .filter(pl.col("times") > pl.col("seen").fill_null(0))
        .drop("times", "seen")
    )
