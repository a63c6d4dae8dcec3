"""Where a book's net gamma lies: by strike and by expiry, in long form."""

from __future__ import annotations

import polars as pl

GEX_BY_STRIKE, GEX_BY_EXPIRY = "gex_by_strike", "gex_by_expiry"


def gex_breakdown(book: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """``columns.DETAILS``: net dealer gamma in USD per 1% move; each of the two sums to the net over its key.

    ``gex_by_strike``: x is the strike in USD. ``gex_by_expiry``: x is the calendar days from the date of ``timestamp``
    to that of the expiry, a whole number. ``book`` as from :func:`exposure.with_exposures`; ``keys`` name each ``key``.
    """
    signed = book.select("key", "strike", "expiry", value=pl.col("sign") * pl.col("gex"))
    strikes = _totals(signed, pl.col("strike")).with_columns(name=pl.lit(GEX_BY_STRIKE))
    expiries = _totals(signed, pl.col("expiry")).join(keys, on="key", how="left", maintain_order="left")
    days = (pl.col("x") - pl.col("timestamp").dt.date()).dt.total_days().cast(pl.Float64)
    by_days = expiries.select("key", days.alias("x"), "value", name=pl.lit(GEX_BY_EXPIRY))
    named = pl.concat([strikes, by_days]).join(keys, on="key", how="left", maintain_order="left")
    return named.select("symbol", "timestamp", "name", "x", "value")


def _totals(signed: pl.DataFrame, x: pl.Expr) -> pl.DataFrame:
    return signed.group_by("key", x.alias("x"), maintain_order=True).agg(pl.col("value").sum())
