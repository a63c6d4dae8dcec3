"""Counts what a chain load dropped or refused, by symbol and reason. Only :meth:`ChainLoader.load_with_report` asks.

Rows that are dropped:

- ``missing_identity``: symbol, timestamp, event_time, known_at or expiry is null
- ``unknown_type``: type is neither C nor P
- ``unknown_settlement``: settlement is neither AM nor PM (null is read as PM)
- ``bad_strike``, ``bad_underlying``: strike or underlying_price is not a positive finite number
- ``known_later``: known_at is after the as-of time
- ``duplicate``: the same contract again; the last by event_time and known_at is kept
- ``outside_calendar``: the calendar does not reach the expiry or the snapshot
- ``expired``: the contract expired at or before the as-of time

Figures that become null: ``bad_bid``, ``bad_ask``, ``bad_last``, ``bad_volume``, ``bad_open_interest`` and
``bad_vendor_iv`` are not finite or negative.

Contracts without a mid or a volatility:

- ``crossed_quote``: no mid, bid above ask
- ``no_two_sided_quote``: the out-of-the-money side has no bid and ask, and no smile covers it
- ``spot_disagrees``: none for the whole symbol, its options are not on the share that its spot prices
- ``below_intrinsic``, ``above_bound``: mid or last refused, no volatility is low or high enough
- ``vendor_artefact``: vendor volatility refused, an unfinished bisection or too small
- ``smile_too_few``: smile refused, fewer points than the minimum in the expiry
- ``smile_residual``: smile refused, the points do not lie on a quadratic
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

REPORT = pl.Schema({"symbol": pl.String, "reason": pl.String, "rows": pl.UInt32})
"""How many rows of a symbol a reason applied to."""

Mask = npt.NDArray[np.bool_]


class LoadReport:
    """Collects counts while a chain is loaded."""

    def __init__(self) -> None:
        self._counts: list[pl.DataFrame] = []

    def count(self, rows: pl.DataFrame, reason: pl.Expr) -> None:
        """Count rows of a frame with a ``symbol``, each under its ``reason``."""
        labelled = rows.select(pl.col("symbol").fill_null(""), reason.alias("reason"))
        counted = labelled.group_by("symbol", "reason").agg(pl.len().alias("rows"))
        self._counts.append(counted.select(REPORT.names()).cast(REPORT))

    def count_masks(self, symbols: pl.Series, masks: Iterable[tuple[str, Mask]]) -> None:
        """Count where the mask of each reason is true; masks run over the rows whose symbols are given."""
        for reason, mask in masks:
            if mask.any():
                self.count(symbols.filter(pl.Series(mask)).to_frame(), pl.lit(reason))

    def table(self) -> pl.DataFrame:
        """All counts: ``REPORT``, sorted by symbol and reason."""
        counts = pl.concat([REPORT.to_frame(), *self._counts])
        return counts.group_by("symbol", "reason").agg(pl.col("rows").sum()).cast(REPORT).sort("symbol", "reason")
