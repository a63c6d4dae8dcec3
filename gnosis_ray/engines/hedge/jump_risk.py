"""Jump risk: how much dearer the tails of a short-dated smile are than those of the thirty-day one."""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import HedgeConfig


def jump_risk(points: pl.DataFrame, surface: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """One row a ``key`` that has both: ``jump_risk`` = tails(short) - tails(30 days), and ``jump_days``.

    tails(T) = mean of the 10-delta put's and the 10-delta call's volatility over the volatility at the forward. A
    strike of given delta stands a given number of standard deviations away, so a smile made by diffusion alone gives
    the same ratio at each maturity; jumps leave out-of-the-money options dear however little time is left (Carr, Wu
    2003, What Type of Process Underlies Options?). ``jump_days``: days to the short expiry, the nearest of
    ``jump_min_days`` to ``jump_max_days`` that has all three volatilities.

    ``points`` as from :func:`surface.expiry_points`, ``surface`` from :func:`surface.thirty_day_surface`.
    """
    short = (
        points.filter(pl.col("dte").is_between(config.jump_min_days, config.jump_max_days))
        .with_columns(short_tails=_tails("put_tail", "call_tail", "atm"))
        .filter(pl.col("short_tails").is_finite())
        .group_by("key", maintain_order=True)
        .agg(pl.col("short_tails").first(), jump_days=pl.col("dte").first())
    )
    month = surface.select("key", month_tails=_tails("put_tail_30d", "call_tail_30d", "atm_iv_30d"))
    both = short.join(month.drop_nulls(), on="key", how="inner")
    return both.select("key", jump_risk=pl.col("short_tails") - pl.col("month_tails"), jump_days="jump_days")


def _tails(put: str, call: str, atm: str) -> pl.Expr:
    return (pl.col(put) + pl.col(call)) * 0.5 / pl.col(atm)
