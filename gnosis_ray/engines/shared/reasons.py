"""Comma-separated names, as ``meta__degraded`` and its like hold them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl


def reasons(conditions: Iterable[tuple[pl.Expr, str]], *more: pl.Expr) -> pl.Expr:
    """The names of the conditions that hold, then the texts of ``more`` that are there; null where there is none."""
    return joined([*(pl.when(holds).then(pl.lit(name)) for holds, name in conditions), *more])


def joined(names: Iterable[pl.Expr | str]) -> pl.Expr:
    """The texts that are not null (a string is a column's name), comma-separated; null where all are."""
    text = pl.concat_str(list(names), separator=",", ignore_nulls=True)
    return pl.when(text != "").then(text)
