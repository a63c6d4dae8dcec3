"""EDGE: the bid-ask spread from open, high, low and close, for many windows at once."""

from __future__ import annotations

import numpy as np

from gnosis_ray.engines.liquidity.row_statistics import Floats, divided, row_mean


def edge_spread(open_: Floats, high: Floats, low: Floats, close: Floats) -> Floats:
    """(n, m) prices, oldest first, NaN where a bar is missing -> (n,) proportional spreads, .01 being 1%.

    Ardia, Guidotti, Kroencke (2024), "Efficient Estimation of Bid-Ask Spreads from Open, High, Low, and Close Prices",
    JFE 161: the generalised-method-of-moments average of two estimators of the squared spread, corrected
    for the share of bars whose open or close is not an extreme. The same figures as ``bidask.edge(sign=True)`` of
    each row, which takes one series a call. NaN where the estimate of the squared spread is not positive: then the
    bars do not resolve the spread.
    """
    opened, top, bottom, closed = (np.log(prices) for prices in (open_, high, low, close))
    middle = (top + bottom) / 2.0
    top1, bottom1, closed1, middle1 = top[:, :-1], bottom[:, :-1], closed[:, :-1], middle[:, :-1]
    opened, top, bottom, middle = opened[:, 1:], top[:, 1:], bottom[:, 1:], middle[:, 1:]
    unknown = np.isnan(top) | np.isnan(bottom) | np.isnan(closed1)
    moved = np.where(unknown, np.nan, (top != bottom) | (bottom != closed1))
    open_inside = row_mean(moved * _differs(opened, top)) + row_mean(moved * _differs(opened, bottom))
    close_inside = row_mean(moved * _differs(closed1, top1)) + row_mean(moved * _differs(closed1, bottom1))
    share = row_mean(moved)

    def demeaned(returns: Floats) -> Floats:
        return returns - divided(row_mean(returns), share)[:, None] * moved

    r2, r4, r5 = opened - middle1, closed1 - middle1, opened - closed1
    minus_four = np.full_like(share, -4.0)
    of_open, of_close = divided(minus_four, open_inside), divided(minus_four, close_inside)
    d1, d3, d5 = demeaned(middle - opened), demeaned(middle - closed1), demeaned(r5)
    x1 = of_open[:, None] * d1 * r2 + of_close[:, None] * d3 * r4
    x2 = of_open[:, None] * d1 * r5 + of_close[:, None] * d5 * r4
    e1, e2 = row_mean(x1), row_mean(x2)
    v1, v2 = row_mean(x1 * x1) - e1 * e1, row_mean(x2 * x2) - e2 * e2
    total = v1 + v2
    squared = np.where(total > 0, divided(v2 * e1 + v1 * e2, total), (e1 + e2) / 2.0)
    resolved = (np.nansum(moved, axis=1) >= 2) & (squared > 0)
    return np.sqrt(np.where(resolved, squared, np.nan))


def _differs(a: Floats, b: Floats) -> Floats:
    return np.where(np.isnan(a) | np.isnan(b), np.nan, a != b)
