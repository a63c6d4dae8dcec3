"""The rules that refuse, blank or note rows: one declarative table per dataset, over the target's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from gnosis_ray.data.importing.row_places import FAULT, KEY_TWICE, NO_OBJECT, SURPLUS_CELLS
from gnosis_ray.data.importing.times import FORMS_READ
from gnosis_ray.market.bounds import LARGEST_COUNT, LARGEST_PRICE
from gnosis_ray.market.datasets import VENDOR_GREEKS
from gnosis_ray.market.symbols import INDICES
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

ROW = "row"
"""Stands for the column in a rule that is about the row as a whole."""

FLAGGED = "flagged"
"""Derived column: the source itself marks the row as unreliable."""
BARE_DATE = "bare_date"
"""Derived column: the event's time is a date without a time of day where a moment is expected."""
BARE_KNOWN_AT = "bare_known_at"
"""Derived column: the same of the time at which the row became known."""
MIDNIGHT = "midnight"
"""Derived column: the event is at midnight of a time without a zone; of a pair, whose days begin then, never true."""
UNDECLARED_INDEX = "undeclared_index"
"""Derived column: the symbol is marked as an index and is none of those declared."""

NO_SYMBOL = "no symbol or an impossible one"
NO_INDEX = "an index that is not declared"
NO_TIME, NO_DATE = "unreadable time", "unreadable date"
NO_TIME_OF_DAY = "a date without a time of day"
AT_MIDNIGHT = "at midnight: a date?"
NO_SPOT = "no price of the underlying"
NO_NUMBER = "not a number"
TOO_LARGE = "impossibly large"
NO_SETTLEMENT = "unknown settlement"


@dataclass(frozen=True)
class Rule:
    """``refuse`` drops the row, ``blank`` makes the column null, ``note`` only counts. A null condition is false."""

    column: str
    reason: str
    action: Action
    when: pl.Expr


def _no_number(column: str) -> pl.Expr:
    return pl.col(column).is_null() | ~pl.col(column).is_finite()


def _positive(column: str, largest: float = LARGEST_PRICE) -> tuple[Rule, ...]:
    return (
        Rule(column, NO_NUMBER, "refuse", _no_number(column)),
        Rule(column, "not positive", "refuse", pl.col(column) <= 0),
        _bounded(column, largest),
    )


def _optional(column: str, largest: float) -> tuple[Rule, ...]:
    """An optional figure: unusable values become null; an impossibly large one is damage, and its row with it."""
    return (
        Rule(column, NO_NUMBER, "blank", ~pl.col(column).is_finite()),
        Rule(column, "negative", "blank", pl.col(column) < 0),
        _bounded(column, largest),
    )


def _bounded(column: str, largest: float) -> Rule:
    return Rule(column, TOO_LARGE, "refuse", pl.col(column).is_finite() & (pl.col(column) > largest))


def _dated(event: str) -> tuple[Rule, ...]:
    return (
        *(Rule(ROW, fault, "refuse", pl.col(FAULT) == fault) for fault in (SURPLUS_CELLS, NO_OBJECT, KEY_TWICE)),
        Rule("symbol", NO_INDEX, "refuse", pl.col(UNDECLARED_INDEX)),
        Rule("symbol", NO_SYMBOL, "refuse", pl.col("symbol").is_null()),
        Rule(event, "flagged by its source", "refuse", pl.col(FLAGGED)),
        Rule(event, NO_TIME_OF_DAY, "refuse", pl.col(BARE_DATE)),
        Rule(event, NO_TIME, "refuse", pl.col(event).is_null()),
        Rule(event, "no session on that date", "refuse", ~pl.col(SESSION)),
        Rule("known_at", NO_TIME_OF_DAY, "refuse", pl.col(BARE_KNOWN_AT)),
        Rule("known_at", NO_TIME, "refuse", pl.col("known_at").is_null()),
        Rule("known_at", "known before it happened", "refuse", pl.col("known_at") < pl.col(event)),
        Rule(event, "naive time read as UTC", "note", pl.col(WAS_NAIVE)),
        Rule(event, AT_MIDNIGHT, "note", pl.col(MIDNIGHT)),
    )


_CROSSED = Rule("ask", "crossed: ask below bid", "note", (pl.col("bid") > pl.col("ask")) & (pl.col("ask") > 0))

CHAINS = (
    *_dated("event_time"),
    Rule("expiry", NO_DATE, "refuse", pl.col("expiry").is_null()),
    Rule("expiry", "expired before the snapshot", "refuse", pl.col(EXPIRED)),
    *_positive("strike"),
    Rule("type", "unknown side", "refuse", pl.col("type").is_null() | ~pl.col("type").is_in(["C", "P"])),
    Rule("underlying_price", NO_SPOT, "refuse", pl.col("underlying_price").is_null()),
    *_positive("underlying_price"),
    Rule("settlement", NO_SETTLEMENT, "refuse", ~pl.col("settlement").is_in(["AM", "PM"]).fill_null(False)),
    Rule("settlement", "adjusted contract: the root is not the symbol's", "refuse", ~pl.col(ROOT_KNOWN)),
    *_optional("bid", LARGEST_PRICE),
    *_optional("ask", LARGEST_PRICE),
    *_optional("last", LARGEST_PRICE),
    *_optional("volume", LARGEST_COUNT),
    *_optional("open_interest", LARGEST_COUNT),
    *_optional("vendor_iv", LARGEST_COUNT),
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
    Rule("volume", NO_NUMBER, "blank", ~pl.col("volume").is_finite()),
    _bounded("volume", LARGEST_COUNT),
    Rule("adjusted_close", "not a number", "blank", ~pl.col("adjusted_close").is_finite()),
    Rule("adjusted_close", "not positive", "blank", pl.col("adjusted_close") <= 0),
    _bounded("adjusted_close", LARGEST_PRICE),
)

TRADES = (
    *_dated("timestamp"),
    *_positive("price"),
    *_positive("size", LARGEST_COUNT),
    Rule("side", "unknown side", "blank", ~pl.col("side").is_in(["buy", "sell"])),
)

QUOTES = (
    *_dated("timestamp"),
    *_optional("bid", LARGEST_PRICE),
    *_optional("ask", LARGEST_PRICE),
    *_optional("bid_size", LARGEST_COUNT),
    *_optional("ask_size", LARGEST_COUNT),
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


HINTS = {
    NO_INDEX: "`^` and `_` mark an index. Declared are " + ", ".join(INDICES),
    NO_TIME: f"Without `formats` in the mapping, dates are read as {FORMS_READ}",
    NO_DATE: f"Without `formats` in the mapping, dates are read as {FORMS_READ}",
    NO_TIME_OF_DAY: "It would be known at the start of its day. `known_at: session_close` reads dates",
    AT_MIDNIGHT: "If they are dates, their rows are known a day too early: `known_at: session_close` reads dates",
    NO_NUMBER: "`null_values`, `decimal` and `thousands` in the mapping say how numbers are written",
    NO_SETTLEMENT: "Where an index has both, a contract's code (`contract` in the mapping) or a column says AM or PM",
    SURPLUS_CELLS: "An unquoted comma in a number makes such rows: quote it, or say another `separator` in the mapping",
}
"""What to do about a reason, where the reason does not say it."""


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
