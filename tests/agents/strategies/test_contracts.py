"""What counts as tradable, which forward the smile stands on, and how an event is seen."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from gnosis_ray.agents.strategies.contracts import ContractBook, ExpiryContracts
from gnosis_ray.options.bsm import greeks
from tests.agents.strategies.scenarios import DAYS, LARGE_EQUITY, STRIKES, chain, skew
from tests.support.books import NOW, flat_smile


def near(rows: pl.DataFrame) -> list[ExpiryContracts]:
    return list(ContractBook(rows, LARGE_EQUITY).near())


def test_expiries_are_tried_from_the_target_outwards() -> None:
    assert [e.dte for e in near(chain())] == [28.0, 42.0, 14.0]
    book = ContractBook(chain(), LARGE_EQUITY)
    assert [e.dte for e in book.far(next(book.near()))] == [70.0]


def test_a_smile_is_the_chains_own() -> None:
    expiry = near(chain())[0]
    quoted = np.arange(85.0, 117.5, 2.5)
    assert expiry.smile.vol(quoted) == pytest.approx([skew(float(np.log(k / 100))) for k in quoted])
    assert expiry.smile.forward == pytest.approx(100 * np.exp(0.04 * 28 / 365))
    wanted = greeks(1, 100, 105.0, 28 / 365, 0.04, 0.0, skew(float(np.log(1.05)))).delta
    assert expiry.delta[0, STRIKES.index(105.0)] == pytest.approx(float(wanted))


def test_a_dividend_that_the_chain_did_not_see_moves_the_forward_not_the_smile() -> None:
    """Quotes with a yield of 20%, read without carry: calls would look cheap and puts dear."""
    rows = chain(flat_smile)
    w = (rows["type"] == "C").to_numpy() * 2.0 - 1.0
    mid = greeks(w, 100.0, rows["strike"].to_numpy(), rows["tau"].to_numpy(), 0.04, 0.2, 0.3).price
    seen = rows.with_columns(
        bid=pl.Series(mid * 0.99), ask=pl.Series(mid * 1.01), iv=pl.lit(0.5), carry_assumed=pl.lit(True)
    )
    expiry = near(seen)[0]
    assert expiry.smile.vols == pytest.approx(0.3, abs=1e-6)
    assert expiry.carry == pytest.approx(0.2, abs=1e-6)


def test_a_forward_far_off_spot_is_no_market_to_trade() -> None:
    rows = chain(flat_smile).with_columns(underlying_price=pl.lit(95.0), carry_assumed=pl.lit(True))
    assert near(rows) == []


def test_time_that_passed_since_the_quotes_is_not_priced_twice() -> None:
    """On a Sunday the quotes are of Friday: the smile stands there, so that it gives back the quoted prices."""
    later = chain(flat_smile).with_columns(
        timestamp=pl.lit(NOW + timedelta(days=2)).cast(pl.Datetime("us", "UTC")),
        tau=pl.col("tau") - 2 / 365,
        dte=pl.col("dte") - 2,
    )
    expiry = near(later)[0]
    mid = chain(flat_smile).filter(pl.col("dte") == 28, pl.col("type") == "C")["mid_price"].to_numpy()
    assert expiry.dte == 26.0
    assert expiry.smile.price(1, np.array(STRIKES)) == pytest.approx(mid, abs=1e-9)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"bid": pl.lit(0.0)},
        {"bid": pl.lit(None, dtype=pl.Float64)},
        {"bid": pl.col("ask") + 0.01},
        {"ask": pl.lit(float("inf"))},
        {"bid": pl.col("mid_price") * 0.5, "ask": pl.col("mid_price") * 1.5 + 0.2},
        {"open_interest": pl.col("open_interest") * 0.02},
    ],
)
def test_a_contract_without_a_tight_deep_two_sided_quote_is_not_tradable(spoilt: dict[str, pl.Expr]) -> None:
    at = (pl.col("strike") == 105) & (pl.col("type") == "C")
    rows = chain().with_columns(
        pl.when(at).then(new).otherwise(pl.col(name)).alias(name) for name, new in spoilt.items()
    )
    whole, expiry = near(chain())[0], near(rows)[0]
    place = STRIKES.index(105.0)
    assert whole.tradable[0, place]
    assert not expiry.tradable[0, place]
    assert expiry.tradable[1, place]


def test_last_trades_make_no_smile() -> None:
    assert near(chain().with_columns(bid=pl.lit(0.0), ask=pl.lit(0.0), iv_source=pl.lit("last_smile"))) == []


def test_volume_stands_in_where_open_interest_is_unknown() -> None:
    book = ContractBook(chain(interest=0.0), LARGE_EQUITY)
    expiry = next(book.near())
    assert book.interest_unknown
    assert expiry.tradable.any()
    assert np.nanmax(expiry.depth) == 300.0
    assert not ContractBook(chain(), LARGE_EQUITY).interest_unknown
    quiet = chain(interest=0.0).with_columns(volume=pl.lit(1.0))
    assert not next(ContractBook(quiet, LARGE_EQUITY).near()).tradable.any()


def test_of_two_settlements_of_a_day_the_later_is_traded() -> None:
    evening = chain()
    morning = evening.with_columns(settlement=pl.lit("AM"), tau=pl.col("tau") - 0.27 / 365, dte=pl.col("dte") - 0.27)
    both = pl.concat([morning, evening]).sort("expiry", "strike", "type")
    assert [e.dte for e in near(both)] == [28.0, 42.0, 14.0]


@pytest.mark.parametrize(("front", "ratio"), [(0.3, 1.0), (0.45, 1.5)])
def test_an_event_is_a_near_expiry_dear_beside_a_later_one(front: float, ratio: float) -> None:
    def dear(_moneyness: float) -> float:
        return front

    book = ContractBook(pl.concat([chain(dear, days=(14,)), chain(flat_smile, days=DAYS[1:])]), LARGE_EQUITY)
    assert book.front_over_back == pytest.approx(ratio)


def test_one_expiry_alone_shows_no_event() -> None:
    assert ContractBook(chain(days=(28,)), LARGE_EQUITY).front_over_back is None
