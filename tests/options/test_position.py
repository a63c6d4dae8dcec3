"""A held structure: parity and the payoff at expiry hold it from both ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.options.bsm import price
from gnosis_ray.options.payoff import PayoffLeg, payoff
from gnosis_ray.options.position import (
    PositionLeg,
    first_expiry,
    position_cost,
    position_profit,
    position_value,
)

SPOTS = np.array([0.0, 1e-6, 50.0, 99.0, 100.0, 101.0, 150.0, 1e5])
TAU = 30 / 365


def option(kind: str, strike: float, sign: int = 1, tau: float = TAU, paid: float = 2.0) -> PositionLeg:
    return PositionLeg(kind, sign, 100.0, paid, strike, tau, 0.25, 0.04, 0.01)  # type: ignore[arg-type]


@given(
    legs=st.lists(
        st.builds(
            option,
            kind=st.sampled_from(["C", "P"]),
            strike=st.floats(50, 150),
            sign=st.sampled_from([-1, 1]),
            paid=st.floats(0, 20),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_at_expiry_it_is_the_payoff(legs: list[PositionLeg]) -> None:
    at_expiry = [PayoffLeg(leg.instrument_type, leg.sign, leg.shares, leg.strike, leg.price) for leg in legs]
    wanted = payoff(at_expiry, SPOTS)
    assert position_profit(legs, SPOTS, TAU) == pytest.approx(wanted, rel=1e-12, abs=1e-8)


@given(strike=st.floats(50, 150), days=st.floats(0, 29))
def test_call_less_put_is_the_forward(strike: float, days: float) -> None:
    legs = [option("C", strike), option("P", strike, -1)]
    left = TAU - days / 365
    wanted = 100 * (SPOTS * np.exp(-0.01 * left) - strike * np.exp(-0.04 * left))
    assert position_value(legs, SPOTS, days / 365) == pytest.approx(wanted, rel=1e-9, abs=1e-6)


def test_each_leg_is_repriced_with_the_time_it_has_left() -> None:
    calendar = [option("C", 100, -1), option("C", 100, tau=2 * TAU)]
    far = 100 * price(1, SPOTS[2:], 100, TAU, 0.04, 0.01, 0.25)
    near = 100 * np.maximum(SPOTS[2:] - 100, 0)
    assert position_value(calendar, SPOTS[2:], TAU) == pytest.approx(far - near, abs=1e-9)
    assert first_expiry(calendar) == TAU
    assert np.all(np.isfinite(position_value(calendar, SPOTS, TAU)))


def test_stock_is_worth_its_price_and_never_expires() -> None:
    legs = [PositionLeg("STOCK", 1, 100.0, 99.0)]
    assert position_value(legs, SPOTS, 5.0) == pytest.approx(100 * SPOTS)
    assert position_cost(legs) == 9900.0
    assert first_expiry(legs) is None
    covered = [*legs, option("C", 105, -1)]
    assert position_cost(covered) == pytest.approx(9700.0)
    assert position_profit(covered, 105.0, TAU) == pytest.approx(800.0)


def test_a_leg_that_expired_earlier_has_no_value_at_a_later_price() -> None:
    with pytest.raises(ValueError, match="first expiry"):
        position_value([option("C", 100), option("C", 100, tau=2 * TAU)], SPOTS, 1.5 * TAU)


@pytest.mark.parametrize(
    "fields",
    [
        {"instrument_type": "STOCK", "strike": 100.0},
        {"instrument_type": "C", "strike": 100.0},
        {"instrument_type": "P", "strike": 100.0, "tau": TAU},
        {"instrument_type": "STOCK", "shares": 0.0},
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        PositionLeg(**{"sign": 1, "shares": 1.0, "price": 1.0, **fields})  # type: ignore[arg-type]
