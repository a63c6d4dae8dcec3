"""Dealers' gamma along the way up and the way down, from the hedge engine's frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.engines.base import EngineFrames

PROFILE = "gamma_profile"
PER_UNIT_MOVE = 100.0
"""Gamma in dollars per 1% becomes dollars per unit of log move."""

Floats = npt.NDArray[np.float64]
Branch = tuple[Floats, Floats]


def hedge_columns(keys: pl.DataFrame, hedge: EngineFrames | None) -> pl.DataFrame:
    """Beside each of ``keys``: what the hedge engine said of it, null where it did not.

    ``spot`` USD, ``gex`` net dealer gamma at spot in USD per 1% move, ``atm_iv_30d`` a year, ``hedge_confidence``.
    """
    columns = {"spot": "spot", "gex_usd_per_pct": "gex", "atm_iv_30d": "atm_iv_30d", "confidence": "hedge_confidence"}
    if hedge is None:
        return keys.with_columns(pl.lit(None, pl.Float64).alias(name) for name in columns.values())
    said = hedge.features.select("symbol", "timestamp", *(pl.col(c).alias(n) for c, n in columns.items()))
    return keys.join(
        said.unique(["symbol", "timestamp"], keep="first"),
        on=["symbol", "timestamp"],
        how="left",
        maintain_order="left",
    )


def profile_rows(rows: pl.DataFrame, hedge: EngineFrames | None) -> pl.DataFrame:
    """The gamma profiles of ``rows`` (``row, symbol, timestamp, spot``) in order of row and level.

    ``row``, ``move`` = ln(level / spot), ``gamma`` USD per unit of log move; rows without a spot or a net gamma have
    none.
    """
    details = None if hedge is None else hedge.details.filter(pl.col("name") == PROFILE)
    if details is None or details.is_empty():
        return pl.DataFrame(schema={"row": pl.UInt32, "move": pl.Float64, "gamma": pl.Float64})
    owned = details.join(rows.filter(pl.col("gex").is_not_null()), on=["symbol", "timestamp"], how="inner")
    # logs are subtracted: a quotient of columns is rounded differently where one of them holds a single value
    move = pl.col("x").log() - pl.col("spot").log()
    return owned.select("row", move=move, gamma=pl.col("value") * PER_UNIT_MOVE).sort("row", "move")


def branches(rows: pl.DataFrame, profiles: pl.DataFrame) -> tuple[Branch, Branch]:
    """Nodes and gamma, up and down, for :class:`cost_curve.CostCurve`: (n, m) each.

    A row without a profile has the net gamma at spot all the way; one without either has none.
    """
    at_spot = rows["gex"].fill_null(0.0).to_numpy() * PER_UNIT_MOVE
    owner = np.searchsorted(rows["row"].to_numpy(), profiles["row"].to_numpy())
    move, gamma = profiles["move"].to_numpy(), profiles["gamma"].to_numpy()
    up, down = move > 0, move < 0
    rising = _ragged(owner[up], move[up], gamma[up], at_spot)
    falling = _ragged(owner[down][::-1], -move[down][::-1], gamma[down][::-1], at_spot)
    return rising, falling


def _ragged(owner: npt.NDArray[np.int64], move: Floats, gamma: Floats, at_spot: Floats) -> Branch:
    """Lists of different length as matrices; the first column is spot, the last point of a list is repeated."""
    rows = len(at_spot)
    count = np.bincount(owner, minlength=rows)
    width = int(count.max(initial=0)) + 1
    nodes, values = np.zeros((rows, width)), np.repeat(at_spot[:, None], width, axis=1)
    order = np.argsort(owner, kind="stable")
    start = np.cumsum(count) - count
    column = np.arange(len(owner)) - start[owner[order]] + 1
    nodes[owner[order], column], values[owner[order], column] = move[order], gamma[order]
    last = np.minimum(np.arange(width), count[:, None])
    return np.take_along_axis(nodes, last, axis=1), np.take_along_axis(values, last, axis=1)
