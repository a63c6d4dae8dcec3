"""Rows stored several times: duplicates, contradictions, corrections."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gnosis_ray.data.quality.checks import Check
from gnosis_ray.market.datasets import OCCURRENCE, Dataset
from gnosis_ray.market.point_in_time import drop_superseded
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind

_EVENT = {"chains": "event_time"}


def version_checks(kind: DataKind) -> tuple[Check, ...]:
    """Checks of a kind's rows against other rows of the same thing; over :func:`revisions`."""
    event = _EVENT.get(kind, "timestamp")
    return (
        Check(
            kind, "contradiction", "error",
            "two values for one item with one known-at time: which one is read is arbitrary",
            pl.col("contradicts"), (event, "known_at"),
        ),
        Check(
            kind, "duplicate", "note", "stored twice with the same values and the same known-at time, in two parts",
            pl.col("repeats_itself"), (event, "known_at"),
        ),
        Check(
            kind, "corrected", "note", "a later value replaces an earlier one for later as-of times",
            pl.col("corrects"), (event, "known_at"),
        ),
    )  # fmt: skip


VERSION_CHECKS: dict[DataKind, tuple[Check, ...]] = {kind: version_checks(kind) for kind in DATA_KINDS}


def revisions(rows: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    """Stored rows (with their occurrence, where they may repeat), each compared with the version before it."""
    identity = [*data.identity, *([OCCURRENCE] if data.repeats else [])]
    figures = [name for name in data.schema if name not in (*data.identity, "known_at")]
    ordered = rows.sort(*identity, "known_at", *figures)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in identity)
    at_once = pl.col("known_at") == pl.col("known_at").shift(1)
    agree = pl.all_horizontal(pl.lit(value=True), *(_agrees(name, data) for name in figures))
    follows = pl.int_range(pl.len()) > 0
    return ordered.select(
        "symbol",
        data.event,
        "known_at",
        contradicts=follows & same & at_once & ~agree,
        repeats_itself=follows & same & at_once & agree,
        corrects=follows & same & ~at_once & ~agree,
    )


def latest(rows: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    """The version of each row that is read now."""
    moment = rows["known_at"].max()
    if not isinstance(moment, datetime):
        return rows
    return drop_superseded(rows.with_columns(__now=pl.lit(moment)), data, by="", as_of="__now").drop("__now")


def _agrees(name: str, data: Dataset) -> pl.Expr:
    now, before = pl.col(name), pl.col(name).shift(1)
    equal = now.eq_missing(before)
    return equal | now.is_null() | before.is_null() if name in data.optional else equal
