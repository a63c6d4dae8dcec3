"""Statistics of daily bars that more than one engine reads: one definition, for a symbol or a panel."""

from __future__ import annotations

import math
from collections.abc import Callable

import polars as pl

from gnosis_ray.engines.shared.batch_cache import batch_cache
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.corporate_actions import adjusted

WINDOW = 60
"""Daily bars behind each statistic."""

MIN_BARS = 20
"""Fewer bars than this and the statistics are absent."""

BAR_LOOKBACK = 340
"""Bars that an engine declares to read for these statistics and :mod:`indicators`. The slowest memory is that of a
14-day Wilder average: after 340 bars (13/14)^326, 3e-11, is left of the bar that it started from,
so a panel that starts earlier agrees to better than 1e-9."""

BREAK = math.log(1.8)
"""A price this far, in logs, from the close before it is a split or the like, not a return."""


@batch_cache
def daily_statistics(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """For each key the statistics of its bars known by then.

    ``close``: the last close, USD, raw; ``closed_at``: its timestamp. ``adv_usd``: mean dollar volume (raw close times
    raw shares, which no split changes) of the last 60 bars; null where none is reported, as for an index.
    ``sigma_daily``: standard deviation of a day's log return, of adjusted closes, as the square root of realised
    bipower variation, pi/2 mean(|r_t| |r_{t-1}|), over 60 bars; a jump enters it once, times a normal day, and not
    squared (Barndorff-Nielsen, Shephard 2004, eq. 7); a return beyond ``BREAK`` does not enter it. Null with fewer
    than ``MIN_BARS`` bars. Rows in the keys' order.
    """
    usable = bars.filter(
        pl.col("close").is_finite() & (pl.col("close") > 0) & pl.col("volume").is_finite() & (pl.col("volume") >= 0)
    ).sort("symbol", "timestamp", "known_at")
    return latest_known(keys, usable, _rolling).select(
        "symbol", "timestamp", "close", "adv_usd", "sigma_daily", closed_at="bar"
    )


def latest_known(
    keys: pl.DataFrame, bars: pl.DataFrame, statistics: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """For each key the row of ``statistics`` at the last bar known by then, in the keys' order; nulls without one.

    ``bars`` is sorted by symbol, timestamp, known_at. ``statistics`` maps such bars, one version each, to a row a bar:
    ``symbol``, ``known_at``, ``bar`` (the bar's timestamp) and what was measured, looking back only. Where a bar was
    corrected, each timestamp is measured over the bars as they stood then.
    """
    asked = keys.select(KEYS.names()).with_row_index("row")
    if _became_known_in_order(bars):
        known = _latest(asked, statistics(bars), "known_at")
    else:
        timestamps = asked.sort("timestamp").partition_by("timestamp", maintain_order=True)
        known = pl.concat([_latest(at, statistics(_as_known(bars, at)), "bar") for at in timestamps])
    return known.sort("row").drop("row")


def _became_known_in_order(bars: pl.DataFrame) -> bool:
    """Whether no bar was corrected and none became known before an earlier one: then one pass serves every key."""
    same = pl.col("symbol") == pl.col("symbol").shift(1)
    late = (pl.col("timestamp") == pl.col("timestamp").shift(1)) | (pl.col("known_at") < pl.col("known_at").shift(1))
    return not bars.select((same & late).any()).item()


def _as_known(bars: pl.DataFrame, at: pl.DataFrame) -> pl.DataFrame:
    """The bars as they stood at the one timestamp of these keys: of each the version known last."""
    known = bars.filter(pl.col("known_at") <= at["timestamp"][0])
    return known.unique(["symbol", "timestamp"], keep="last", maintain_order=True)


def _rolling(bars: pl.DataFrame) -> pl.DataFrame:
    """The statistics at each bar of a sorted table."""
    move = pl.col("adjusted").log().diff().abs()
    magnitude = pl.when(move <= BREAK).then(move)
    traded = (pl.col("close") * pl.col("volume")).rolling_mean(WINDOW, min_samples=MIN_BARS).over("symbol")
    return bars.with_columns(adjusted=adjusted(bars)["close"]).select(
        "symbol",
        "known_at",
        "close",
        bar="timestamp",
        adv_usd=pl.when(traded > 0).then(traded),
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
