"""Fills: never better than the mid, never worse than the quote, always whole cents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.strategies.fills import option_fill, stock_fill

CENTS = st.integers(1, 100_000)


@given(bid=CENTS, gap=st.integers(0, 500), share=st.floats(0, 1))
def test_a_fill_lies_between_the_mid_and_the_side_to_pay(bid: int, gap: int, share: float) -> None:
    low, high = bid / 100, (bid + gap) / 100
    mid = (low + high) / 2
    bought, sold = option_fill(low, high, "buy", share), option_fill(low, high, "sell", share)
    assert mid - 1e-9 <= bought <= high + 1e-9
    assert low - 1e-9 <= sold <= mid + 1e-9
    assert round(bought * 100, 6) == round(bought * 100)


def test_the_whole_spread_is_the_quoted_side_and_none_the_mid() -> None:
    assert option_fill(9.8, 10.1, "buy", 1.0) == 10.1
    assert option_fill(9.8, 10.1, "sell", 1.0) == 9.8
    assert option_fill(9.8, 10.1, "buy", 0.0) == 9.95
    assert option_fill(1.0, 1.05, "buy", 0.0) == 1.03
    assert option_fill(1.0, 1.05, "sell", 0.0) == 1.02


def test_noise_of_single_precision_costs_no_cent() -> None:
    assert option_fill(23.799999237060547, 27.100000381469727, "buy", 1.0) == 27.1
    assert option_fill(23.799999237060547, 27.100000381469727, "sell", 1.0) == 23.8


@given(call=CENTS, put=CENTS, gaps=st.tuples(st.integers(0, 90), st.integers(0, 90)), share=st.floats(0, 1))
def test_a_synthetic_forward_costs_no_less_than_at_mid_and_no_more_than_quoted(
    call: int, put: int, gaps: tuple[int, int], share: float
) -> None:
    """Put-call parity of fills: C bought less P sold lies within the quoted bounds of parity."""
    calls, puts = (call / 100, (call + gaps[0]) / 100), (put / 100, (put + gaps[1]) / 100)
    paid = option_fill(*calls, "buy", share) - option_fill(*puts, "sell", share)
    assert sum(calls) / 2 - sum(puts) / 2 - 1e-9 <= paid <= calls[1] - puts[0] + 1e-9


def test_stock_pays_half_a_spread() -> None:
    assert stock_fill(100.0, "buy", 2.0) == pytest.approx(100.02)
    assert stock_fill(100.0, "sell", 2.0) == pytest.approx(99.98)
    assert stock_fill(57.83, "buy", 2.0) == pytest.approx(57.85)
