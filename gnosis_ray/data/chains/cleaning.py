"""What a raw chain must be, and what is thrown out of it before anything is computed."""

from __future__ import annotations

import polars as pl

from gnosis_ray.data.chains.report import count
from gnosis_ray.engines.inputs.columns import RAW_CHAIN, UTC_TIME
from gnosis_ray.errors import SchemaError

EXPECTED = pl.Schema({"timestamp": UTC_TIME, **RAW_CHAIN})
"""A raw chain as asked for: ``columns.RAW_CHAIN`` and the as-of ``timestamp``."""

CONTRACT = ["symbol", "timestamp", "expiry", "settlement", "strike", "type"]
"""What names a contract at a moment. On a third Friday an index has an AM- and a PM-settled one at a strike."""

_IDENTITY = ["symbol", "timestamp", "event_time", "known_at", "expiry"]
_FIGURES = ["bid", "ask", "last", "volume", "open_interest", "vendor_iv"]


def check_schema(raw: pl.DataFrame) -> pl.DataFrame:
    """The columns of :data:`EXPECTED`. Raises :class:`SchemaError` naming column, expected and found type."""
    for name, expected in EXPECTED.items():
        found = raw.schema.get(name)
        if found != expected:
            was = "absent" if found is None else str(found)
            raise SchemaError(f"Chain column '{name}': Expected {expected}, was {was}")
    return raw.select(EXPECTED.names())


def clean(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Usable rows sorted by :data:`CONTRACT`, one a contract, impossible figures null; and the counts of the rest."""
    rows = check_schema(raw).with_columns(pl.col("settlement").fill_null("PM"))
    rows, dropped = _drop(rows)
    rows, nulled = _null_figures(rows)
    rows, repeated = _deduplicate(rows.sort(CONTRACT))
    return rows, [*dropped, *nulled, *repeated]


def _positive(name: str) -> pl.Expr:
    return (pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(value=False)


def _drop(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    good = {
        "missing_identity": pl.all_horizontal(pl.col(_IDENTITY).is_not_null()),
        "unknown_type": ((pl.col("type") == "C") | (pl.col("type") == "P")).fill_null(value=False),
        "unknown_settlement": (pl.col("settlement") == "PM") | (pl.col("settlement") == "AM"),
        "bad_strike": _positive("strike"),
        "bad_underlying": _positive("underlying_price"),
        "known_later": (pl.col("known_at") <= pl.col("timestamp")).fill_null(value=False),
    }
    keep = rows.select(pl.all_horizontal(*good.values())).to_series()
    if keep.all():
        return rows, []
    first = pl.coalesce(*(pl.when(~condition).then(pl.lit(reason)) for reason, condition in good.items()))
    return rows.filter(keep), [count(rows.filter(~keep), first)]


def _null_figures(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    bad = {name: ~pl.col(name).is_finite() | (pl.col(name) < 0) for name in _FIGURES}
    met = rows.select(condition.any().alias(name) for name, condition in bad.items()).row(0, named=True)
    names = [name for name, any_bad in met.items() if any_bad]
    counts = [count(rows.filter(bad[name]), pl.lit(f"bad_{name}")) for name in names]
    return rows.with_columns(pl.when(~bad[name]).then(name).alias(name) for name in names), counts


def _deduplicate(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``rows`` come sorted by contract. Where some are repeated, all columns break the tie, in a fixed order."""
    if not rows.select(_repeats_next().any()).item():
        return rows, []
    ranked = rows.sort([*CONTRACT, "event_time", "known_at", "underlying_price", *_FIGURES])
    repeated = ranked.select(_repeats_next()).to_series()
    return ranked.filter(~repeated), [count(ranked.filter(repeated), pl.lit("duplicate"))]


def _repeats_next() -> pl.Expr:
    return pl.all_horizontal((pl.col(name) == pl.col(name).shift(-1)).fill_null(value=False) for name in CONTRACT)
