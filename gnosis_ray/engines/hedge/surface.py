"""Volatility at named points of each expiry's smile, and thirty-day figures made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.schemas.conventions import DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

TARGET_DAYS = 30.0
NEAREST_FROM_DAYS, NEAREST_TO_DAYS = 15.0, 60.0
"""With expiries on one side of the target only, the nearest is used if it lies in this range, else none."""

WING_DELTA = 0.25
TAIL_DELTA = 0.10
SMILE = ("key", "expiry", "settlement")
"""What one smile has in common."""

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
    priced = chains.filter(pl.col("iv").is_not_null() & pl.col("delta").is_not_null()).select(
        *SMILE,
        *("tau", "dte", "strike", "iv", "delta"),
        moneyness=(pl.col("strike") / forward).log(),
        call=pl.col("type") == "C",
        put=pl.col("type") == "P",
        tight=(pl.col("ask") - pl.col("bid") <= tail_max_spread * pl.col("mid_price")).fill_null(value=False),
    )
    if priced["settlement"].n_unique() > 1:  # else the rows of a smile lie together as they are
        priced = priced.sort(SMILE, maintain_order=True)
    smiles = _Smiles.of(priced)
    moneyness, delta, call, put, tight = (priced[n].to_numpy() for n in ("moneyness", "delta", "call", "put", "tight"))
    at_forward = smiles.point(moneyness, 0.0, moneyness <= 0, np.ones_like(call))
    put_wing = smiles.point(delta, -WING_DELTA, delta >= -WING_DELTA, put)
    call_wing = smiles.point(delta, WING_DELTA, delta >= WING_DELTA, call, from_below=True)
    put_tail = smiles.point(delta, -TAIL_DELTA, delta >= -TAIL_DELTA, put & tight)
    call_tail = smiles.point(delta, TAIL_DELTA, delta >= TAIL_DELTA, call & tight, from_below=True)
    # a skew is a difference at one expiry: a wing without its other says nothing
    lone = np.isnan(put_wing) | np.isnan(call_wing)
    put_wing[lone] = call_wing[lone] = np.nan
    found = zip(POINTS, (at_forward, put_wing, call_wing, put_tail, call_tail), strict=True)
    return (
        priced.select(*SMILE, "tau", "dte")[smiles.starts]
        .with_columns(pl.Series(name, values, nan_to_null=True) for name, values in found)
        .sort("key", "tau")
    )


@dataclass(frozen=True)
class _Smiles:
    """Contracts by smile, strikes rising. ``starts`` (smiles,): first rows; the others (rows,)."""

    starts: Rows
    owner: Rows
    strike: Floats
    iv: Floats

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        """``rows`` whose smiles lie together."""
        changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in SMILE)
        begins = rows.select(changed).to_series().to_numpy()
        owner = np.cumsum(begins) - 1
        return cls(np.flatnonzero(begins), owner, rows["strike"].to_numpy(), rows["iv"].to_numpy())

    def point(self, x: Floats, at: float, before: Flags, side: Flags, *, from_below: bool = False) -> Floats:
        """(smiles,): volatility at ``x = at``, between the neighbouring strikes around it; NaN where it has not both.

        The strikes are those met first on the way out from the money. Strikes rise: a put's way out begins at the
        highest, a call's, ``from_below``, at the lowest. A far quote that is too dear turns a smile's delta back over
        the wanted one, and is not to be met.
        """
        low, high = before & side, ~before & side
        if from_below:
            low &= self.strike < self._told(self.strike, self._first(high))[self.owner]
        else:
            high &= self.strike > self._told(self.strike, self._last(low))[self.owner]
        left, right = self._last(low), self._first(high)
        x0, x1, y0, y1 = (self._told(of, end) for of in (x, self.iv) for end in (left, right))
        return np.asarray(y0 + (y1 - y0) * (at - x0) / (x1 - x0))

    def _first(self, wanted: Flags) -> Rows:
        """(smiles,): the first row that is wanted, -1 without one."""
        return self._scattered(np.flatnonzero(wanted)[::-1])

    def _last(self, wanted: Flags) -> Rows:
        """(smiles,): the last row that is wanted, -1 without one."""
        return self._scattered(np.flatnonzero(wanted))

    def _scattered(self, rows: Rows) -> Rows:
        """The row of each smile; of several the one that stands last."""
        found = np.full(self.starts.size, -1)
        found[self.owner[rows]] = rows
        return found

    def _told(self, values: Floats, rows: Rows) -> Floats:
        return np.append(values, np.nan)[rows]


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
    t = TARGET_DAYS / DAYS_PER_YEAR
    w0, w1 = v0 * v0 * t0, v1 * v1 * t1
    inside = ((w0 + (w1 - w0) * (t - t0) / (t1 - t0)) * (1 / t)).sqrt()
    return pl.coalesce(
        inside, pl.when(d0 >= NEAREST_FROM_DAYS).then(v0), pl.when(d1 <= NEAREST_TO_DAYS).then(v1)
    ).alias(name)
