"""Symbols over the whole store, from the parts' own indexes: no row is read."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import BarQuality
from gnosis_ray.data.quality.checks import Check
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.symbols import is_pair
from gnosis_ray.schemas.core_schemas import DataKind


def name_checks(limits: BarQuality) -> dict[DataKind, tuple[Check, ...]]:
    """Checks of symbols by kind; over :func:`names` of it."""
    return {
        "chains": (
            Check(
                "chains", "no bars", "warning", "the symbol has chains and no daily bar: no volatility, no momentum",
                pl.when(pl.col("bars") == 0).then("rows"), ("rows",), pl.col("rows"),
            ),
            Check(
                "chains", "behind its bars", "warning",
                "the last bar is of a later session than the quotes of the last snapshot: their prices do not compare",
                pl.when(pl.col("bars_ahead") > 0).then("rows"), ("last_event", "last_bar"), pl.col("rows"),
            ),
        ),
        "bars": (
            Check(
                "bars", "short history", "warning", f"fewer than {limits.min_history} bars of the symbol",
                pl.when(pl.col("held") < limits.min_history).then("held"), ("held",), pl.col("held"),
            ),
            Check(
                "bars", "history ends early", "note",
                f"more than {limits.max_sessions_behind} sessions before the last bar of the store",
                pl.when(pl.col("behind") > limits.max_sessions_behind).then("rows"), ("last_event", "behind"),
                pl.col("rows"),
            ),
        ),
    }  # fmt: skip


def names(index: pl.DataFrame, bars: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """One row per symbol of a kind's ``index`` (a catalog): its rows, its bars, and how recent its last event is.

    ``held``: its rows, of a share not more than the sessions that they span: what was corrected has several.
    """
    made = (
        index.group_by("symbol")
        .agg(pl.col("rows").sum().cast(pl.Int64), pl.col("first_event").min(), pl.col("last_event").max())
        .join(
            bars.group_by("symbol").agg(bars=pl.col("rows").sum(), last_bar=pl.col("last_event").max()),
            on="symbol",
            how="left",
        )
        .with_columns(pl.col("bars").fill_null(0))
        .sort("symbol")
    )
    numbers = calendar.session_number(moments_of(made["last_event"]))
    barred = calendar.session_number(moments_of(made["last_bar"].fill_null(strategy="zero")))
    spanned = pl.Series(numbers - calendar.session_number(moments_of(made["first_event"])) + 1)
    # pairs are traded on days that are no sessions as well
    pairs = pl.Series([is_pair(symbol) for symbol in made["symbol"]], dtype=pl.Boolean)
    return made.with_columns(
        held=pl.when(pairs).then("rows").otherwise(pl.min_horizontal("rows", spanned)),
        behind=pl.Series(numbers.max(initial=0) - numbers),
        bars_ahead=pl.when(pl.col("last_bar").is_not_null()).then(pl.Series(barred - numbers)),
    )
