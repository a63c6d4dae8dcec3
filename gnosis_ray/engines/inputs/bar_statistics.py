"""Statistics of daily bars that more than one engine reads: one definition, for a symbol or a panel."""

from __future__ import annotations

import math

import polars as pl

from gnosis_ray.engines.inputs.columns import KEYS

WINDOW = 60
"""Daily bars behind each statistic."""

MIN_BARS = 20
"""Fewer bars than this and the statistics are absent."""

LOOKBACK = WINDOW + 30
"""Bars to ask for: the window, and room for sessions without a bar."""


def daily_statistics(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """For each key what its bars known by then say.

    ``close``: the last close, USD. ``adv_usd``: mean dollar volume (close times shares) of the last 60 bars.
    ``sigma_daily``: standard deviation of a day's log return as the square root of realised bipower variation,
    pi/2 mean(|r_t| |r_{t-1}|), over 60 bars; a jump enters it once, times a normal day, and not squared
    (Barndorff-Nielsen, Shephard 2004, eq. 7). Null with fewer than ``MIN_BARS`` bars. Rows in the keys' order.
    """
    usable = bars.filter(
        pl.col("close").is_finite() & (pl.col("close") > 0) & pl.col("volume").is_finite() & (pl.col("volume") >= 0)
    )
    magnitude = pl.col("close").log().diff().abs()
    rolling = usable.sort("symbol", "timestamp").select(
        "symbol",
        "known_at",
        "close",
        adv_usd=(pl.col("close") * pl.col("volume")).rolling_mean(WINDOW, min_samples=MIN_BARS).over("symbol"),
        sigma_daily=((magnitude * magnitude.shift(1)).rolling_mean(WINDOW, min_samples=MIN_BARS - 2) * (math.pi / 2))
        .sqrt()
        .over("symbol"),
    )
    asked = keys.select(KEYS.names()).with_row_index("row").sort("timestamp")
    known = asked.join_asof(
        rolling.sort("known_at"),
        left_on="timestamp",
        right_on="known_at",
        by="symbol",
        strategy="backward",
        check_sortedness=False,
    )
    return known.sort("row").select("symbol", "timestamp", "close", "adv_usd", "sigma_daily")
