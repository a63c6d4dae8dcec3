"""Corporate actions: daily prices in one unit of share, whatever was split or paid out on the way.

Returns and whatever is made of them are taken of adjusted prices; strikes, spots, last prices and dollar volumes are
raw. ``adjusted_close`` may have been written in hindsight: its level then reflects splits still to come. The ratio of
two days' adjustments reflects only what happened between them, so nothing here uses more than that ratio.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

PRICES = ("open", "high", "low", "close")

Floats = npt.NDArray[np.float64]


def adjustment(bars: pl.DataFrame) -> pl.Series | None:
    """By what each bar's prices are multiplied, and its volume divided, to be in one unit of share a symbol.

    ``bars``: ``columns.BARS`` of positive closes, sorted by symbol and timestamp, one version of each; the column
    ``adjusted_close`` may be missing. Returns (n,), positive. It is 1 at a symbol's first bar and changes with
    adjusted_close / close from each bar to the next where both are known; where either is not, it stays, so that their
    raw closes are compared. None where no bar shows an action: nothing needs to be multiplied then.
    """
    if "adjusted_close" not in bars.columns or not (bars["adjusted_close"] != bars["close"]).any():
        return None
    ratio = pl.col("adjusted_close") / pl.col("close")
    known = pl.when(ratio.is_finite() & (ratio > 0)).then(ratio)
    follows = pl.col("symbol") == pl.col("symbol").shift(1)
    change = pl.when(follows).then(known / known.shift(1)).fill_null(1.0)
    return bars.with_columns(change=change).select(pl.col("change").cum_prod().over("symbol")).to_series()


def adjusted(bars: pl.DataFrame) -> pl.DataFrame:
    """``bars`` with prices and volumes in one unit of share a symbol; see :func:`adjustment`.

    A symbol's prices are in shares of its first bar: they are compared with each other, and with nothing else.
    """
    factor = adjustment(bars)
    if factor is None:
        return bars
    return bars.with_columns(*(pl.col(name) * factor for name in PRICES), pl.col("volume") / factor)


def adjusted_to_last(bars: pl.DataFrame) -> pl.DataFrame:
    """``bars`` with prices and volumes in shares of each symbol's last bar; see :func:`adjustment`."""
    factor = adjustment(bars)
    if factor is None:
        return bars
    scaled = bars.with_columns(factor=factor)
    scale = pl.col("factor") * (1 / pl.col("factor").last().over("symbol"))
    return scaled.with_columns(*(pl.col(name) * scale for name in PRICES), pl.col("volume") / scale).drop("factor")


def log_moves(closes: Floats, adjusted_closes: Floats) -> Floats:
    """Log returns from each of one symbol's n closes to the next, (n - 1,), by the rule of :func:`adjustment`.

    NaN stands for what is unknown: of an adjusted close the raw return is taken, of a close there is none.
    """
    known = np.where((adjusted_closes > 0) & np.isfinite(adjusted_closes), adjusted_closes, np.nan)
    changes = np.diff(np.log(known / closes))
    return np.diff(np.log(closes)) + np.where(np.isnan(changes), 0.0, changes)
