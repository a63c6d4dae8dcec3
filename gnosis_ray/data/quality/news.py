"""News of a day."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.config import NewsQuality
from gnosis_ray.data.quality.checks import Check, Severity


def news_checks(limits: NewsQuality) -> tuple[Check, ...]:
    """Checks of news; over :func:`news`."""

    def check(name: str, severity: Severity, doc: str, when: pl.Expr, *shows: str) -> Check:
        return Check("news", name, severity, doc, when, ("timestamp", *shows))

    late = pl.col("known_at") - pl.col("timestamp") > timedelta(hours=limits.late_hours)
    return (
        check("no headline", "error", "the headline is empty",
              pl.col("headline").fill_null("").str.strip_chars() == "", "source"),
        check("repeated headline", "note", "the same headline of the symbol, earlier that day",
              pl.col("again"), "headline"),
        check("known late", "note",
              f"more than {limits.late_hours:g} hours after it was published: no reader knew it then",
              late, "known_at"),
        check("source unknown", "note", "no source is named", pl.col("source").is_null(), "headline"),
    )  # fmt: skip


def news(rows: pl.DataFrame) -> pl.DataFrame:
    """A day's items, in order, with whether each repeats an earlier headline."""
    ordered = rows.sort("symbol", "timestamp", maintain_order=True)
    day = pl.col("timestamp").dt.date()
    return ordered.with_columns(
        again=~pl.struct("symbol", day, pl.col("headline").str.to_lowercase()).is_first_distinct()
    )
