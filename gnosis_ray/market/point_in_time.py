"""What was known when: pure functions over indexes and rows, vectorised over symbols and times."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.market.datasets import OCCURRENCE, Dataset

PART = "__part"
"""Column that says which part a row came from."""


def spans(keys: pl.DataFrame) -> pl.DataFrame:
    """The earliest and the latest key of each symbol: ``symbol, first, last``, sorted."""
    return keys.group_by("symbol").agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).sort("symbol")


def latest_snapshots(keys: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    """For each key the latest snapshot known by then: ``symbol, timestamp, event_time``, sorted;
    none for a key without.

    ``index`` is the chains' catalog: one row a symbol, snapshot and known-at. A snapshot that became known late does
    not hide a later one known before it, hence the running maximum.
    """
    known = index.sort("first_known").select(
        "symbol", known_at="first_known", event_time=pl.col("first_event").cum_max().over("symbol")
    )
    return (
        keys.sort("timestamp")
        .join_asof(known, left_on="timestamp", right_on="known_at", by="symbol", check_sortedness=False)
        .filter(pl.col("event_time").is_not_null())
        .select("symbol", "timestamp", "event_time")
        .sort("symbol", "timestamp")
    )


def bar_parts(index: pl.DataFrame, span: pl.DataFrame, lookback: int) -> pl.DataFrame:
    """The rows of a bars catalog whose parts can hold the last ``lookback`` bars known at ``first``, or later ones.

    Counts back from the latest partition; what a partition surely holds for a symbol is the larger of its fullest
    part and its number of different last bars, since parts may repeat each other.
    """
    known = index.join(span, on="symbol").filter(pl.col("first_known") <= pl.col("last"))
    sure = pl.col("last_known") <= pl.col("first")
    counts = (
        known.group_by("symbol", "period")
        .agg(
            pl.max_horizontal(
                pl.col("events").filter(sure).max().fill_null(0), pl.col("last_event").filter(sure).n_unique()
            ).alias("bars")
        )
        .sort("symbol", "period", descending=[False, True])
        .with_columns(later=pl.col("bars").cum_sum().over("symbol") - pl.col("bars"))
        .filter(pl.col("later") < lookback)
    )
    return known.join(counts.select("symbol", "period"), on=["symbol", "period"])


def last_bars(rows: pl.DataFrame, span: pl.DataFrame, lookback: int) -> pl.DataFrame:
    """Of rows known by ``last``, those from the ``lookback``-th bar before ``first`` on.

    Where fewer were known by ``first``, all of them: a late bar of an earlier day may still be among the last ones of a
    later key.
    """
    known = rows.join(span, on="symbol").filter(pl.col("known_at") <= pl.col("last"))
    starts = (
        known.filter(pl.col("known_at") <= pl.col("first"))
        .group_by("symbol")
        .agg(times=pl.col("timestamp").unique())
        .filter(pl.col("times").list.len() >= lookback)
        .with_columns(start=pl.col("times").list.sort(descending=True).list.get(lookback - 1))
        .select("symbol", "start")
    )
    kept = pl.col("start").is_null() | (pl.col("timestamp") >= pl.col("start"))
    return known.join(starts, on="symbol", how="left").filter(kept).drop("start")


def within_windows(rows: pl.DataFrame, keys: pl.DataFrame, window: timedelta) -> pl.DataFrame:
    """Rows that some key of their symbol sees: ``key - window < timestamp <= key`` and ``known_at <= key``.

    The latest key before ``timestamp + window`` decides: no earlier one sees a row that it does not.
    """
    moments = keys.select("symbol", key="timestamp").sort("key")
    return (
        rows.with_columns(end=pl.col("timestamp") + window)
        .sort("end", maintain_order=True)
        .join_asof(
            moments,
            left_on="end",
            right_on="key",
            by="symbol",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .filter(pl.col("key") >= pl.max_horizontal("timestamp", "known_at"))
        .drop("end", "key")
    )


def number_repeats(rows: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    """Rows with their :data:`OCCURRENCE` among equals of their :data:`PART`, where the dataset lets rows repeat."""
    if not data.repeats:
        return rows
    return rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over(*data.identity, PART).alias(OCCURRENCE))


def drop_superseded(rows: pl.DataFrame, data: Dataset, by: str, as_of: str) -> pl.DataFrame:
    """``rows`` without those that a correction known at or before their own ``as_of`` column replaces.

    Corrections known only after ``as_of`` are returned together with what they correct, so that the reader of a panel
    finds for each key what was known by then. ``by`` is a further column that distinguishes rows (the key's
    timestamp), or "". Of rows with the same ``known_at`` the last in order wins, preferring those with a value in an
    optional column.
    """
    identity = [*data.identity, *([OCCURRENCE] if data.repeats else []), *([by] if by else [])]
    needless = [name for name in data.optional_columns if name in rows.columns]
    if needless:
        rows = rows.sort(pl.any_horizontal(pl.col(needless).is_not_null()), maintain_order=True)
    versions = rows.unique([*identity, "known_at"], keep="last", maintain_order=True).sort(
        *identity, "known_at", nulls_last=True
    )
    successor = pl.col("known_at").shift(-1).over(identity)
    return versions.filter(successor.is_null() | (successor > pl.col(as_of)))
