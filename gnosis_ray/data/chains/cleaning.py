"""What a raw chain must be, and what is thrown out of it before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gnosis_ray.data.chains.report import count
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.columns import RAW_CHAIN, UTC_TIME

EXPECTED = pl.Schema({"timestamp": UTC_TIME, **RAW_CHAIN})
"""A raw chain as asked for: ``columns.RAW_CHAIN`` and the as-of ``timestamp``."""

CONTRACT = ["symbol", "timestamp", "expiry", "settlement", "strike", "type"]
"""What names a contract at a moment. On a third Friday an index has an AM- and a PM-settled one at a strike."""

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
class _Findings:
    """``counts`` by reason, for the report; ``bad``: the :data:`_SNAPSHOT` of every impossible row."""

    counts: list[pl.DataFrame] = field(default_factory=list)
    bad: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame, counts: list[pl.DataFrame]) -> None:
        """Impossible rows, each once, and their reasons."""
        self.bad.append(rows.select(_SNAPSHOT))
        self.counts += counts

    def told_in(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with ``bad_rows``: how many impossible rows the snapshot of each had."""
        if not self.bad:
            return rows.with_columns(bad_rows=pl.lit(0, dtype=pl.Int64))
        counted = pl.concat(self.bad).group_by(_SNAPSHOT).agg(bad_rows=pl.len().cast(pl.Int64))
        told = rows.join(counted, on=_SNAPSHOT, how="left", maintain_order="left")
        return told.with_columns(pl.col("bad_rows").fill_null(0))


def clean(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Usable rows sorted by :data:`CONTRACT`, one a contract, impossible figures null; and the counts of the rest.

    ``bad_rows`` says in every row how many of its symbol and moment were dropped or lost a figure.
    """
    found = _Findings()
    rows = check_schema(raw).with_columns(pl.col("settlement").fill_null("PM"))
    rows = _drop(rows, found)
    rows = _null_figures(rows, found)
    rows = _deduplicate(rows.sort(CONTRACT), found)
    return found.told_in(rows), found.counts


def _positive(name: str) -> pl.Expr:
    return (pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(value=False)


def _drop(rows: pl.DataFrame, found: _Findings) -> pl.DataFrame:
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
    dropped = rows.filter(~keep)
    found.add(dropped, [count(dropped, first)])
    return rows.filter(keep)


def _null_figures(rows: pl.DataFrame, found: _Findings) -> pl.DataFrame:
    bad = {name: ~pl.col(name).is_finite() | (pl.col(name) < 0) for name in _FIGURES}
    met = rows.select(condition.any().alias(name) for name, condition in bad.items()).row(0, named=True)
    names = [name for name, any_bad in met.items() if any_bad]
    if not names:
        return rows
    counts = [count(rows.filter(bad[name]), pl.lit(f"bad_{name}")) for name in names]
    found.add(rows.filter(pl.any_horizontal(bad[name] for name in names)), counts)
    return rows.with_columns(pl.when(~bad[name]).then(name).alias(name) for name in names)


def _deduplicate(rows: pl.DataFrame, found: _Findings) -> pl.DataFrame:
    """``rows`` come sorted by contract. Where some are repeated, all columns break the tie, in a fixed order."""
    if not rows.select(_repeats_next().any()).item():
        return rows
    ranked = rows.sort([*CONTRACT, "event_time", "known_at", "underlying_price", *_FIGURES])
    repeated = ranked.select(_repeats_next()).to_series()
    superseded = ranked.filter(repeated)
    found.add(superseded, [count(superseded, pl.lit("duplicate"))])
    return ranked.filter(~repeated)


def _repeats_next() -> pl.Expr:
    return pl.all_horizontal((pl.col(name) == pl.col(name).shift(-1)).fill_null(value=False) for name in CONTRACT)
