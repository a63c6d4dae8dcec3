"""What daily bars say of liquidity."""

from __future__ import annotations

import numpy as np

from gnosis_ray.engines.liquidity.edge_spread import edge_spread
from gnosis_ray.engines.liquidity.row_statistics import Floats, row_mean
from gnosis_ray.engines.liquidity.windows import BarWindow
from gnosis_ray.engines.shared.bar_statistics import MIN_BARS

PER_MILLION = 1e6


def amihud_illiquidity(bars: BarWindow) -> Floats:
    """(n,): mean of |simple daily return| over dollar volume, times 1e6; NaN with fewer than ``MIN_BARS`` days.

    Amihud (2002), J. Financial Markets 5, eq. 1: percent / 100 of price per million USD. A day without volume has no
    ratio and is left out.
    """
    before, close, volume = bars.close[:, :-1], bars.close[:, 1:], bars.volume[:, 1:]
    dollars = np.where(volume > 0, close * volume, np.nan)
    ratio = np.abs(close / before - 1.0) / dollars
    days = (~np.isnan(ratio)).sum(axis=1)
    return np.where(days >= MIN_BARS - 1, row_mean(ratio) * PER_MILLION, np.nan)


def edge_daily(bars: BarWindow) -> Floats:
    """(n,): EDGE over the window's daily bars, a fraction; NaN with fewer than ``MIN_BARS`` or where unresolved."""
    return np.where(bars.count >= MIN_BARS, edge_spread(bars.open, bars.high, bars.low, bars.close), np.nan)
