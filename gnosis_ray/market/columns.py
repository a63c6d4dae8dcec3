"""Column contracts of every market table, as Polars schemas.

Every row has an event time and a ``known_at``: the first moment at which anybody here could have known it.
``timestamp`` in a chain is the as-of moment that asked for it; in bars, trades and news the event time.

Examples
--------
>>> import gnosis_ray as gr
>>> import polars as pl
>>> no_bars = pl.DataFrame(schema=gr.columns.BARS)
>>> no_bars.columns[:4]
['symbol', 'timestamp', 'known_at', 'open']
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from gnosis_ray.plain_text import BREAKS, CONTROLS

UTC_TIME = pl.Datetime("us", "UTC")


def _schema(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Schema:
    return pl.Schema(columns)


KEYS = _schema({"symbol": pl.String, "timestamp": UTC_TIME})
"""What a batch asks for: one row a symbol and as-of moment."""

RAW_CHAIN = _schema(
    {
        "symbol": pl.String,
        "event_time": UTC_TIME,  # when the snapshot was taken
        "known_at": UTC_TIME,
        "underlying_price": pl.Float64,
        "expiry": pl.Date,
        "strike": pl.Float64,
        "type": pl.String,  # "C" or "P"
        "settlement": pl.String,  # "PM": at the close of the expiry's session; "AM": at its open
        "bid": pl.Float64,  # null where unknown; 0 where nobody bids
        "ask": pl.Float64,
        "last": pl.Float64,
        "volume": pl.Float64,
        "open_interest": pl.Float64,  # null where the vendor did not know it
        "vendor_iv": pl.Float64,
    }
)
"""A chain as a vendor gave it: what the store keeps."""

CHAIN = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,  # the as-of moment at which positions are valued
        "known_at": UTC_TIME,
        "quote_time": UTC_TIME,  # the moment of the quotes: implied volatility is inverted there
        "sessions_behind": pl.Int64,  # sessions that closed after quote_time and at or before timestamp
        "underlying_price": pl.Float64,
        "expiry": pl.Date,
        "dte": pl.Float64,  # calendar days from timestamp to the moment of expiry, fractional
        "tau": pl.Float64,  # the same in years of 365 days
        "strike": pl.Float64,
        "type": pl.String,
        "settlement": pl.String,
        "bid": pl.Float64,
        "ask": pl.Float64,
        "mid_price": pl.Float64,  # null unless 0 < bid <= ask
        "volume": pl.Float64,
        "open_interest": pl.Float64,
        "iv": pl.Float64,  # of the out-of-the-money side, for call and put at a strike; null where unbelievable
        "iv_source": pl.String,  # "mid", "vendor", "last_smile" or null
        "rate": pl.Float64,  # continuously compounded, a year
        "carry": pl.Float64,  # implied carry yield q, a year
        "carry_assumed": pl.Boolean,
        "delta": pl.Float64,
        "gamma": pl.Float64,  # per USD of the underlying, per share
        "vega": pl.Float64,  # per 1.00 of volatility
        "theta": pl.Float64,  # per calendar day
        "vanna": pl.Float64,  # d delta / d sigma, per 1.00 of volatility
        "charm": pl.Float64,  # d delta / d t, a year
        "bad_rows": pl.Int64,  # impossible rows of this snapshot: left out, or kept without the impossible figure
    }
)
"""A chain ready for engines: implied volatilities and our own greeks, valued at ``timestamp``."""

BARS = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,  # the close of the bar's session
        "known_at": UTC_TIME,
        "open": pl.Float64,
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "volume": pl.Float64,
        "adjusted_close": pl.Float64,  # null where unknown
    }
)
"""Daily bars; prices and volume raw, as traded that day: strikes go with them.

``adjusted_close``: USD, the close adjusted backward for splits and dividends as known at ``known_at``; only its ratios
between days mean something, and only through :mod:`gnosis_ray.market.corporate_actions`: recorded in hindsight, its
level tells of splits still to come. Whoever appends a bar after an action appends the earlier ones again, adjusted for
it. Unknown, the raw close stands for it, and series start afresh at breaks of prices.
"""

TRADES = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,
        "known_at": UTC_TIME,
        "price": pl.Float64,
        "size": pl.Float64,
        "side": pl.String,  # aggressor: "buy", "sell", or null where unknown
    }
)

QUOTES = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,
        "known_at": UTC_TIME,
        "bid": pl.Float64,
        "bid_size": pl.Float64,
        "ask": pl.Float64,
        "ask_size": pl.Float64,
    }
)

NEWS = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,
        "known_at": UTC_TIME,
        "headline": pl.String,
        "body": pl.String,
        "source": pl.String,
    }
)

NEWS_IDENTITY = ("symbol", "timestamp", "source", "headline")
"""What a correction of an item shares with it; under a new headline it is another item."""

DETAILS = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,
        "name": pl.String,  # which profile
        "x": pl.Float64,  # where on it: a spot, a strike, a price level
        "value": pl.Float64,
    }
)
"""What a float cannot carry: profiles, in long form."""

HEADLINES = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,  # the as-of moment at which the item was scored
        "published_at": UTC_TIME,
        "headline": pl.String,
        "source": pl.String,
        "score": pl.Float64,  # tone, -1 to 1
        "weight": pl.Float64,  # in the mean of the scores: age, source and crowding
    }
)
"""Items of news as they were scored: of copies of one story the first alone."""

FEATURE_HISTORY = _schema(
    {
        "symbol": pl.String,
        "timestamp": UTC_TIME,  # the as-of moment at which it was measured
        "known_at": UTC_TIME,  # of a backfilled row its own moment
        "provider": pl.String,
        "feature_hash": pl.String,  # of the settings and the code that measured it
        "feature": pl.String,  # as in the ledger: ``hedge__gamma_pressure``, ``hedge__confidence``
        "value": pl.Float64,
    }
)
"""Features of earlier moments, in long form; what could not be computed has no row."""


FREE_TEXTS = ("headline", "body", "source")
"""Columns that may hold any text. Those of other text columns, such as symbols, are of a kind or refused."""


def plain_texts(frame: pl.DataFrame, names: Collection[str] | None = None) -> pl.DataFrame:
    """``frame`` with its texts, or those ``names``, as :func:`~gnosis_ray.plain_text.plain_text` leaves them."""
    text = pl.col([n for n, kind in frame.schema.items() if kind == pl.String and (names is None or n in names)])
    return frame.with_columns(text.str.replace_all(BREAKS, " ").str.replace_all(CONTROLS, ""))
