"""What signed trades say: imbalance, price impact, toxicity, and the spread between their prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr

from gnosis_ray.config import LiquidityConfig
from gnosis_ray.engines.liquidity.edge_spread import edge_spread
from gnosis_ray.engines.liquidity.intervals import IntervalGrid
from gnosis_ray.engines.liquidity.row_statistics import Fit, Floats, divided, row_regression, row_sums
from gnosis_ray.engines.liquidity.signing import RULES


@dataclass(frozen=True)
class TradeFlow:
    """What the trades of n keys say; (n,) each, NaN where absent."""

    last_price: Floats
    ofi: Floats
    """(bought - sold) / (bought + sold) shares."""
    signed_share: Floats
    """Of the volume."""
    rule_shares: dict[str, Floats]
    """Of the trades, by signing rule."""
    kyle: Fit
    """USD per share."""
    hasbrouck: Fit
    """Log return per square root of a USD."""
    vpin: Floats
    edge_spread: Floats


def trade_flow(trades: pl.DataFrame, grid: IntervalGrid, config: LiquidityConfig) -> TradeFlow:
    """``trades``: of :func:`signing.signed_trades`.

    Kyle (1985): slope of an interval's price change on its signed volume, signs of the trades, never of the bar.
    Hasbrouck (2009), J. Finance 64: log return on the sum of signed square roots of dollar volume.
    VPIN: :func:`vpin`. EDGE over the intervals' open, high, low and close.
    """
    key, price, size = (trades[c].to_numpy() for c in ("key", "price", "size"))
    sign = trades["sign"].fill_null(0.0).to_numpy()
    signed = sign != 0
    everything = np.ones_like(signed)
    n = grid.keys
    bought = row_sums(key, np.where(sign > 0, size, 0.0), n)
    sold = row_sums(key, np.where(sign < 0, size, 0.0), n)
    count = row_sums(key, everything.astype(np.float64), n)
    open_, high, low, close = grid.prices(trades)
    change = grid.changes(close)
    last = trades.group_by("key", maintain_order=True).agg(pl.col("price").last())
    last_price = np.full(n, np.nan)
    last_price[last["key"].to_numpy()] = last["price"].to_numpy()
    return TradeFlow(
        last_price=last_price,
        ofi=divided(bought - sold, bought + sold),
        signed_share=divided(bought + sold, row_sums(key, size, n)),
        rule_shares={
            rule: divided(
                row_sums(key, (trades["rule"] == rule).fill_null(value=False).to_numpy().astype(float), n), count
            )
            for rule in RULES
        },
        kyle=row_regression(change, grid.sums(trades, sign * size, signed), config.min_intervals),
        hasbrouck=row_regression(
            grid.changes(np.log(close)),
            grid.sums(trades, sign * np.sqrt(price * size), signed),
            config.min_intervals,
        ),
        vpin=vpin(change, grid.sums(trades, size, everything), config),
        edge_spread=edge_spread(open_, high, low, close),
    )


def vpin(change: Floats, volume: Floats, config: LiquidityConfig) -> Floats:
    """(n, intervals) price changes and volumes -> (n,): mean imbalance of equal volume buckets, 0 to 1.

    Easley, Lopez de Prado, O'Hara (2012), RFS 25: of an interval's volume Phi(change / sigma) was bought,
    sigma the standard deviation of the window's changes; intervals fill ``vpin_buckets`` buckets of equal volume in
    time's order, divided where a bucket ends within one. The first interval, without a change, counts as even.
    """
    known = ~np.isnan(change)
    count = known.sum(axis=1).astype(np.float64)
    mean = divided(np.where(known, change, 0.0).sum(axis=1), count)
    off = np.where(known, change - mean[:, None], 0.0)
    sigma = np.sqrt(divided((off * off).sum(axis=1), count - 1.0))
    usable = (count >= config.min_intervals) & (sigma > 0)
    found = np.full(len(change), np.nan)
    for row in np.flatnonzero(usable):
        lean = np.where(known[row], 2.0 * ndtr(np.where(known[row], change[row], 0.0) / sigma[row]) - 1.0, 0.0)
        found[row] = _bucket_imbalance(lean, np.nan_to_num(volume[row]), config.vpin_buckets)
    return found


def _bucket_imbalance(lean: Floats, volume: Floats, buckets: int) -> float:
    """Mean of |bought - sold| / volume over ``buckets`` equal parts of the volume."""
    filled = np.concatenate([[0.0], np.cumsum(volume)])
    leant = np.concatenate([[0.0], np.cumsum(lean * volume)])
    bounds = np.linspace(0.0, filled[-1], buckets + 1)
    return float(np.abs(np.diff(np.interp(bounds, filled, leant))).sum() / filled[-1])
