"""Technical indicators of daily bars: one definition, for a symbol or a panel.

RSI, Bollinger bands, moving averages and true range are TA-Lib's (through ``polars_talib``), which match the textbook:
Wilder's averages start from the plain mean of their first window. Yang-Zhang volatility is here, TA-Lib has none.
"""

from __future__ import annotations

import polars as pl
import polars_talib as ta

from gnosis_ray.engines.shared.bar_statistics import BREAK, latest_known
from gnosis_ray.engines.shared.batch_cache import batch_cache
from gnosis_ray.market.corporate_actions import PRICES, adjusted
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR

INDICATORS = ("rsi_14", "bollinger_percent_b", "keltner_position", "ret_5d", "realised_vol_20d")

RSI_DAYS, BAND_DAYS, RANGE_DAYS, RETURN_DAYS, VOL_DAYS = 14, 20, 10, 5, 20
BAND_WIDTH = 2.0
"""Of the Bollinger band in standard deviations, of the Keltner band in average true ranges."""

WARM_UP = 30
"""Bars beyond its window before a recursive indicator is given."""

MEMORY = BAND_DAYS + WARM_UP
"""Unbroken bars at which every indicator here is present."""


FLAT = 1e-9
"""A band narrower than this, over the price, is a price that does not move: no position in it."""


@batch_cache
def daily_indicators(keys: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """For each key the indicators at its last bar known by then, in the keys' order.

    Returns ``symbol, timestamp``, then, null where absent: ``rsi_14`` (0 to 100; Wilder 1978);
    ``bollinger_percent_b`` (20 days, 2 population deviations) and ``keltner_position`` (EMA 20, 2 ATR 10): 0 at the
    lower band, 1 at the upper; ``ret_5d``, simple return of five bars; ``realised_vol_20d``, Yang, Zhang (2000, eq. 7),
    a year of 252 days; ``last_bar``: the timestamp of that bar; and ``price_break``: the prices broke within the last
    ``MEMORY`` bars.

    ``bars``: ``columns.BARS``, any order; rows with an impossible price are left out, and a day's range always holds
    its open and close. Prices are :func:`~gnosis_ray.market.corporate_actions.adjusted`; only ratios of them enter, so
    an adjustment made later for an event after the key changes nothing. A break of prices that are adjusted, or of
    which no adjustment is known, starts the series afresh: indicators come back as their windows fill, ``rsi_14`` and
    ``keltner_position`` after 30 bars more, so that no split is ever read as a fall.
    """
    known = latest_known(keys, _usable(bars), _indicators)
    return known.select("symbol", "timestamp", *INDICATORS, "price_break", last_bar="bar")


def _usable(bars: pl.DataFrame) -> pl.DataFrame:
    """Sorted bars with possible prices."""
    possible = [pl.col(name).is_finite() & (pl.col(name) > 0) for name in PRICES]
    return (
        bars.filter(possible)
        .with_columns(high=pl.max_horizontal(PRICES), low=pl.min_horizontal(PRICES))
        .sort("symbol", "timestamp", "known_at")
    )


def _indicators(bars: pl.DataFrame) -> pl.DataFrame:
    """The indicators at each bar of a sorted table."""
    bars = adjusted(bars)
    same = (pl.col("symbol") == pl.col("symbol").shift(1)).fill_null(value=False)
    gap = (pl.col("open") / pl.col("close").shift(1)).log()
    broke = same & (gap.abs() > BREAK).fill_null(value=False)
    # whole numbers group faster than names
    runs = bars.with_columns(run=(~same | broke).cum_sum(), after_break=broke, **_returns(same & ~broke))
    run = "run"
    measured = runs.with_columns(
        age=pl.int_range(pl.len()).over(run),
        after_break=pl.col("after_break").first().over(run),
        rsi=ta.rsi(pl.col("close"), timeperiod=RSI_DAYS).over(run),
        bands=ta.bbands(pl.col("close"), BAND_DAYS, BAND_WIDTH, BAND_WIDTH).over(run),
        centre=ta.ema(pl.col("close"), timeperiod=BAND_DAYS).over(run),
        atr=ta.atr(pl.col("high"), pl.col("low"), pl.col("close"), timeperiod=RANGE_DAYS).over(run),
        moved=(pl.col("close") != pl.col("close").shift(1)).cast(pl.Int32).rolling_sum(RSI_DAYS + WARM_UP).over(run),
        ret_5d=(pl.col("close") / pl.col("close").shift(RETURN_DAYS) - 1).over(run),
        overnight=pl.col("overnight").rolling_var(VOL_DAYS).over(run),
        day=pl.col("day").rolling_var(VOL_DAYS).over(run),
        within=pl.col("within").rolling_mean(VOL_DAYS).over(run),
    )
    upper, lower = (pl.col("bands").struct.field(f"{side}band").fill_nan(None) for side in ("upper", "lower"))
    reach = pl.col("atr").fill_nan(None) * (2 * BAND_WIDTH)
    return measured.select(
        "symbol",
        "known_at",
        bar="timestamp",
        rsi_14=pl.when((pl.col("age") >= RSI_DAYS + WARM_UP) & (pl.col("moved") > 0)).then("rsi"),
        bollinger_percent_b=pl.when(upper - lower > pl.col("close") * FLAT).then(
            (pl.col("close") - lower) / (upper - lower)
        ),
        keltner_position=pl.when((pl.col("age") + 1 >= MEMORY) & (reach > pl.col("close") * FLAT)).then(
            (pl.col("close") - pl.col("centre")) / reach + 0.5
        ),
        ret_5d="ret_5d",
        realised_vol_20d=_yang_zhang(),
        price_break=pl.col("after_break") & (pl.col("age") + 1 < MEMORY),
    )


def _returns(follows: pl.Expr) -> dict[str, pl.Expr]:
    """A bar's returns: overnight (null where the bar does not follow one), open to close, and Rogers-Satchell's.

    Of all bars at once: inside a window every step is taken run by run, which costs more than the step.
    """
    day, up, down = ((pl.col(name) / pl.col("open")).log() for name in ("close", "high", "low"))
    return {
        "overnight": pl.when(follows).then((pl.col("open") / pl.col("close").shift(1)).log()),
        "day": day,
        "within": up * (up - day) + down * (down - day),
    }


def _yang_zhang() -> pl.Expr:
    """Annualised volatility of the last 20 bars, from the variances of their :func:`_returns`."""
    # sigma^2 = sigma_overnight^2 + k sigma_open-to-close^2 + (1 - k) sigma_RS^2, k = .34 / (1.34 + (n + 1)/(n - 1))
    n = VOL_DAYS
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    variance = pl.col("overnight") + k * pl.col("day") + (1 - k) * pl.col("within")
    return (pl.when(variance > 0).then(variance) * TRADING_DAYS_PER_YEAR).sqrt()
