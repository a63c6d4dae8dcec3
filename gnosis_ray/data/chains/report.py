"""Counting what a loader dropped or refused, so that degradation can be named."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

REPORT = pl.Schema({"symbol": pl.String, "reason": pl.String, "rows": pl.UInt32})
"""How many rows of a symbol met which reason (:data:`REASONS`)."""

REASONS = {
    "missing_identity": "dropped: symbol, timestamp, event_time, known_at or expiry is null",
    "unknown_type": "dropped: type is neither C nor P",
    "unknown_settlement": "dropped: settlement is neither AM nor PM (null is read as PM)",
    "bad_strike": "dropped: strike is not a positive finite number",
    "bad_underlying": "dropped: underlying_price is not a positive finite number",
    "known_later": "dropped: known_at is after the moment that asks",
    "duplicate": "dropped: the same contract again; the last by event_time and known_at is kept",
    "outside_calendar": "dropped: the calendar does not reach the expiry or the snapshot",
    "expired": "dropped: the contract stopped living at or before the moment that asks",
    "bad_bid": "nulled: not finite or negative",
    "bad_ask": "nulled: not finite or negative",
    "bad_last": "nulled: not finite or negative",
    "bad_volume": "nulled: not finite or negative",
    "bad_open_interest": "nulled: not finite or negative",
    "bad_vendor_iv": "nulled: not finite or negative",
    "crossed_quote": "no mid: bid above ask",
    "no_two_sided_quote": "no volatility: the out-of-the-money side has no bid and ask, and no smile covers it",
    "spot_disagrees": "no volatility for the whole symbol: its options are not on the share that its spot prices",
    "below_intrinsic": "mid or last refused: no volatility is low enough",
    "above_bound": "mid or last refused: no volatility is high enough",
    "vendor_artefact": "vendor volatility refused: an unfinished bisection, or too small",
    "smile_too_few": "smile refused: fewer points than the minimum in the expiry",
    "smile_residual": "smile refused: the points do not lie on a quadratic",
}
"""Every reason and what happened to its rows."""

Mask = npt.NDArray[np.bool_]


def count(rows: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    """``REPORT`` rows of a frame with a ``symbol``, each row under its ``reason``."""
    labelled = rows.select(pl.col("symbol").fill_null(""), reason.alias("reason"))
    counted = labelled.group_by("symbol", "reason").agg(pl.len().alias("rows"))
    return counted.select(REPORT.names()).cast(REPORT)


def count_masks(symbols: pl.Series, masks: Iterable[tuple[str, Mask]]) -> pl.DataFrame:
    """``REPORT`` rows for boolean masks over the rows whose symbols are given."""
    met = [
        pl.DataFrame({"symbol": symbols.filter(pl.Series(mask)), "reason": reason})
        for reason, mask in masks
        if mask.any()
    ]
    return count(pl.concat(met), pl.col("reason")) if met else REPORT.to_frame()


def merge(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One ``REPORT``, sorted by symbol and reason."""
    together = pl.concat([REPORT.to_frame(), *parts]).group_by("symbol", "reason").agg(pl.col("rows").sum())
    return together.cast(REPORT).sort("symbol", "reason")
