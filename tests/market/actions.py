"""What splits and dividends do to the bars of a share that is worth the same."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gnosis_ray.market.corporate_actions import PRICES
from tests.engines.shared.series import START

RATIOS = (1.5, 2.0, 4.0, 0.1)
"""New shares for an old one: 3 for 2, 2 for 1, 4 for 1, 1 for 10."""


def split(
    bars: pl.DataFrame, day: int, ratio: float, *, dividend: float = 0.0, ex_day: int = 0, level: float = 1.0
) -> pl.DataFrame:
    """Raw bars of a split on ``day`` and of a ``dividend``, a part of the price, on ``ex_day``; with adjusted closes.

    As many dollars change hands as in ``bars``. ``level``: by what the adjusted closes know of actions still to come.
    """
    before = pl.when(pl.col("timestamp") < START + timedelta(days=day)).then(ratio).otherwise(1.0)
    cum = pl.when(pl.col("timestamp") < START + timedelta(days=ex_day)).then(1 / (1 - dividend)).otherwise(1.0)
    raw = bars.with_columns(adjusted_close=pl.col("close") * level, factor=before * cum)
    prices = (pl.col(name) * pl.col("factor") for name in PRICES)
    return raw.with_columns(*prices, volume=pl.col("volume") / pl.col("factor")).drop("factor")


def unadjusted(bars: pl.DataFrame) -> pl.DataFrame:
    """The same with no adjusted close known."""
    return bars.with_columns(adjusted_close=pl.lit(None, pl.Float64))
