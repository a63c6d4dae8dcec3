"""The best bid and ask through a window: quoted spread and order-flow imbalance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.engines.liquidity.intervals import IntervalGrid
from gnosis_ray.engines.liquidity.row_statistics import Fit, Floats, divided, row_regression, row_sums

BPS = 1e4


def quote_states(quotes: pl.DataFrame) -> pl.DataFrame:
    """The best bid and ask after each quote: ``mid`` and ``spread_bps`` null unless 0 < bid <= ask.

    A side that a quote does not tell (null) stands as it was within the window; 0 is nobody there. ``quotes``: rows of
    :class:`windows.EventTable`, in order.
    """
    sides = []
    for side in ("bid", "ask"):
        told = pl.col(side).is_not_null()
        size = pl.col(f"{side}_size").fill_null(float("nan"))
        sides += [
            pl.col(side).forward_fill().over("key"),
            pl.when(told).then(size).forward_fill().over("key").alias(f"{side}_size"),
        ]
    two_sided = (pl.col("bid") > 0) & (pl.col("ask") >= pl.col("bid"))
    mid = (pl.col("bid") + pl.col("ask")) * 0.5
    return quotes.with_columns(sides).with_columns(
        mid=pl.when(two_sided).then(mid),
        spread_bps=pl.when(two_sided).then((pl.col("ask") - pl.col("bid")) / mid * BPS),
    )


@dataclass(frozen=True)
class QuoteFlow:
    """What the quotes of n keys say; (n,) each, NaN where absent."""

    spread_bps: Floats
    """Quoted spread over the midpoint, weighted by the time that it stood, at most an interval a quote."""
    cks_ofi: Floats
    """Shares."""
    cks: Fit
    """Of midpoint changes on order-flow imbalance; slope in USD per share."""


def quote_flow(states: pl.DataFrame, grid: IntervalGrid, min_intervals: int) -> QuoteFlow:
    """Time-weighted spread, and the imbalance of Cont, Kukanov, Stoikov (2014), J. Financial Econometrics 12.

    Their regression is of the midpoint's change over an interval on the interval's imbalance. The first quote
    of a window has none before it and counts for nothing. No quote weighs more than an interval: the last one of a
    session is not what could be traded at until somebody asks, nor one before a halt.
    """
    key = states["key"].to_numpy()
    stood = states.select(
        weight=(pl.col("timestamp").shift(-1).over("key").fill_null(pl.col("now")) - pl.col("timestamp"))
        .dt.total_microseconds()
        .cast(pl.Float64),
        spread=pl.col("spread_bps"),
    )
    capped = np.minimum(stood["weight"].to_numpy(), grid.length_us)
    weight = np.where(stood["spread"].is_not_null().to_numpy(), capped, 0.0)
    spread = stood["spread"].fill_null(0.0).to_numpy()
    event = _imbalances(states)
    known = ~np.isnan(event)
    per_interval = grid.sums(states, np.where(known, event, 0.0), known)
    change = grid.changes(grid.last(states.filter(pl.col("mid").is_not_null()), "mid"))
    total = row_sums(key, np.where(known, event, 0.0), grid.keys)
    any_known = row_sums(key, known.astype(np.float64), grid.keys) > 0
    return QuoteFlow(
        spread_bps=divided(row_sums(key, weight * spread, grid.keys), row_sums(key, weight, grid.keys)),
        cks_ofi=np.where(any_known, total, np.nan),
        cks=row_regression(change, per_interval, min_intervals),
    )


def _imbalances(states: pl.DataFrame) -> Floats:
    """e_n of each quote: what the bid gained less what the ask gained, in shares; NaN where a figure is unknown."""
    bid, bid_size, ask, ask_size = (pl.col(c) for c in ("bid", "bid_size", "ask", "ask_size"))
    bid0, bid_size0, ask0, ask_size0 = (e.shift(1).over("key") for e in (bid, bid_size, ask, ask_size))
    zero = pl.lit(0.0)
    gained = pl.when(bid >= bid0).then(bid_size).otherwise(zero) - pl.when(bid <= bid0).then(bid_size0).otherwise(zero)
    offered = pl.when(ask <= ask0).then(ask_size).otherwise(zero) - pl.when(ask >= ask0).then(ask_size0).otherwise(zero)
    present = pl.all_horizontal(e.is_not_null() & (e > 0) for e in (bid, ask, bid0, ask0))
    return states.select(pl.when(present).then(gained - offered).fill_null(float("nan"))).to_series().to_numpy()
