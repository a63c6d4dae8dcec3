"""Thirty-day at-the-money volatility and skew from a chain."""

from __future__ import annotations

import polars as pl

TARGET_DAYS = 30.0
NEAREST_FROM_DAYS, NEAREST_TO_DAYS = 15.0, 60.0
"""With expiries on one side of the target only, the nearest is used if it lies in this range, else none."""

WING_DELTA = 0.25


def thirty_day_surface(chains: pl.DataFrame) -> pl.DataFrame:
    """One row a ``key``: ``atm_iv_30d`` and ``skew_25d`` = iv(25-delta put) - iv(25-delta call), null where absent.

    Needs ``key, tau, dte, strike, type, underlying_price, rate, carry, iv, delta``, sorted by expiry and strike.
    """
    by_expiry = _expiry_points(chains)
    columns = [_at_target(by_expiry, name) for name in ("atm", "put_wing", "call_wing")]
    joined = columns[0].join(columns[1], on="key", how="full", coalesce=True)
    joined = joined.join(columns[2], on="key", how="full", coalesce=True)
    return joined.select("key", atm_iv_30d="atm", skew_25d=pl.col("put_wing") - pl.col("call_wing"))


def _expiry_points(chains: pl.DataFrame) -> pl.DataFrame:
    """Volatility at the forward and at both 25-delta wings, per key and expiry, linear between listed strikes."""
    forward = pl.col("underlying_price") * ((pl.col("rate") - pl.col("carry")) * pl.col("tau")).exp()
    priced = chains.filter(pl.col("iv").is_not_null() & pl.col("delta").is_not_null()).with_columns(
        moneyness=(pl.col("strike") / forward).log()
    )
    call, put = pl.col("type") == "C", pl.col("type") == "P"
    return (
        priced.group_by("key", "expiry")
        .agg(
            pl.col("tau").first(),
            pl.col("dte").first(),
            *_bracket("atm", pl.col("moneyness"), pl.col("moneyness") <= 0, pl.lit(value=True)),
            *_bracket("put_wing", pl.col("delta"), pl.col("delta") >= -WING_DELTA, put),
            *_bracket("call_wing", pl.col("delta"), pl.col("delta") >= WING_DELTA, call),
        )
        .with_columns(_between("atm", 0.0), _between("put_wing", -WING_DELTA), _between("call_wing", WING_DELTA))
        .sort("key", "tau")
    )


def _bracket(name: str, x: pl.Expr, before: pl.Expr, side: pl.Expr) -> list[pl.Expr]:
    """The last point before and the first after the wanted one, in order of strike."""
    low, high = before & side, ~before & side
    return [
        x.filter(low).last().alias(f"{name}_x0"),
        pl.col("iv").filter(low).last().alias(f"{name}_y0"),
        x.filter(high).first().alias(f"{name}_x1"),
        pl.col("iv").filter(high).first().alias(f"{name}_y1"),
    ]


def _between(name: str, at: float) -> pl.Expr:
    x0, y0, x1, y1 = (pl.col(f"{name}_{c}") for c in ("x0", "y0", "x1", "y1"))
    return (y0 + (y1 - y0) * (at - x0) / (x1 - x0)).alias(name)


def _at_target(by_expiry: pl.DataFrame, name: str) -> pl.DataFrame:
    """Linear in total variance between the expiries around the target; the nearest one where one side is missing."""
    known = by_expiry.filter(pl.col(name).is_not_null() & pl.col(name).is_finite())
    before = pl.col("dte") <= TARGET_DAYS
    ends = known.group_by("key").agg(
        t0=pl.col("tau").filter(before).last(),
        v0=pl.col(name).filter(before).last(),
        d0=pl.col("dte").filter(before).last(),
        t1=pl.col("tau").filter(~before).first(),
        v1=pl.col(name).filter(~before).first(),
        d1=pl.col("dte").filter(~before).first(),
    )
    t = TARGET_DAYS / 365.0
    w0, w1 = pl.col("v0") * pl.col("v0") * pl.col("t0"), pl.col("v1") * pl.col("v1") * pl.col("t1")
    inside = ((w0 + (w1 - w0) * (t - pl.col("t0")) / (pl.col("t1") - pl.col("t0"))) * (1 / t)).sqrt()
    return ends.select(
        "key",
        pl.coalesce(
            inside,
            pl.when(pl.col("d0") >= NEAREST_FROM_DAYS).then("v0"),
            pl.when(pl.col("d1") <= NEAREST_TO_DAYS).then("v1"),
        ).alias(name),
    )
