"""The cost of moving the price, rebuilt from the ledger: the curve E(x) behind the energies at 1%."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.elasticity.cost_curve import CostCurve, Floats
from gnosis_ray.engines.elasticity.hedge_path import branches, profile_rows

POINTS = 61
MOVES_SHOWN_PCT = 2.0
"""At least; somewhat more than a day's expected move where that is more."""

AGREES_WITHIN = 1e-6
"""Relative distance from the ledger's own energy at 1% beyond which a rebuilt curve is not the run's."""


@dataclass(frozen=True)
class EnergyCurve:
    """Cost in USD (``usd``) of moves in percent (``move_pct``, ascending from the fall to the rise), and the part of
    it that order flow alone resists (``liquidity_usd``)."""

    move_pct: tuple[float, ...]
    usd: tuple[float, ...]
    liquidity_usd: tuple[float, ...]


def energy_curve(
    hedge: Mapping[str, float], elasticity: Mapping[str, float], details: pl.DataFrame, config: Config | None
) -> EnergyCurve | None:
    """The curve of one symbol; None where it has no energies, or where what is rebuilt is not what the run found.

    ``hedge`` and ``elasticity``: the features of the snapshot; ``details``: ``columns.DETAILS`` of the symbol.
    """
    if config is None or "energy_to_move_1pct_up" not in elasticity:
        return None
    settings = config.engines.elasticity
    deviation = settings.impact_coefficient * elasticity["sigma_daily"]
    a = elasticity["adv_usd"] / (deviation * deviation)
    far = max(MOVES_SHOWN_PCT, 1.25 * elasticity.get("exp_move_pct", 0.0))
    moves = np.linspace(0.0, far, POINTS) / 100
    rising, falling = _paths(hedge, details)
    sides = []
    for side, (nodes, gamma) in (("up", rising), ("down", falling)):
        bias = elasticity[f"indicator_bias_{side}"]
        if not _agrees(_cost(a, nodes, gamma, settings.floor_share, np.array([0.01])) * bias, elasticity, side):
            return None
        sides.append((_cost(a, nodes, gamma, settings.floor_share, moves) * bias, a * moves * moves * bias))
    (up, up_flow), (down, down_flow) = sides
    return EnergyCurve(_both(-moves * 100, moves * 100), _both(down, up), _both(down_flow, up_flow))


def _paths(hedge: Mapping[str, float], details: pl.DataFrame) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    rows = details.select("symbol", "timestamp").head(1)
    if rows.is_empty():
        rows = pl.DataFrame({"symbol": [""], "timestamp": [None]}, schema=details.select("symbol", "timestamp").schema)
    rows = rows.with_row_index("row").with_columns(
        pl.lit(hedge.get("spot"), pl.Float64).alias("spot"),
        pl.lit(hedge.get("gex_usd_per_pct"), pl.Float64).alias("gex"),
    )
    frames = EngineFrames(rows, details)
    return branches(rows, profile_rows(rows, frames))


def _cost(a: float, nodes: Floats, gamma: Floats, floor: float, moves: Floats) -> Floats:
    count = len(moves)
    curve = CostCurve(np.full(count, a), np.repeat(nodes, count, axis=0), np.repeat(gamma, count, axis=0), floor)
    return curve.cost(moves)


def _agrees(rebuilt: Floats, elasticity: Mapping[str, float], side: str) -> bool:
    recorded = elasticity[f"energy_to_move_1pct_{side}"]
    return abs(float(rebuilt[0]) - recorded) <= AGREES_WITHIN * abs(recorded)


def _both(down: Floats, up: Floats) -> tuple[float, ...]:
    """From the far fall over zero to the far rise."""
    return (*down[:0:-1].tolist(), *up.tolist())
