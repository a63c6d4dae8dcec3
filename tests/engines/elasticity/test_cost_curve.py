"""The cost of a move against its closed form, and against a walk along the path in small steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.engines.elasticity.cost_curve import CostCurve

Floats = npt.NDArray[np.float64]
FLOOR = 0.01


def curve(a: float, nodes: list[float], gamma: list[float]) -> CostCurve:
    return CostCurve(np.array([a]), np.array([nodes]), np.array([gamma]), FLOOR)


def constant(a: float, b: float) -> CostCurve:
    return curve(a, [0.0], [b])


def one(value: float) -> Floats:
    return np.array([value])


def jagged(seed: int, rows: int = 4, points: int = 40) -> CostCurve:
    """Random gamma of either sign, of the size of the liquidity term."""
    rng = np.random.default_rng(seed)
    nodes = np.concatenate([np.zeros((rows, 1)), np.cumsum(rng.uniform(0.0005, 0.004, (rows, points)), axis=1)], axis=1)
    a = rng.uniform(0.5, 20.0, rows)
    return CostCurve(a, nodes, rng.normal(0.0, 0.05, (rows, points + 1)) * a[:, None], FLOOR)


def walked(c: CostCurve, row: int, moves: Floats) -> Floats:
    """The dearest point so far on a fine grid, by trapezoids."""
    gamma = np.interp(moves, c.nodes[row], c.gamma[row])
    hedged = np.concatenate([[0.0], np.cumsum(0.5 * (gamma[1:] + gamma[:-1]) * np.diff(moves))])
    liquidity = c.a[row] * moves * moves
    dearest: Floats = np.maximum(np.maximum.accumulate(liquidity + hedged), FLOOR * liquidity)
    return dearest


@settings(deadline=None)
@given(a=st.floats(0.1, 1e12), b=st.floats(0.0, 1e10), x=st.floats(1e-4, 0.3))
def test_constant_gamma_is_the_formula(a: float, b: float, x: float) -> None:
    cost = constant(a, b).cost(one(x))[0]
    assert cost == pytest.approx(a * x * x + b * x, rel=1e-12)
    assert constant(a, b).reach(one(cost))[0] == pytest.approx(x, rel=1e-9)
    assert constant(a, b).hedge(one(x))[0] == pytest.approx(b * x, rel=1e-9, abs=1e-9 * a * x * x)
    assert constant(a, b).self_feeding()[0] == 0.0


@settings(deadline=None)
@given(a=st.floats(1.0, 1e6), ratio=st.floats(1e-4, 0.2), beyond=st.floats(0.001, 0.2))
def test_short_gamma_feeds_itself_until_liquidity_resists(a: float, ratio: float, beyond: float) -> None:
    c = constant(a, -a * ratio)
    assert c.self_feeding()[0] == pytest.approx(ratio, rel=1e-12)
    assert c.cost(one(ratio / 2))[0] == pytest.approx(FLOOR * a * ratio * ratio / 4)
    x = ratio + beyond
    expected = max(a * x * x - a * ratio * x, FLOOR * a * x * x)
    assert c.cost(one(x))[0] == pytest.approx(expected, rel=1e-9)
    assert c.reach(one(expected))[0] == pytest.approx(x, rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_cost_is_what_a_walk_along_the_path_finds(seed: int) -> None:
    c = jagged(seed)
    for row in range(len(c.a)):
        # nodes among the steps, so that trapezoids are exact but for the liquidity's own bend
        moves = np.unique(np.concatenate([np.linspace(0, 0.2, 40_001), c.nodes[row]]))
        expected = walked(c, row, moves)
        for step in range(500, len(moves), 4_000):
            found = c.cost(np.full(len(c.a), moves[step]))[row]
            assert found == pytest.approx(expected[step], rel=1e-6, abs=1e-9 * c.a[row])
        for dollars in c.a[row] * np.array([1e-5, 1e-4, 1e-3, 1e-2]):
            reached = c.reach(np.full(len(c.a), dollars))[row]
            assert reached == pytest.approx(moves[np.argmax(expected >= dollars)], abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_self_feeding_ends_where_the_net_flow_first_is_positive(seed: int) -> None:
    c = jagged(seed)
    for row, found in enumerate(c.self_feeding()):
        moves = np.unique(np.concatenate([np.linspace(0, 0.3, 60_001), c.nodes[row]]))
        gamma = np.interp(moves, c.nodes[row], c.gamma[row])
        hedged = np.cumsum(0.5 * (gamma[1:] + gamma[:-1]) * np.diff(moves))
        net = c.a[row] * moves[1:] * moves[1:] + hedged
        assert found == pytest.approx(moves[1:][np.argmax(net > 0)] if gamma[0] < 0 else 0.0, abs=1e-5)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), x=st.floats(0.0005, 0.25), y=st.floats(0.0005, 0.25))
def test_farther_never_costs_less(seed: int, x: float, y: float) -> None:
    c = jagged(seed)
    near, far = (np.full(len(c.a), move) for move in sorted((x, y)))
    assert np.all(c.cost(far) >= c.cost(near) * (1 - 1e-12))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(1e-5, 1e-1))
def test_a_budget_reaches_the_first_move_that_costs_it(seed: int, share: float) -> None:
    c = jagged(seed)
    reached = c.reach(share * c.a)
    assert np.all(c.cost(reached * 1.000001) >= share * c.a * (1 - 1e-5))
    assert np.all(c.cost(reached * 0.999) <= share * c.a * (1 + 1e-9))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), more=st.floats(1.01, 10.0), x=st.floats(0.001, 0.2))
def test_depth_and_long_gamma_resist(seed: int, more: float, x: float) -> None:
    c, move = jagged(seed), np.full(4, x)
    deeper = CostCurve(c.a * more, c.nodes, c.gamma, FLOOR)
    shorter = CostCurve(c.a, c.nodes, c.gamma - (more - 1) * 0.05 * c.a[:, None], FLOOR)
    assert np.all(deeper.cost(move) > c.cost(move))
    assert np.all(shorter.cost(move) <= c.cost(move))
    assert np.all(shorter.reach(0.01 * c.a) >= c.reach(0.01 * c.a))


def test_repeated_last_nodes_change_nothing() -> None:
    short = curve(2.0, [0.0, 0.01, 0.02], [0.1, -0.3, 0.2])
    padded = curve(2.0, [0.0, 0.01, 0.02, 0.02, 0.02], [0.1, -0.3, 0.2, 0.2, 0.2])
    for x in (0.005, 0.01, 0.015, 0.02, 0.05):
        assert short.cost(one(x))[0] == padded.cost(one(x))[0]
        assert short.reach(one(x * x))[0] == padded.reach(one(x * x))[0]
    assert short.self_feeding()[0] == padded.self_feeding()[0]
