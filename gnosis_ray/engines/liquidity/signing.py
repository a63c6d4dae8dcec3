"""Who was the aggressor of a trade: as given, else by the quote before it, else by the price before it."""

from __future__ import annotations

import polars as pl

GIVEN, MIDPOINT, TICK = "given", "midpoint", "tick"
RULES = (GIVEN, MIDPOINT, TICK)


def signed_trades(trades: pl.DataFrame, states: pl.DataFrame, quote_lag_us: int) -> pl.DataFrame:
    """Add ``sign`` (+1 bought, -1 sold, null unknown) and ``rule`` (one of ``RULES``, null where unsigned).

    Lee, Ready (1991): against the midpoint of the quote that stood ``quote_lag_us`` before the trade; at the midpoint,
    or without a two-sided quote, by the last change of price among the key's own trades. ``trades``: rows of
    :class:`windows.EventTable` in order; ``states``: of :func:`quotes.quote_states`, same keys.
    """
    lagged = trades.with_columns(reference=pl.col("timestamp") - pl.duration(microseconds=quote_lag_us))
    quoted = lagged.with_row_index("place").sort("reference", maintain_order=True)
    quoted = quoted.join_asof(
        states.select("key", "timestamp", "mid").sort("timestamp", maintain_order=True),
        left_on="reference",
        right_on="timestamp",
        by="key",
        check_sortedness=False,
        coalesce=False,
    )
    change = pl.col("price").diff().over("key")
    tick = pl.when(change != 0).then(change.sign()).forward_fill().over("key")
    given = pl.when(pl.col("side") == "buy").then(1.0).when(pl.col("side") == "sell").then(-1.0)
    against = pl.col("price") - pl.col("mid")
    midpoint = pl.when(against != 0).then(against.sign())
    return (
        quoted.sort("place")
        .with_columns(given=given, midpoint=midpoint, tick=tick)
        .with_columns(
            sign=pl.coalesce("given", "midpoint", "tick"),
            rule=pl.coalesce(pl.when(pl.col(rule).is_not_null()).then(pl.lit(rule)) for rule in RULES),
        )
        .select(*trades.columns, "sign", "rule")
    )
