"""Trades and quotes of a day."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import TapeQuality
from gnosis_ray.data.quality.checks import Check, Severity
from gnosis_ray.market.bounds import LARGEST_COUNT, LARGEST_PRICE, beyond
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.datasets import OCCURRENCE

_BID, _ASK = pl.col("bid").fill_null(0.0), pl.col("ask").fill_null(0.0)
_BOTH = (_BID > 0) & (_ASK > 0)
_DAY = pl.col("timestamp").dt.date()
_QUOTE = ("bid", "bid_size", "ask", "ask_size")


def trade_checks(limits: TapeQuality) -> tuple[Check, ...]:
    """Checks of trades; over :func:`trades`."""

    def check(name: str, severity: Severity, doc: str, when: pl.Expr, *shows: str) -> Check:
        return Check("trades", name, severity, doc, when, ("timestamp", *shows))

    return (
        check("impossible figure", "error", "a price or size that is not positive or impossibly large",
              _no_positive("price", "size") | beyond(LARGEST_PRICE, "price") | beyond(LARGEST_COUNT, "size"),
              "price", "size"),
        check(
            "outlier", "warning",
            f"more than {limits.outlier_distance:.0%} from the median of {limits.outlier_window} trades around it",
            (pl.col("price") / pl.col("usual") - 1).abs() > limits.outlier_distance, "price", "usual",
        ),
        check("outside the session", "note", "before the open or after the close", ~pl.col("in_session"), "price"),
        check("equal trades", "note", "at the same microsecond: several prints, or one reported twice",
              pl.col(OCCURRENCE) > 0, "price", "size"),
        check("side unknown", "note", "the aggressor is unknown", pl.col("side").is_null(), "price"),
        check("silence", "warning", f"no trade for {limits.max_silence_minutes:g} minutes of a session",
              _silent(limits), "silent_minutes"),
    )  # fmt: skip


def quote_checks(limits: TapeQuality) -> tuple[Check, ...]:
    """Checks of best bids and offers; over :func:`quotes`."""

    def check(name: str, severity: Severity, doc: str, when: pl.Expr, *shows: str) -> Check:
        return Check("quotes", name, severity, doc, when, ("timestamp", *shows))

    middle = (_BID + _ASK) * 0.5
    return (
        check("impossible figure", "error", "a price or size that is negative, impossibly large or not finite",
              _negative(*_QUOTE) | beyond(LARGEST_PRICE, "bid", "ask") | beyond(LARGEST_COUNT, "bid_size", "ask_size"),
              *_QUOTE),
        check("crossed quote", "warning", "the bid is above the ask", _BOTH & (_BID > _ASK), "bid", "ask"),
        check("locked quote", "note", "the bid is the ask", _BOTH & (_BID == _ASK), "bid", "ask"),
        check("one-sided quote", "note", "only a bid or only an ask", ((_BID > 0) | (_ASK > 0)) & ~_BOTH, "bid", "ask"),
        check("no quote", "note", "neither a bid nor an ask", (_BID <= 0) & (_ASK <= 0), "bid", "ask"),
        check("wide quote", "note", f"a spread above {limits.max_spread:.0%} of its middle",
              _BOTH & (limits.max_spread * middle < _ASK - _BID), "bid", "ask"),
        check("outside the session", "note", "before the open or after the close", ~pl.col("in_session"), "bid", "ask"),
        check("equal quotes", "note", "at the same microsecond, of the same prices and sizes",
              pl.col(OCCURRENCE) > 0, *_QUOTE),
        check("stale quote", "warning", f"the next came {limits.max_silence_minutes:g} minutes later in one session",
              _silent(limits), "bid", "ask", "silent_minutes"),
    )  # fmt: skip


def trades(rows: pl.DataFrame, calendar: SessionCalendar, limits: TapeQuality) -> pl.DataFrame:
    """A day's trades, in order, with the price usual around each and the silence after it."""
    usual = pl.col("price").rolling_median(limits.outlier_window, center=True, min_samples=3).over("symbol", _DAY)
    return _timed(rows.sort("symbol", "timestamp", maintain_order=True), calendar).with_columns(usual=usual)


def quotes(rows: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """A day's quotes, in order, with the silence after each."""
    return _timed(rows.sort("symbol", "timestamp", maintain_order=True), calendar)


def _timed(rows: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    moments = moments_of(rows["timestamp"])
    timed = rows.with_columns(
        pl.Series("in_session", calendar.is_open(moments)), pl.Series("number", calendar.session_number(moments))
    )
    following = pl.col("timestamp", "number", "in_session").shift(-1).over("symbol", _DAY).name.prefix("next_")
    same = pl.col("in_session") & pl.col("next_in_session") & (pl.col("number") == pl.col("next_number"))
    silent = (pl.col("next_timestamp") - pl.col("timestamp")).dt.total_microseconds() * (1 / 60e6)
    return timed.with_columns(following).with_columns(silent_minutes=pl.when(same).then(silent))


def _silent(limits: TapeQuality) -> pl.Expr:
    return pl.col("silent_minutes") > limits.max_silence_minutes


def _no_positive(*names: str) -> pl.Expr:
    good = [pl.col(name).is_finite() & (pl.col(name) > 0) for name in names]
    return ~pl.all_horizontal(good).fill_null(value=False)


def _negative(*names: str) -> pl.Expr:
    columns = pl.col(*names)
    return pl.any_horizontal((~columns.is_finite() | (columns < 0)).fill_null(value=False))
