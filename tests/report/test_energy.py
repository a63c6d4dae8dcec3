"""The rebuilt curve is the one that the run found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.report.energy import MOVES_SHOWN_PCT, energy_curve
from tests.report.samples import recorded


def test_the_curve_goes_through_the_energies_of_one_percent(entry: SymbolEntry, config: Config) -> None:
    snapshot = recorded(entry).snapshot
    curve = energy_curve(snapshot.hedge, snapshot.elasticity, entry.details, config)
    assert curve is not None
    at = dict(zip(curve.move_pct, curve.usd, strict=True))
    for side, sign in (("up", 1), ("down", -1)):
        near = min(at, key=lambda move: abs(move - sign))
        told = snapshot.elasticity[f"energy_to_move_1pct_{side}"]
        assert at[near] == pytest.approx(told * near * near, rel=0.05)
    assert at[0.0] == 0.0


def test_further_is_never_cheaper(entry: SymbolEntry, config: Config) -> None:
    snapshot = recorded(entry).snapshot
    curve = energy_curve(snapshot.hedge, snapshot.elasticity, entry.details, config)
    assert curve is not None
    moves, usd = np.array(curve.move_pct), np.array(curve.usd)
    assert np.all(np.diff(moves) > 0)
    assert moves[-1] == -moves[0] >= MOVES_SHOWN_PCT
    assert np.all(np.diff(usd[moves >= 0]) >= 0)
    assert np.all(np.diff(usd[moves <= 0]) <= 0)


def test_without_dealers_both_curves_are_one(entry: SymbolEntry, config: Config) -> None:
    elasticity = dict(recorded(entry).snapshot.elasticity)
    for side in ("up", "down"):
        bias = elasticity[f"indicator_bias_{side}"]
        elasticity[f"energy_to_move_1pct_{side}"] = elasticity["liquidity_cost_1pct"] * bias
    curve = energy_curve({}, elasticity, entry.details.filter(pl.lit(value=False)), config)
    assert curve is not None
    assert curve.usd == pytest.approx(curve.liquidity_usd)


def test_a_curve_that_is_not_the_runs_is_not_shown(entry: SymbolEntry, config: Config) -> None:
    snapshot = recorded(entry).snapshot
    other = config.engines.elasticity.model_copy(update={"impact_coefficient": 1.1})
    changed = config.model_copy(update={"engines": config.engines.model_copy(update={"elasticity": other})})
    assert energy_curve(snapshot.hedge, snapshot.elasticity, entry.details, changed) is None
    assert energy_curve(snapshot.hedge, {}, entry.details, config) is None
    assert energy_curve(snapshot.hedge, snapshot.elasticity, entry.details, None) is None
