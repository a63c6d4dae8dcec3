"""Dealer exposures of an option book, in dollars, and the strikes where they stand.

Here as in every engine, Polars columns are multiplied by constants, never divided by them: Polars divides a column by
a literal through its reciprocal but a single row truly, and a batch of one must equal a batch of many to the bit. For
the same reason part of a group is summed with zeros in the place of the rest (:func:`_sum_where`), not filtered.
"""

from __future__ import annotations

import polars as pl

from gnosis_ray.config import HedgeConfig
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, SHARES_PER_CONTRACT

ONE_PERCENT = 0.01
VOL_POINT = 0.01
YEARS_PER_DAY = 1 / DAYS_PER_YEAR


def with_exposures(chains: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """The contracts that carry an exposure (open interest and greeks), with it in dollars.

    Adds ``sign`` (+1: dealers are taken to own it), ``gex`` = gamma OI 100 S^2 .01 per 1% move, ``vex`` = vanna OI
    100 S .01 per volatility point, ``cex`` = charm/365 OI 100 S per day, all without the dealer's sign.
    """
    shares = pl.col("open_interest") * SHARES_PER_CONTRACT
    spot = pl.col("underlying_price")
    return chains.filter((pl.col("open_interest") > 0) & pl.col("gamma").is_not_null()).with_columns(
        sign=pl.when(pl.col("type") == "C").then(config.dealer_call_sign).otherwise(config.dealer_put_sign),
        gex=pl.col("gamma") * shares * spot * spot * ONE_PERCENT,
        vex=pl.col("vanna") * shares * spot * VOL_POINT,
        cex=pl.col("charm") * YEARS_PER_DAY * shares * spot,
    )


def book_sums(book: pl.DataFrame, config: HedgeConfig) -> pl.DataFrame:
    """One row a ``key``: plain pressures, net and gross exposures, the horizon, and the near call block.

    ``near_call_gex``: gross gamma of out-of-the-money calls within ``squeeze_call_window`` above spot.
    """
    spot, strike = pl.col("underlying_price"), pl.col("strike")
    near_call = (pl.col("type") == "C") & (strike > spot) & (strike <= spot * (1 + config.squeeze_call_window))
    return book.group_by("key").agg(
        gamma_pressure=(pl.col("gamma") * pl.col("open_interest") * spot).sum(),
        vanna_pressure=(pl.col("vanna") * pl.col("open_interest")).sum(),
        charm_pressure=(pl.col("charm") * pl.col("open_interest")).sum(),
        gex_usd_per_pct=(pl.col("sign") * pl.col("gex")).sum(),
        gex_gross_usd_per_pct=pl.col("gex").sum(),
        vex_usd_per_vol_point=(pl.col("sign") * pl.col("vex")).sum(),
        vex_gross_usd_per_vol_point=pl.col("vex").abs().sum(),
        cex_usd_per_day=(pl.col("sign") * pl.col("cex")).sum(),
        cex_gross_usd_per_day=pl.col("cex").abs().sum(),
        chain_horizon_days=(pl.col("gex") * pl.col("dte")).sum() / pl.col("gex").sum(),
        near_call_gex=_sum_where(near_call, "gex"),
        last_smile_share=_sum_where(pl.col("iv_source") == "last_smile", "gex") / pl.col("gex").sum(),
    )


def _sum_where(condition: pl.Expr, name: str) -> pl.Expr:
    """Polars sums a filtered group in another order where the filter kept every row of the frame."""
    return pl.when(condition).then(name).otherwise(0.0).sum()


def walls(book: pl.DataFrame) -> pl.DataFrame:
    """One row a ``key``: the strikes with the most call and put gamma, and the expiry that carries each.

    ``call_wall``, ``put_wall`` in USD; ``*_dte``: days to the expiry with the most gamma at that strike,
    the first of equals: ``book`` comes in order of expiry.
    """
    return _wall(book, "C", "call_wall").join(_wall(book, "P", "put_wall"), on="key", how="full", coalesce=True)


def _wall(book: pl.DataFrame, option_type: str, name: str) -> pl.DataFrame:
    side = book.select("key", "strike", "dte", "gex", "type").filter(pl.col("type") == option_type)
    strikes = side.group_by("key", "strike").agg(
        total=pl.col("gex").sum(), dte=pl.col("dte").get(pl.col("gex").arg_max())
    )
    highest = strikes.sort("key", "total", "strike", descending=[False, True, False])
    return highest.group_by("key", maintain_order=True).agg(
        pl.col("strike").first().alias(name), pl.col("dte").first().alias(f"{name}_dte")
    )
