"""Discounting and carry: the rate curve, and the forward that put-call parity implies.

C - P = e^{-r tau} (F - K) (Stoll 1969): every strike with a call and a put names a forward; their median is robust to a
few bad quotes. The carry yield q follows from F = S e^{(r - q) tau}.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gnosis_ray.config import ForwardConfig, RatePoint
from gnosis_ray.options.bsm import Floats
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR


def zero_rates(days: Floats, curve: Sequence[RatePoint]) -> Floats:
    """Continuously compounded rates a year for maturities in days: linear between the points, flat outside."""
    points = sorted(curve, key=lambda point: point.days)
    return np.asarray(np.interp(days, [p.days for p in points], [p.rate for p in points]), dtype=np.float64)


def parity_forward() -> pl.Expr:
    """The forward in USD that one strike's ``call_mid`` and ``put_mid`` imply: K + e^{r tau} (C - P)."""
    return pl.col("strike") + (pl.col("rate") * pl.col("tau")).exp() * (pl.col("call_mid") - pl.col("put_mid"))


def implied_carry(strikes: pl.DataFrame, by: Sequence[str], config: ForwardConfig) -> pl.DataFrame:
    """The forward and carry of each expiry that has enough near strikes; the others have no row.

    ``strikes``: one row a strike with ``by`` (which name an expiry of a symbol at a time), ``spot``, ``strike``,
    ``call_mid``, ``put_mid`` (USD; both of two-sided quotes), ``rate`` (a year) and ``tau`` (years), the last two and
    ``spot`` equal within an expiry. Strikes further than ``strike_window`` from spot are left out.

    Returns ``by``, ``forward`` (USD) and ``carry`` (yield a year), sorted by ``by``. An expiry with fewer than
    ``min_strikes`` of them or not more than ``min_days`` left is absent: carry divides a small number by the time.
    """
    near = (pl.col("strike") - pl.col("spot")).abs() <= config.strike_window * pl.col("spot")
    return (
        strikes.filter(near & (pl.col("tau") * DAYS_PER_YEAR > config.min_days))
        .group_by(by)
        .agg(
            pl.len().alias("strikes"),
            parity_forward().median().alias("forward"),
            pl.col("spot", "rate", "tau").first(),
        )
        .filter((pl.col("strikes") >= config.min_strikes) & (pl.col("forward") > 0))
        .with_columns(
            # F = S e^{(r - q) tau}, so q = r - ln(F/S) / tau
            (pl.col("rate") - (pl.col("forward") / pl.col("spot")).log() / pl.col("tau")).alias("carry"),
        )
        .select(*by, "forward", "carry")
        .sort(by)
    )


def spot_disagreements(strikes: pl.DataFrame, by: Sequence[str], config: ForwardConfig) -> pl.DataFrame:
    """The ``by`` groups whose options are not on the share that ``spot`` prices (a split, a spin-off, a wrong figure).

    ``strikes`` as for :func:`implied_carry`, ``by`` naming a symbol at a time. A group is named where at least
    ``min_strikes`` pairs, near spot or not, put their median forward more than ``max_spot_gap`` (a fraction) off spot.
    """
    ratio = (parity_forward() / pl.col("spot")).median()
    return (
        strikes.group_by(by)
        .agg(pl.len().alias("strikes"), (ratio - 1.0).abs().alias("gap"))
        .filter((pl.col("strikes") >= config.min_strikes) & (pl.col("gap") > config.max_spot_gap))
        .select(by)
        .sort(by)
    )
