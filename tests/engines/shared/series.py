"""Daily bars that wander, and the textbook's indicators by plain loops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.market.columns import BARS

START = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)
Floats = npt.NDArray[np.float64]


def wandering(
    count: int, *, symbol: str = "AAA", seed: int = 1, sigma: float = 0.02, start: float = 100.0
) -> pl.DataFrame:
    """``columns.BARS``: a random walk with overnight gaps, one bar a calendar day."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, sigma, count)))
    opened = np.concatenate([[start], close[:-1]]) * np.exp(rng.normal(0, sigma / 3, count))
    times = [START + timedelta(days=i) for i in range(count)]
    return pl.DataFrame(
        {
            "symbol": [symbol] * count,
            "timestamp": times,
            "known_at": times,
            "open": opened,
            "high": np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, sigma / 3, count))),
            "low": np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, sigma / 3, count))),
            "close": close,
            "volume": rng.uniform(1e5, 1e6, count),
            "adjusted_close": [None] * count,
        },
        schema=BARS,
    )


def wilder_average(values: Floats, days: int) -> float:
    """The plain mean of the first ``days``, then 1/days of each new value."""
    average = float(values[:days].mean())
    for value in values[days:]:
        average += (float(value) - average) / days
    return average


def rsi(close: Floats, days: int = 14) -> float:
    """Wilder 1978."""
    change = np.diff(close)
    gain = wilder_average(np.maximum(change, 0), days)
    loss = wilder_average(np.maximum(-change, 0), days)
    return 100 * gain / (gain + loss)


def percent_b(close: Floats) -> float:
    """Twenty days, two population deviations."""
    last = close[-20:]
    return float((close[-1] - (last.mean() - 2 * last.std())) / (4 * last.std()))


def keltner(high: Floats, low: Floats, close: Floats) -> float:
    """EMA 20 started from the plain mean, two average true ranges of ten days."""
    centre = float(close[:20].mean())
    for value in close[20:]:
        centre += (float(value) - centre) * 2 / 21
    before = close[:-1]
    true_range = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    reach = 2 * wilder_average(true_range, 10)
    return float((close[-1] - centre + reach) / (2 * reach))


def yang_zhang(bars: pl.DataFrame, n: int = 20) -> float:
    """Yang, Zhang (2000), annualised over 252 days."""
    o, h, lo, c = (bars[name].to_numpy() for name in ("open", "high", "low", "close"))
    overnight = np.log(o[1:] / c[:-1])[-n:]
    day, up, down = (np.log(x / o)[-n:] for x in (c, h, lo))
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    within = up * (up - day) + down * (down - day)
    return float(np.sqrt(252 * (overnight.var(ddof=1) + k * day.var(ddof=1) + (1 - k) * within.mean())))
