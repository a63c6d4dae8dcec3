"""Rules choose the contracts a trader would name."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
import pytest

from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.contracts import ContractBook, ExpiryContracts
from gnosis_ray.agents.strategies.legs import OptionContract, arrangements
from gnosis_ray.agents.strategies.strategy_spec import (
    AtForward,
    Beyond,
    Exits,
    LegRule,
    Mirror,
    SameStrike,
    Share,
    StrategySpec,
)
from tests.agents.strategies.scenarios import LARGE_EQUITY, chain

BY_NAME = {strategy.name: strategy for strategy in BUILTIN_STRATEGIES}


def expiry(rows: pl.DataFrame | None = None) -> ExpiryContracts:
    return next(ContractBook(chain() if rows is None else rows, LARGE_EQUITY).near())


def first(name: str, near: ExpiryContracts | None = None) -> tuple[OptionContract, ...]:
    chosen = next(arrangements(BY_NAME[name], near or expiry(), None))
    return tuple(contract for contract in chosen if contract is not None)


def test_a_long_call_is_the_strike_nearest_to_its_delta() -> None:
    [call] = first("long_call")
    deltas = call.expiry.delta[0]
    assert call.kind == "C"
    assert abs(call.delta - 0.35) == np.abs(deltas - 0.35).min()


def test_wings_stand_beyond_the_short_strikes() -> None:
    short_put, long_put, short_call, long_call = first("iron_condor")
    assert long_put.strike < short_put.strike < 100 < short_call.strike < long_call.strike
    width = 0.6 * short_put.expiry.smile.expected_move
    assert short_put.strike - long_put.strike == pytest.approx(width, abs=1.25)
    assert long_call.strike - short_call.strike == short_put.strike - long_put.strike


def test_a_condor_without_even_wings_keeps_them_nearly_even() -> None:
    near = expiry(chain().filter(~pl.col("strike").is_in([112.5, 115.0])))
    short_put, long_put, short_call, long_call = first("iron_condor", near)
    left, right = short_put.strike - long_put.strike, long_call.strike - short_call.strike
    assert abs(left - right) <= 0.5 * left


def test_a_butterfly_has_even_wings_even_where_strikes_are_missing() -> None:
    near = expiry(chain().filter(~pl.col("strike").is_in([107.5])))
    body, low, high = first("butterfly", near)
    assert body.strike - low.strike == high.strike - body.strike > 0
    assert 107.5 not in (low.strike, high.strike)


def test_a_straddle_moves_to_where_both_sides_are_tradable() -> None:
    dead = (pl.col("strike") == 100) & (pl.col("type") == "P")
    rows = chain().with_columns(open_interest=pl.when(dead).then(0.0).otherwise("open_interest"))
    call, put = first("long_straddle", expiry(rows))
    assert call.strike == put.strike != 100.0
    assert abs(call.strike - 100) == 2.5


def test_no_two_arrangements_are_the_same() -> None:
    found = [
        tuple((c.kind, c.place) for c in chosen if c) for chosen in arrangements(BY_NAME["iron_condor"], expiry(), None)
    ]
    assert len(found) == len(set(found)) > 8


def test_where_nothing_fits_there_is_no_arrangement() -> None:
    near = expiry(chain(interest=10.0))
    assert list(islice(arrangements(BY_NAME["long_call"], near, None), 1)) == []


def test_a_far_leg_needs_a_far_expiry() -> None:
    with pytest.raises(ValueError, match="far expiry"):
        next(arrangements(BY_NAME["calendar_spread"], expiry(), None))


def test_stock_has_no_strike_and_an_option_has_one() -> None:
    with pytest.raises(ValueError, match="strike rule"):
        LegRule("C", "buy")
    with pytest.raises(ValueError, match="strike rule"):
        LegRule("STOCK", "buy", SameStrike(0))


BUY, SELL = LegRule("C", "buy", AtForward()), LegRule("C", "sell", Beyond(0, 0.5))
EXITS = Exits(Share("max_profit", 0.5), Share("premium", 0.5), days=5)


@pytest.mark.parametrize(
    ("legs", "exits", "said"),
    [
        ((), None, "leg"),
        ((SELL, BUY), EXITS, "earlier options"),
        ((BUY, LegRule("C", "sell", Mirror(0, 7))), EXITS, "earlier options"),
        ((BUY, LegRule("C", "sell", Beyond(-1, 0.5))), EXITS, "earlier options"),
        ((LegRule("STOCK", "buy"), LegRule("C", "sell", SameStrike(0))), EXITS, "earlier options"),
        ((LegRule("C", "buy", AtForward(), expiry="far"),), EXITS, "near expiry"),
        ((BUY, SELL), None, "exits"),
        ((LegRule("STOCK", "buy"),), EXITS, "exits"),
    ],
)
def test_a_strategy_that_cannot_work_is_refused_when_declared(
    legs: tuple[LegRule, ...], exits: Exits | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        StrategySpec("mine", "long", legs, frozenset({"long"}), exits=exits)


def test_a_leg_is_of_one_contract_or_more() -> None:
    with pytest.raises(ValueError, match="ratio"):
        LegRule("C", "buy", AtForward(), ratio=0)


UNKNOWN: Any = "moon"


@pytest.mark.parametrize(
    "declared",
    [
        lambda: LegRule(UNKNOWN, "buy", AtForward()),
        lambda: LegRule("C", UNKNOWN, AtForward()),
        lambda: LegRule("C", "buy", AtForward(), expiry=UNKNOWN),
        lambda: Share(UNKNOWN, 0.5),
        lambda: Share("premium", -0.5),
        lambda: StrategySpec("mine", UNKNOWN, (BUY,), frozenset({"long"}), exits=EXITS),
        lambda: StrategySpec("mine", "long", (BUY,), frozenset({UNKNOWN}), exits=EXITS),
        lambda: StrategySpec("mine", "long", (BUY,), frozenset({"long"}), frozenset({UNKNOWN}), exits=EXITS),
    ],
)
def test_a_word_that_nobody_knows_is_refused_when_declared(declared: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        declared()
