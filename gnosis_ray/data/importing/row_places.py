"""Where a row of a source file stands, and what is wrong with it as a row, before any of its columns is read."""

from __future__ import annotations

from typing import Literal

import polars as pl

FILE, LINE, PLACE, FAULT = "__file", "__line", "__place", "__fault"
"""The file below the folder; the number of the line or row, from 1; whether it is a line; its fault."""

PLACE_COLUMNS = (FILE, LINE, PLACE, FAULT)

SURPLUS_CELLS = "more cells than the header has columns"
NO_OBJECT = "no JSON object"
KEY_TWICE = "a key stands twice"
ROW_FAULTS = (SURPLUS_CELLS, NO_OBJECT, KEY_TWICE)


def placed(rows: pl.DataFrame, what: Literal["line", "row"], first: int) -> pl.DataFrame:
    """``rows`` with their place; :data:`LINE`, where they have it, counts from 0 before ``first``."""
    if LINE not in rows.columns:
        rows = rows.with_row_index(LINE)
    if FAULT not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(FAULT))
    return rows.with_columns(pl.col(LINE).cast(pl.UInt32) + first, pl.lit(what == "line").alias(PLACE))


def place_text() -> pl.Expr:
    """``bars.csv, line 4`` of each row."""
    what = pl.when(pl.col(PLACE)).then(pl.lit("line")).otherwise(pl.lit("row"))
    return pl.format("{}, {} {}", pl.col(FILE).cast(pl.String), what, pl.col(LINE))
