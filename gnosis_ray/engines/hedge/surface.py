"""Volatility at named points of each expiry's smile, and thirty-day figures made of them."""

from __future__ import annotations

import polars as pl

TARGET_DAYS = 30.0
NEAREST_FROM_DAYS, NEAREST_TO_DAYS = 15.0, 60.0
"""With expiries on one side of the target only, the nearest is used if it lies in this range, else none."""

WING_DELTA = 0.25
TAIL_DELTA = 0.10
POINTS = ("atm", "put_wing", "call_wing", "put_tail", "call_tail")


def thirty_day_surface(points: pl.DataFrame) -> pl.DataFrame:
    """One row a ``key``: ``atm_iv_30d`` and ``skew_25d`` = iv(25-delta put) - iv(25-delta call), null where absent.

    ``points`` as from :func:`expiry_points`. Adds ``put_tail_30d`` and ``call_tail_30d``, both 10-delta volatilities.
    """
    ends = points.group_by("key").agg(expr for name in POINTS for expr in _ends(name))
    at_target = ends.select("key", *(_at_target(name) for name in POINTS))
    return at_target.select(
        "key",
        atm_iv_30d="atm",
        skew_25d=pl.col("put_wing") - pl.col("call_wing"),
        put_tail_30d="put_tail",
        call_tail_30d="call_tail",
    )


def expiry_points(chains: pl.DataFrame, tail_max_spread: float) -> pl.DataFrame:
    """One row a ``key``, expiry, settlement: volatility at the forward (``atm``), 25-delta wings and 10-delta tails.

    Linear between listed strikes, null where none brackets the point. A tail is taken only from quotes whose spread is
    at most ``tail_max_spread`` of their mid: far from the money a mid between a cent and dollars is no price. Needs
    ``key, tau, dte, strike, type, underlying_price, bid, ask, mid_price, rate, carry, iv, delta``, sorted by expiry and
    strike. Rows in order of key and ``tau``.
    """
    forward = pl.col("underlying_price") * ((pl.col("rate") - pl.col("carry")) * pl.col("tau")).exp()
    priced = chains.filter(pl.col("iv").is_not_null() & pl.col("delta").is_not_null()).with_columns(
        moneyness=(pl.col("strike") / forward).log()
    )
    call, put = pl.col("type") == "C", pl.col("type") == "P"
    tight = (pl.col("ask") - pl.col("bid") <= tail_max_spread * pl.col("mid_price")).fill_null(value=False)
    return (
        priced.group_by("key", "expiry", "settlement")
        .agg(
            pl.col("tau").first(),
            pl.col("dte").first(),
            *_bracket("atm", pl.col("moneyness"), pl.col("moneyness") <= 0, pl.lit(value=True)),
            *_bracket("put_wing", pl.col("delta"), pl.col("delta") >= -WING_DELTA, put),
            *_bracket("call_wing", pl.col("delta"), pl.col("delta") >= WING_DELTA, call, from_below=True),
            *_bracket("put_tail", pl.col("delta"), pl.col("delta") >= -TAIL_DELTA, put & tight),
            *_bracket("call_tail", pl.col("delta"), pl.col("delta") >= TAIL_DELTA, call & tight, from_below=True),
        )
        .with_columns(
            _between("atm", 0.0),
            _between("put_wing", -WING_DELTA),
            _between("call_wing", WING_DELTA),
            _between("put_tail", -TAIL_DELTA),
            _between("call_tail", TAIL_DELTA),
        )
        # a skew is a difference at one expiry: a wing without its other says nothing
        .with_columns(
            put_wing=pl.when(pl.col("call_wing").is_finite()).then("put_wing"),
            call_wing=pl.when(pl.col("put_wing").is_finite()).then("call_wing"),
        )
        .sort("key", "tau")
    )


def _bracket(name: str, x: pl.Expr, before: pl.Expr, side: pl.Expr, *, from_below: bool = False) -> list[pl.Expr]:
    """The neighbouring strikes around the wanted point, met first on the way out from the money.

    Strikes rise: a put's way out begins at the highest, a call's, ``from_below``, at the lowest. A far quote that is
    too dear turns a smile's delta back over the wanted one, and is not to be met.
    """
    low, high, strike = before & side, ~before & side, pl.col("strike")
    if from_below:
        low &= strike < strike.filter(high).first()
    else:
        high &= strike > strike.filter(low).last()
    return [
        x.filter(low).last().alias(f"{name}_x0"),
        pl.col("iv").filter(low).last().alias(f"{name}_y0"),
        x.filter(high).first().alias(f"{name}_x1"),
        pl.col("iv").filter(high).first().alias(f"{name}_y1"),
    ]


def _between(name: str, at: float) -> pl.Expr:
    x0, y0, x1, y1 = (pl.col(f"{name}_{c}") for c in ("x0", "y0", "x1", "y1"))
    return (y0 + (y1 - y0) * (at - x0) / (x1 - x0)).alias(name)


def _ends(name: str) -> list[pl.Expr]:
    """The last expiry up to the target that has the point, and the first after it: time, volatility and days."""
    has, before = pl.col(name).is_finite(), pl.col("dte") <= TARGET_DAYS
    columns = (("t", "tau"), ("v", name), ("d", "dte"))
    return [
        *(pl.col(column).filter(has & before).last().alias(f"{name}_{short}0") for short, column in columns),
        *(pl.col(column).filter(has & ~before).first().alias(f"{name}_{short}1") for short, column in columns),
    ]


def _at_target(name: str) -> pl.Expr:
    """Linear in total variance between the expiries around the target; the nearest one where one side is missing."""
    t0, v0, d0, t1, v1, d1 = (pl.col(f"{name}_{end}") for end in ("t0", "v0", "d0", "t1", "v1", "d1"))
    t = TARGET_DAYS / 365.0
    w0, w1 = v0 * v0 * t0, v1 * v1 * t1
    inside = ((w0 + (w1 - w0) * (t - t0) / (t1 - t0)) * (1 / t)).sqrt()
    return pl.coalesce(
        inside, pl.when(d0 >= NEAREST_FROM_DAYS).then(v0), pl.when(d1 <= NEAREST_TO_DAYS).then(v1)
    ).alias(name)
