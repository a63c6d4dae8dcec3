"""Lee and Ready's rule, case by case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from gnosis_ray.engines.liquidity.quotes import quote_states
from gnosis_ray.engines.liquidity.signing import signed_trades
from gnosis_ray.engines.liquidity.windows import quote_table, trade_table
from gnosis_ray.market.columns import QUOTES
from gnosis_ray.market.keys import one_key
from tests.support.tapes import NOW, trades

KEY = one_key("AAA", NOW)


def signs(tape: pl.DataFrame, quotes: pl.DataFrame | None = None, lag_us: int = 1000) -> list[tuple[Any, ...]]:
    """(sign, rule) of each trade."""
    states = quote_states(quote_table(pl.DataFrame(schema=QUOTES) if quotes is None else quotes).window(KEY, 390))
    return signed_trades(trade_table(tape).window(KEY, 390), states, lag_us).select("sign", "rule").rows()


def quote(bid: float | None, ask: float | None, seconds_before: float) -> pl.DataFrame:
    moment = NOW - timedelta(seconds=seconds_before)
    return pl.DataFrame([("AAA", moment, moment, bid, 100.0, ask, 100.0)], schema=QUOTES, orient="row")


def test_the_given_side_wins() -> None:
    assert signs(trades([10.0], sides="sell"), quote(9.0, 10.0, 5)) == [(-1.0, "given")]


@pytest.mark.parametrize(("price", "sign"), [(10.01, 1.0), (9.99, -1.0), (10.3, 1.0)])
def test_the_midpoint_comes_second(price: float, sign: float) -> None:
    assert signs(trades([price]), quote(9.9, 10.1, 5)) == [(sign, "midpoint")]


def test_at_the_midpoint_the_tick_decides() -> None:
    tape = trades([9.9, 10.0], step_seconds=1)
    assert signs(tape, quote(9.9, 10.1, 5))[1] == (1.0, "tick")


def test_zero_ticks_keep_the_last_change_and_the_first_trade_is_unsigned() -> None:
    assert signs(trades([10.0, 10.1, 10.1, 10.1, 10.0, 10.0])) == [
        (None, None),
        *[(1.0, "tick")] * 3,
        *[(-1.0, "tick")] * 2,
    ]


def test_a_quote_made_by_the_trade_itself_does_not_sign_it() -> None:
    before, itself = quote(9.8, 10.0, 5), quote(10.0, 10.2, 0.0005)
    assert signs(trades([10.0]), pl.concat([before, itself])) == [(1.0, "midpoint")]
    assert signs(trades([10.0]), pl.concat([before, itself]), lag_us=0) == [(-1.0, "midpoint")]


def test_crossed_and_one_sided_quotes_do_not_sign() -> None:
    for bad in (quote(10.2, 10.0, 5), quote(0.0, 9.0, 5), quote(None, 9.0, 5)):
        assert signs(trades([10.0]), bad) == [(None, None)]


def test_sides_that_come_as_two_rows_make_one_quote() -> None:
    halves = pl.concat([quote(9.8, None, 5), quote(None, 10.0, 4)])
    assert signs(trades([10.0]), halves) == [(1.0, "midpoint")]
