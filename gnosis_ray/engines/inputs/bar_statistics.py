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
    ).sort("symbol", "timestamp", "known_at")
    asked = keys.select(KEYS.names()).with_row_index("row")
    if _became_known_in_order(usable):
        known = _latest(asked, _rolling(usable), "known_at")
    else:
        moments = asked.sort("timestamp").partition_by("timestamp", maintain_order=True)
        known = pl.concat([_latest(at, _rolling(_as_known(usable, at)), "bar") for at in moments])
    return known.sort("row").select("symbol", "timestamp", "close", "adv_usd", "sigma_daily")


def _became_known_in_order(bars: pl.DataFrame) -> bool:
    """Whether no bar was corrected and none became known before an earlier one: then one pass serves every key."""
    same = pl.col("symbol") == pl.col("symbol").shift(1)
    late = (pl.col("timestamp") == pl.col("timestamp").shift(1)) | (pl.col("known_at") < pl.col("known_at").shift(1))
    return not bars.select((same & late).any()).item()


def _as_known(bars: pl.DataFrame, at: pl.DataFrame) -> pl.DataFrame:
    """The bars as they stood at the one moment of these keys: of each the version known last."""
    known = bars.filter(pl.col("known_at") <= at["timestamp"][0])
    return known.unique(["symbol", "timestamp"], keep="last", maintain_order=True)


def _rolling(bars: pl.DataFrame) -> pl.DataFrame:
    """The statistics at each bar of a sorted table."""
    magnitude = pl.col("close").log().diff().abs()
    return bars.select(
        "symbol",
        "known_at",
        "close",
        bar="timestamp",
        adv_usd=(pl.col("close") * pl.col("volume")).rolling_mean(WINDOW, min_samples=MIN_BARS).over("symbol"),
        sigma_daily=((magnitude * magnitude.shift(1)).rolling_mean(WINDOW, min_samples=MIN_BARS - 2) * (math.pi / 2))
        .sqrt()
        .over("symbol"),
    )


def _latest(asked: pl.DataFrame, rolling: pl.DataFrame, column: str) -> pl.DataFrame:
    """For each key the latest row whose ``column`` is not after it; nulls where there is none."""
    return asked.sort("timestamp").join_asof(
        rolling.sort(column, maintain_order=True),
        left_on="timestamp",
        right_on=column,
        by="symbol",
        strategy="backward",
        check_sortedness=False,
    )
