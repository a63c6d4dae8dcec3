"""Validates a raw chain and drops impossible rows before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gnosis_ray.data.chains.report import LoadReport
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.columns import RAW_CHAIN, UTC_TIME

EXPECTED = pl.Schema({"timestamp": UTC_TIME, **RAW_CHAIN})
"""The columns of a raw chain: ``columns.RAW_CHAIN`` and the as-of ``timestamp``."""

CONTRACT = ["symbol", "timestamp", "expiry", "settlement", "strike", "type"]
"""The key of a contract at a timestamp. On a third Friday an index has an AM- and a PM-settled one at a strike."""

_SNAPSHOT = ["symbol", "timestamp"]
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


@dataclass
class _BadRows:
    """``snapshots``: the :data:`_SNAPSHOT` of every impossible row; ``report``, if any, counts their reasons."""

    report: LoadReport | None
    snapshots: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame, *reasons: tuple[pl.Expr, pl.Expr]) -> None:
        """Impossible rows, each once; ``reasons``: which of them, and why."""
        self.snapshots.append(rows.select(_SNAPSHOT))
        if self.report is not None:
            for which, reason in reasons:
                self.report.count(rows.filter(which), reason)

    def counted_in(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with ``bad_rows``: how many impossible rows the snapshot of each had."""
        if not self.snapshots:
            return rows.with_columns(bad_rows=pl.lit(0, dtype=pl.Int64))
        counted = pl.concat(self.snapshots).group_by(_SNAPSHOT).agg(bad_rows=pl.len().cast(pl.Int64))
        joined = rows.join(counted, on=_SNAPSHOT, how="left", maintain_order="left")
        return joined.with_columns(pl.col("bad_rows").fill_null(0))


def clean(raw: pl.DataFrame, report: LoadReport | None = None) -> pl.DataFrame:
    """Usable rows sorted by :data:`CONTRACT`, one per contract, impossible figures null; ``report`` counts the rest.

    ``bad_rows`` of each row is how many rows of its symbol and timestamp were dropped or lost a figure.
    """
    bad = _BadRows(report)
    rows = check_schema(raw).with_columns(pl.col("settlement").fill_null("PM"))
    rows = _drop(rows, bad)
    rows = _null_figures(rows, bad)
    rows = _deduplicate(rows.sort(CONTRACT), bad)
    return bad.counted_in(rows)


def _positive(name: str) -> pl.Expr:
    return (pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(value=False)


def _drop(rows: pl.DataFrame, bad: _BadRows) -> pl.DataFrame:
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
        return rows
    first = pl.coalesce(*(pl.when(~condition).then(pl.lit(reason)) for reason, condition in good.items()))
    bad.add(rows.filter(~keep), (pl.lit(value=True), first))
    return rows.filter(keep)


def _null_figures(rows: pl.DataFrame, bad: _BadRows) -> pl.DataFrame:
    wrong = {name: ~pl.col(name).is_finite() | (pl.col(name) < 0) for name in _FIGURES}
    met = rows.select(condition.any().alias(name) for name, condition in wrong.items()).row(0, named=True)
    names = [name for name, any_bad in met.items() if any_bad]
    if not names:
        return rows
    reasons = ((wrong[name], pl.lit(f"bad_{name}")) for name in names)
    bad.add(rows.filter(pl.any_horizontal(wrong[name] for name in names)), *reasons)
    return rows.with_columns(pl.when(~wrong[name]).then(name).alias(name) for name in names)


def _deduplicate(rows: pl.DataFrame, bad: _BadRows) -> pl.DataFrame:
    """``rows`` come sorted by contract. Where some are repeated, all columns break the tie, in a fixed order."""
    if not rows.select(_repeats_next().any()).item():
        return rows
    ranked = rows.sort([*CONTRACT, "event_time", "known_at", "underlying_price", *_FIGURES])
    repeated = ranked.select(_repeats_next()).to_series()
    bad.add(ranked.filter(repeated), (pl.lit(value=True), pl.lit("duplicate")))
    return ranked.filter(~repeated)


def _repeats_next() -> pl.Expr:
    return pl.all_horizontal((pl.col(name) == pl.col(name).shift(-1)).fill_null(value=False) for name in CONTRACT)
