"""Jump risk: what short-dated tails say beyond the thirty-day smile."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config, load_config
from tests.engines.hedge.measuring import FINE, feature, fine_book, frames

SHORT, MONTH = 7, 30


def flat(volatility: float, tails: float = 0.0):  # type: ignore[no-untyped-def]
    """``volatility`` near the money, ``tails`` more beyond 2% from it: where the 10-delta strikes stand."""
    return lambda moneyness: volatility + (tails if abs(moneyness) > 0.02 else 0.0)


def jump_risk(config: Config, short_tails: float, month_tails: float = 0.0, volatility: float = 0.3) -> float | None:
    chains = [fine_book(SHORT, flat(volatility, short_tails)), fine_book(MONTH, flat(volatility, month_tails))]
    return feature(frames(chains, config), "jump_risk")


def test_smiles_alike_carry_no_jump_risk(config: Config) -> None:
    assert jump_risk(config, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert jump_risk(config, 0.06, 0.06) == pytest.approx(0.0, abs=1e-12)


def test_it_is_the_excess_of_the_short_tails_over_those_of_the_month(config: Config) -> None:
    assert jump_risk(config, 0.06) == pytest.approx(0.06 / 0.3)
    assert jump_risk(config, 0.06, 0.03) == pytest.approx(0.03 / 0.3)
    assert jump_risk(config, 0.0, 0.03) == pytest.approx(-0.03 / 0.3)


@settings(max_examples=15, deadline=None)
@given(low=st.floats(0.0, 0.1), more=st.floats(0.001, 0.1))
def test_dearer_short_tails_are_more_jump_risk(low: float, more: float) -> None:
    config = load_config().config
    lower, higher = jump_risk(config, low), jump_risk(config, low + more)
    assert lower is not None
    assert higher is not None
    assert higher > lower


def test_the_nearest_expiry_in_range_counts(config: Config) -> None:
    days = (1, 4, 9, MONTH)
    chains = [fine_book(day, flat(0.3, 0.01 * day if day < MONTH else 0.0)) for day in days]
    measured = frames(chains, config)
    assert feature(measured, "jump_days") == 4.0
    assert feature(measured, "jump_risk") == pytest.approx(0.04 / 0.3)


def test_an_expiry_without_tails_gives_way_to_the_next(config: Config) -> None:
    near = tuple(strike for strike in FINE if abs(strike - 100) < 2)
    chains = [fine_book(4, flat(0.3), near), fine_book(9, flat(0.3, 0.03)), fine_book(MONTH, flat(0.3))]
    measured = frames(chains, config)
    assert feature(measured, "jump_days") == 9.0
    assert feature(measured, "jump_risk") == pytest.approx(0.03 / 0.3)


@pytest.mark.parametrize("days", [(1, MONTH), (MONTH, 60), (SHORT,)], ids=["tomorrow", "months", "no month"])
def test_it_is_absent_without_both_expiries(config: Config, days: tuple[int, ...]) -> None:
    measured = frames([fine_book(day, flat(0.3)) for day in days], config)
    assert feature(measured, "jump_risk") is None
    assert feature(measured, "jump_days") is None
    assert measured.features["confidence"][0] == 1.0


def test_a_far_quote_too_wide_to_be_a_price_is_no_tail(config: Config) -> None:
    """A cent bid and dollars asked make a mid of any volatility; the next expiry with prices counts."""
    short = fine_book(SHORT, flat(0.3, 0.3))
    wide = short.with_columns(bid=pl.col("mid_price") * 0.5, ask=pl.col("mid_price") * 1.5)
    calm = [fine_book(12, flat(0.3, 0.03)), fine_book(MONTH, flat(0.3))]
    measured = frames([wide, *calm], config)
    assert feature(measured, "jump_days") == 12.0
    assert feature(measured, "jump_risk") == pytest.approx(0.03 / 0.3)
    assert feature(frames([short, *calm], config), "jump_days") == SHORT


def test_last_prices_have_no_tails(config: Config) -> None:
    no_quote = {"bid": pl.lit(0.0), "ask": pl.lit(0.0), "mid_price": pl.lit(None, pl.Float64)}
    chains = [fine_book(days, flat(0.3)).with_columns(**no_quote) for days in (SHORT, MONTH)]
    measured = frames(chains, config)
    assert feature(measured, "jump_risk") is None
    assert feature(measured, "atm_iv_30d") == pytest.approx(0.3)
