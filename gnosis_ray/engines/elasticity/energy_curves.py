"""The energy of any move, not only of 1%: the curve behind the elasticity engine's features."""

from __future__ import annotations

import numpy as np
import polars as pl

from gnosis_ray.config import ElasticityConfig
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.elasticity.cost_curve import CostCurve, Floats
from gnosis_ray.engines.elasticity.hedge_path import Branch, branches, hedge_columns, profile_rows
from gnosis_ray.market.columns import DETAILS, KEYS

ENERGY = "energy"
ENERGY_OF_LIQUIDITY = "energy_liquidity"

STEPS = 30
"""Steps of a curve on either side of no move; with an even number, half of the furthest move is on the curve."""

LEAST_REACH_PCT = 2.0
"""The furthest move, at least; somewhat more than a day's expected move where that is more."""

REACH_OF_EXPECTED_MOVE = 1.25


def energy_curves(features: pl.DataFrame, hedge: EngineFrames | None, config: ElasticityConfig) -> pl.DataFrame:
    """``columns.DETAILS`` of two curves a key: ``x`` a move in percent, negative downwards, ``value`` USD.

    ``energy``: the net order flow that carries the price there, as ``energy_to_move_1pct_*`` at 1%;
    ``energy_liquidity``: the part of it that order flow alone resists. ``features``: the elasticity engine's own,
    ``hedge``: the frames that it computed them with. Keys without energies have no curve.
    """
    rows = features.filter(pl.col("energy_to_move_1pct_up").is_not_null()).with_row_index("row")
    rows = rows.select("row", *KEYS, "adv_usd", "sigma_daily", "exp_move_pct", "^indicator_bias_.*$")
    hedged = hedge_columns(rows, hedge)
    paths = branches(hedged, profile_rows(hedged.select("row", *KEYS, "spot", "gex"), hedge))
    deviation = config.impact_coefficient * rows["sigma_daily"].to_numpy()
    a = rows["adv_usd"].to_numpy() / (deviation * deviation)
    reach = np.maximum(LEAST_REACH_PCT, REACH_OF_EXPECTED_MOVE * rows["exp_move_pct"].fill_null(0.0).to_numpy())
    percents = reach[:, None] * (np.arange(STEPS + 1) / STEPS)
    curves = [pl.DataFrame(schema=DETAILS)]
    for side, sign, path in (("up", 1.0, paths[0]), ("down", -1.0, paths[1])):
        bias = rows[f"indicator_bias_{side}"].to_numpy()[:, None]
        moves = percents / 100.0
        cost = _cost(a, path, moves, config.floor_share) * bias
        first = 0 if sign > 0 else 1  # no move is one point, not one of each side
        for name, usd in ((ENERGY, cost), (ENERGY_OF_LIQUIDITY, a[:, None] * moves * moves * bias)):
            curves.append(_long(rows, name, sign * percents[:, first:], usd[:, first:]))
    return pl.concat(curves)


def _cost(a: Floats, path: Branch, moves: Floats, floor: float) -> Floats:
    """(n, m) USD of each of a key's moves."""
    curve = CostCurve(a, *path, floor)
    return np.stack([curve.cost(moves[:, column]) for column in range(moves.shape[1])], axis=1)


def _long(rows: pl.DataFrame, name: str, x: Floats, value: Floats) -> pl.DataFrame:
    owner = np.repeat(np.arange(len(rows)), x.shape[1])
    keys = rows.select(KEYS.names())[owner]
    return keys.with_columns(
        pl.lit(name).alias("name"), pl.Series("x", x.reshape(-1)), pl.Series("value", value.reshape(-1))
    )
