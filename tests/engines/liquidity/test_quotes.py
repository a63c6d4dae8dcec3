"""Spread and order-flow imbalance of quotes, summed by hand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from gnosis_ray.engines.liquidity.intervals import IntervalGrid
from gnosis_ray.engines.liquidity.quotes import QuoteFlow, quote_flow, quote_states
from gnosis_ray.engines.liquidity.windows import quote_table
from gnosis_ray.market.columns import QUOTES
from gnosis_ray.market.keys import one_key
from tests.support.tapes import NOW

Quote = tuple[float, float | None, float | None, float | None, float | None]
"""(seconds before now, bid, bid size, ask, ask size)"""


def flow(*quotes: Quote) -> QuoteFlow:
    rows = [("AAA", NOW - timedelta(seconds=ago), NOW - timedelta(seconds=ago), *rest) for ago, *rest in quotes]
    table = quote_table(pl.DataFrame(rows, schema=QUOTES, orient="row"))
    states = quote_states(table.window(one_key("AAA", NOW), 390))
    return quote_flow(states, IntervalGrid(1, 390, 60_000_000), 30)


def test_the_spread_is_weighted_by_time() -> None:
    found = flow((40, 99.0, 1, 101.0, 1), (10, 99.5, 1, 100.5, 1))
    assert found.spread_bps[0] == pytest.approx((200.0 * 30 + 100.0 * 10) / 40)


def test_no_quote_weighs_more_than_an_interval() -> None:
    wide_at_the_close = flow((7200, 99.5, 1, 100.5, 1), (7170, 99.0, 1, 101.0, 1))
    assert wide_at_the_close.spread_bps[0] == pytest.approx((100.0 * 30 + 200.0 * 60) / 90)
    before_a_halt = flow((7200, 99.0, 1, 101.0, 1), (40, 99.5, 1, 100.5, 1))
    assert before_a_halt.spread_bps[0] == pytest.approx((200.0 * 60 + 100.0 * 40) / 100)


def test_crossed_and_one_sided_moments_have_no_spread() -> None:
    found = flow((40, 99.0, 1, 101.0, 1), (30, 102.0, 1, 101.0, 1), (20, 0.0, 0, 101.0, 1), (10, 99.0, 1, 101.0, 1))
    assert found.spread_bps[0] == pytest.approx(200.0)


@pytest.mark.parametrize(
    ("after", "shares"),
    [
        ((10.0, 7.0, 11.0, 3.0), 2.0),  # the bid grew from 5 to 7
        ((10.1, 7.0, 11.0, 3.0), 7.0),  # a better bid: all of it is new
        ((9.9, 7.0, 11.0, 3.0), -5.0),  # the old bid is gone
        ((10.0, 5.0, 11.0, 4.0), -1.0),  # the ask grew
        ((10.0, 5.0, 10.9, 4.0), -4.0),  # a better ask
        ((10.0, 5.0, 11.1, 4.0), 3.0),  # the old ask is gone
        ((10.1, 2.0, 10.9, 9.0), -7.0),  # both
    ],
)
def test_events_of_cont_kukanov_stoikov(after: tuple[float, float, float, float], shares: float) -> None:
    assert flow((20, 10.0, 5.0, 11.0, 3.0), (10, *after)).cks_ofi[0] == pytest.approx(shares)


def test_two_half_quotes_are_worth_the_whole() -> None:
    whole = flow((20, 10.0, 5.0, 11.0, 3.0), (10, 10.1, 2.0, 10.9, 9.0))
    halves = flow((20, 10.0, 5.0, 11.0, 3.0), (10, 10.1, 2.0, None, None), (9.999, None, None, 10.9, 9.0))
    assert halves.cks_ofi[0] == whole.cks_ofi[0]


def test_unknown_sizes_have_no_imbalance() -> None:
    found = flow((20, 10.0, None, 11.0, None), (10, 10.1, None, 11.0, None))
    assert np.isnan(found.cks_ofi[0])
    assert found.spread_bps[0] > 0


def test_the_slope_of_the_midpoint_on_the_imbalance_is_found() -> None:
    """Depth D at every price: an order of q shares moves the midpoint by q tick / 2D (their equation of the slope)."""
    random = np.random.default_rng(5)
    level = 0
    quotes: list[Quote] = []
    for minute in range(300, 0, -1):
        for _ in range(3):
            level += int(random.choice([-1, 1]))
            quotes.append((minute * 60 - len(quotes) % 3 * 10.0, 100 + level * 0.01, 50.0, 100.01 + level * 0.01, 50.0))
    found = flow(*quotes)
    assert found.cks.slope[0] == pytest.approx(0.01 / 100.0, rel=1e-9)
    assert found.cks.r2[0] == pytest.approx(1.0)
