"""Column contracts of the evidence behind a scan's records, as Polars schemas.

What reports show and neither a record nor its profiles hold: with these a run explains itself without the market
store. ``symbol`` and ``timestamp`` are the record's in every table; ``idea_id`` is the ``id`` of a row of
``trade_ideas``.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gnosis_ray.market.columns import DETAILS, HEADLINES, KEYS, UTC_TIME


def _schema(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Schema:
    return pl.Schema(columns)


CONSIDERED = _schema(
    {
        **KEYS,
        "position": pl.UInt32,  # in the order in which the trade agent came to them
        "strategy_type": pl.String,
        "outcome": pl.String,  # "chosen", "alternative", or why it is no idea
    }
)
"""What the trade agent made of each of its strategies."""

LEG_QUOTES = _schema(
    {
        **KEYS,
        "idea_id": pl.String,
        "leg": pl.UInt32,  # its position in the idea
        "quote_time": UTC_TIME,
        "bid": pl.Float64,  # USD per share
        "ask": pl.Float64,
        "mid": pl.Float64,  # null unless 0 < bid <= ask
        "volume": pl.Float64,
        "open_interest": pl.Float64,
        "iv": pl.Float64,  # a year; null where no volatility was believable
        "iv_source": pl.String,
        "delta": pl.Float64,
        "tau": pl.Float64,  # years from timestamp to expiry
        "rate": pl.Float64,  # continuously compounded, a year
        "carry": pl.Float64,
    }
)
"""The contract of an option leg as the chain quoted it when the idea was made."""

PAYOFFS = _schema(
    {
        **KEYS,
        "idea_id": pl.String,
        "line": pl.UInt32,  # lines of a diagram in the order of time, the last one at (front) expiry
        "label": pl.String,
        "days": pl.Float64,  # from timestamp; null where time does not matter
        "x": pl.Float64,  # price of the underlying, USD
        "value": pl.Float64,  # profit of one unit, USD, its cost counted
    }
)
"""Points of each idea's payoff; see :func:`gnosis_ray.options.payoff_diagram.payoff_diagram`."""

SHOWN_BARS = _schema(
    {
        **KEYS,
        "closed_at": UTC_TIME,
        "open": pl.Float64,  # USD
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "volume": pl.Float64,  # shares
    }
)
"""The last daily bars known at ``timestamp``, in shares of the last of them: earlier prices and volumes are adjusted
for what was split or paid out since, so that an action is no move. Raw bars are in the market store."""

EVIDENCE: dict[str, pl.Schema] = {
    "considered": CONSIDERED,
    "leg_quotes": LEG_QUOTES,
    "payoffs": PAYOFFS,
    "curves": DETAILS,
    "bars": SHOWN_BARS,
    "headlines": HEADLINES,
}
"""Table -> columns; ``curves``: those of :meth:`gnosis_ray.engines.base.FrameEngine.curves`, ``headlines``: those of
the news that were scored."""


def no_evidence() -> dict[str, pl.DataFrame]:
    """Every table of evidence, without a row."""
    return {name: pl.DataFrame(schema=schema) for name, schema in EVIDENCE.items()}
