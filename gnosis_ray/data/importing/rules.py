"""The rules that refuse, blank or note rows: one declarative table per dataset, over the target's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from gnosis_ray.market.datasets import VENDOR_GREEKS
from gnosis_ray.schemas.core_schemas import DataKind

Action = Literal["refuse", "blank", "note"]

EXPIRED = "expired"
"""Derived column: the contract had expired when the snapshot was taken."""
SESSION = "session"
"""Derived column: the row's date is a session of the calendar (true where none is needed)."""
ROOT_KNOWN = "root_known"
"""Derived column: the contract's root is the symbol's own, so it delivers 100 shares."""
WAS_NAIVE = "was_naive"
"""Derived column: the source time had no zone."""

FLAGGED = "flagged"
"""Derived column: the source itself marks the row as unreliable."""


@dataclass(frozen=True)
class Rule:
    """``refuse`` drops the row, ``blank`` makes the column null, ``note`` only counts. A null condition is false."""

    column: str
    reason: str
    action: Action
    when: pl.Expr


def _no_number(column: str) -> pl.Expr:
    return pl.col(column).is_null() | ~pl.col(column).is_finite()


def _positive(column: str) -> tuple[Rule, ...]:
    return (
        Rule(column, "not a number", "refuse", _no_number(column)),
        Rule(column, "not positive", "refuse", pl.col(column) <= 0),
    )


def _optional(column: str) -> tuple[Rule, ...]:
    """An optional figure: unusable values become null."""
    return (
        Rule(column, "not a number", "blank", ~pl.col(column).is_finite()),
        Rule(column, "negative", "blank", pl.col(column) < 0),
    )


def _dated(event: str) -> tuple[Rule, ...]:
    return (
        Rule("symbol", "no symbol or an impossible one", "refuse", pl.col("symbol").is_null()),
        Rule(event, "flagged by its source", "refuse", pl.col(FLAGGED)),
        Rule(event, "unreadable time", "refuse", pl.col(event).is_null()),
        Rule(event, "no session on that date", "refuse", ~pl.col(SESSION)),
        Rule("known_at", "unreadable time", "refuse", pl.col("known_at").is_null()),
        Rule("known_at", "known before it happened", "refuse", pl.col("known_at") < pl.col(event)),
        Rule(event, "naive time read as UTC", "note", pl.col(WAS_NAIVE)),
    )


_CROSSED = Rule("ask", "crossed: ask below bid", "note", (pl.col("bid") > pl.col("ask")) & (pl.col("ask") > 0))

CHAINS = (
    *_dated("event_time"),
    Rule("expiry", "unreadable date", "refuse", pl.col("expiry").is_null()),
    Rule("expiry", "expired before the snapshot", "refuse", pl.col(EXPIRED)),
    *_positive("strike"),
    Rule("type", "unknown side", "refuse", pl.col("type").is_null() | ~pl.col("type").is_in(["C", "P"])),
    *_positive("underlying_price"),
    Rule("settlement", "unknown settlement", "refuse", ~pl.col("settlement").is_in(["AM", "PM"]).fill_null(False)),
    Rule("settlement", "adjusted contract: the root is not the symbol's", "refuse", ~pl.col(ROOT_KNOWN)),
    *_optional("bid"),
    *_optional("ask"),
    *_optional("last"),
    *_optional("volume"),
    *_optional("open_interest"),
    *_optional("vendor_iv"),
    *(Rule(name, "not a number", "blank", ~pl.col(name).is_finite()) for name in VENDOR_GREEKS),
    _CROSSED,
)

BARS = (
    *_dated("timestamp"),
    *_positive("open"),
    *_positive("high"),
    *_positive("low"),
    *_positive("close"),
    Rule("high", "high below low", "refuse", pl.col("high") < pl.col("low")),
    Rule("open", "outside low to high", "note", ~pl.col("open").is_between("low", "high")),
    Rule("close", "outside low to high", "note", ~pl.col("close").is_between("low", "high")),
    Rule("volume", "negative", "refuse", pl.col("volume") < 0),
    Rule("volume", "not a number", "blank", ~pl.col("volume").is_finite()),
    Rule("adjusted_close", "not a number", "blank", ~pl.col("adjusted_close").is_finite()),
    Rule("adjusted_close", "not positive", "blank", pl.col("adjusted_close") <= 0),
)

TRADES = (
    *_dated("timestamp"),
    *_positive("price"),
    *_positive("size"),
    Rule("side", "unknown side", "blank", ~pl.col("side").is_in(["buy", "sell"])),
)

QUOTES = (
    *_dated("timestamp"),
    *_optional("bid"),
    *_optional("ask"),
    *_optional("bid_size"),
    *_optional("ask_size"),
    _CROSSED,
)

NEWS = (
    *_dated("timestamp"),
    Rule(
        "headline", "no headline", "refuse", pl.col("headline").is_null() | (pl.col("headline").str.strip_chars() == "")
    ),
)

RULES: dict[DataKind, Sequence[Rule]] = {
    "chains": CHAINS,
    "bars": BARS,
    "trades": TRADES,
    "quotes": QUOTES,
    "news": NEWS,
}


def first_refusal(rules: Sequence[Rule]) -> pl.Expr:
    """The position in ``rules`` of the first refusal that fits a row; null where the row may stay."""
    return pl.coalesce(
        *(
            pl.when(rule.when).then(pl.lit(position, dtype=pl.UInt32))
            for position, rule in enumerate(rules)
            if rule.action == "refuse"
        )
    )


def blanked(rules: Sequence[Rule]) -> list[pl.Expr]:
    """Each column that rules may blank, null where one of them fits."""
    by_column: dict[str, pl.Expr] = {}
    for rule in rules:
        if rule.action == "blank":
            fits = rule.when.fill_null(False)
            by_column[rule.column] = by_column[rule.column] | fits if rule.column in by_column else fits
    return [pl.when(~fits).then(pl.col(name)).alias(name) for name, fits in by_column.items()]
