"""Cross-asset fusion: what the hedgers of index and sector books trade in one stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.hedge.co_movement import CoMovement, Floats
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.columns import BARS
from gnosis_ray.market.keys import keys_at, one_key
from tests.engines.hedge.measuring import WholeAdapter, everywhere, feature, frames, vix_bars
from tests.support.books import NOW, Interest, book

DAYS = 130
BASIS = "meta__cross_asset_basis"
FIGURES = ["market_beta", "index_gex_usd_per_pct", "fused_gex_usd_per_pct", "fused_gamma_sign", BASIS]
CONFIG = load_config().config


def noise(seed: int) -> Floats:
    """Daily log returns of about a percent."""
    return np.random.default_rng(seed).normal(0.0, 0.01, DAYS)


MARKET, ENERGY = noise(1), noise(2)


def moving(symbol: str, returns: Floats, *, dollars: float = 1e8, now: datetime = NOW) -> pl.DataFrame:
    """``columns.BARS`` of 100 USD at the end, one a day up to ``now``, that move by ``returns``; ``dollars`` a day."""
    path = np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    closes = 100.0 * path / path[-1]
    times = [now - timedelta(days=age) for age in range(len(returns), -1, -1)]
    prices = dict.fromkeys(("open", "high", "low", "close"), closes)
    columns = {"symbol": [symbol] * closes.size, "timestamp": times, "known_at": times, **prices}
    traded = {"volume": dollars / closes, "adjusted_close": [None] * closes.size}
    return pl.DataFrame({**columns, **traded}, schema=BARS)


def calls(count: float) -> Interest:
    """``count`` calls at each strike and a put a thousandth of it: open interest is there, dealers own the gamma."""
    return lambda kind, _strike, _days: count if kind == "C" else count / 1000


def measured(
    config: Config = CONFIG,
    *,
    own: Floats = 2.0 * MARKET,
    index: Mapping[str, Interest | None] | None = None,
    market: pl.DataFrame | None = None,
    dollars: float = 1e8,
) -> EngineFrames:
    """AAA beside SPX and XLE; ``index`` says whose chain is there, ``market`` replaces the bars of SPY."""
    index = {"SPX": calls(500.0)} if index is None else index
    chains = [book(everywhere), *(book(interest, symbol=name) for name, interest in index.items() if interest)]
    market = moving("SPY", MARKET, dollars=1e10) if market is None else market
    daily = [moving("AAA", own, dollars=dollars), moving("XLE", ENERGY), market]
    return frames(chains, config, daily)


def attributed(config: Config = CONFIG, **given_: object) -> float:
    value = feature(measured(config, **given_), "index_gex_usd_per_pct")  # type: ignore[arg-type]
    assert value is not None
    return value


def book_gex(interest: Interest) -> float:
    """Net gamma of the SPX book as the engine measures it for a stock."""
    value = feature(frames([book(interest)], CONFIG), "gex_usd_per_pct")
    assert value is not None
    return value


def settings_with(**values: object) -> Config:
    return load_config(flags={f"engines.hedge.cross_asset.{name}": value for name, value in values.items()}).config


def test_what_moves_twice_as_far_as_the_market_has_a_beta_of_two() -> None:
    assert feature(measured(), "market_beta") == pytest.approx(2.0)


@settings(max_examples=20, deadline=None)
@given(beta=st.floats(-3.0, 3.0), seed=st.integers(0, 1000))
def test_betas_are_those_of_least_squares(beta: float, seed: int) -> None:
    own = beta * MARKET + noise(seed)
    moves = CoMovement.of(own[None], np.column_stack([MARKET, ENERGY]), 40)
    for place, basket in enumerate((MARKET, ENERGY)):
        assert moves.beta[0, place] == pytest.approx(np.polyfit(basket, own, 1)[0], rel=1e-8, abs=1e-12)
        assert moves.response[0, place] == pytest.approx(np.polyfit(own, basket, 1)[0], rel=1e-8, abs=1e-12)
        assert moves.fit[0, place] == pytest.approx(np.corrcoef(own, basket)[0, 1] ** 2, rel=1e-8, abs=1e-12)


def test_a_stock_sees_its_share_of_the_book_for_the_market_move_that_goes_with_its_own() -> None:
    """Beta 2 without noise: half a percent of the market a percent of the stock; a hundredth of SPY's dollars."""
    result = measured()
    expected = book_gex(calls(500.0)) * 0.5 * 0.01 / CONFIG.engines.hedge.cross_asset.market_volume
    assert feature(result, "index_gex_usd_per_pct") == pytest.approx(expected)
    assert result.features[BASIS][0] == "SPX; no book of SPY"


def test_twice_the_dollar_volume_is_twice_the_share() -> None:
    assert attributed(dollars=2e8) == pytest.approx(2 * attributed())


def test_what_the_market_does_not_explain_shows_no_index_hedges() -> None:
    """1 / beta would make of the least co-movement the largest flow."""
    loose = MARKET + 5.0 * noise(3)
    assert abs(attributed(own=loose)) < 0.1 * attributed(own=MARKET)


def test_a_stock_against_the_market_sees_them_reversed() -> None:
    assert attributed(own=-2.0 * MARKET) == pytest.approx(-attributed())


@pytest.mark.parametrize("times", [0.5, 3.0, 40.0])
def test_it_is_proportional_to_the_open_interest_of_the_index(times: float) -> None:
    assert attributed(index={"SPX": calls(500.0 * times)}) == pytest.approx(times * attributed())


def test_it_turns_with_the_side_that_dealers_are_taken_to_be_on() -> None:
    turned = load_config(flags={"engines.hedge.dealer_call_sign": -1, "engines.hedge.dealer_put_sign": 1}).config
    assert attributed(turned) == pytest.approx(-attributed())


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_two_are_blended_by_the_weight(weight: float) -> None:
    result = measured(settings_with(weight=weight))
    own, index, fused = (feature(result, f"{name}gex_usd_per_pct") for name in ("", "index_", "fused_"))
    assert own is not None
    assert index is not None
    assert fused == pytest.approx(own + weight * index)
    assert feature(result, "fused_gamma_sign") == np.sign(own + weight * index)


def test_no_weight_leaves_the_stock_its_own_book() -> None:
    result = measured(settings_with(weight=0.0)).features
    assert result["fused_gex_usd_per_pct"].equals(result["gex_usd_per_pct"])


def test_books_of_the_same_market_add_up() -> None:
    alone = [attributed(index={name: calls(300.0)}) for name in ("SPX", "SPY")]
    both = measured(index={name: calls(300.0) for name in ("SPX", "SPY")})
    assert feature(both, "index_gex_usd_per_pct") == pytest.approx(sum(alone))
    assert both.features[BASIS][0] == "SPX + SPY"


def test_a_stock_belongs_to_the_sector_that_explains_it_far_better_than_the_market() -> None:
    books = {"SPX": calls(500.0), "XLE": calls(500.0)}
    oil = measured(own=ENERGY + 0.2 * noise(4), index=books)
    assert oil.features[BASIS][0] == "SPX + XLE; no book of SPY"
    cross = CONFIG.engines.hedge.cross_asset
    share = 0.01 / cross.sector_volumes["XLE"]
    assert feature(oil, "index_gex_usd_per_pct") == pytest.approx(book_gex(calls(500.0)) * share, rel=0.2)
    for other in (MARKET, MARKET + ENERGY, -ENERGY):
        assert measured(own=other, index=books).features[BASIS][0] == "SPX; no book of SPY"


def no_interest(_kind: str, _strike: float, _days: int) -> float:
    return 0.0


def far_interest(_kind: str, strike: float, _days: int) -> float:
    return 500.0 if abs(strike - 100.0) > 12.0 else 0.0


@pytest.mark.parametrize(
    ("given_", "basis"),
    [
        ({"index": {}}, "none: no book of SPX, SPY"),
        ({"index": {"SPX": no_interest}}, "none: no book of SPX, SPY"),
        ({"index": {"SPX": far_interest}}, "none: no book of SPX, SPY"),
        ({"market": pl.DataFrame(schema=BARS)}, "none: no recent bars of SPY"),
        ({"market": moving("SPY", MARKET, now=NOW - timedelta(days=8))}, "none: no recent bars of SPY"),
        ({"own": MARKET[:39]}, "none: 39 returns in common with SPY, or none that moved"),
        ({"own": 0.0 * MARKET}, "none: 60 returns in common with SPY, or none that moved"),
        ({"market": moving("SPY", MARKET, dollars=0.0)}, "none: no dollar volume"),
    ],
    ids=["no chain", "no open interest", "none near spot", "no bars", "old bars", "few bars", "still", "no volume"],
)
def test_it_is_absent_with_a_note_and_takes_nothing_from_the_confidence(given_: dict[str, object], basis: str) -> None:
    result = measured(**given_).features  # type: ignore[arg-type]
    absent = result.select(FIGURES[1:-1]).row(0)
    assert (absent, result[BASIS][0]) == ((None, None, None), basis)
    assert result.select("confidence", "meta__degraded").row(0) == (1.0, None)
    assert result["gex_usd_per_pct"][0] is not None


def test_a_stock_without_open_interest_still_sees_the_index() -> None:
    chains = [book(no_interest), book(calls(500.0), symbol="SPX")]
    daily = [moving("AAA", MARKET), moving("SPY", MARKET)]
    result = frames(chains, CONFIG, daily)
    assert feature(result, "index_gex_usd_per_pct") is not None
    assert feature(result, "fused_gex_usd_per_pct") is None


def test_an_index_is_not_its_own_member() -> None:
    chains = [book(calls(500.0), symbol=name) for name in ("SPX", "SPY")]
    result = frames(chains, CONFIG, [moving("SPY", MARKET), moving("SPX", MARKET)], ["SPX", "SPY"]).features
    assert result["market_beta"].to_list() == pytest.approx([1.0, 1.0])
    assert result["index_gex_usd_per_pct"].to_list() == [None, None]
    assert set(result[BASIS]) == {"none: an index or sector itself"}


def test_a_split_is_no_return() -> None:
    own = (2.0 * MARKET).copy()
    own[-20] = np.log(0.5)
    assert feature(measured(own=own), "market_beta") == pytest.approx(2.0)


def test_what_becomes_known_later_changes_nothing() -> None:
    market = moving("SPY", MARKET, dollars=1e10)
    later = market.tail(1).with_columns(
        close=pl.col("close") * 1.1, known_at=(pl.col("known_at") + timedelta(hours=1)).dt.cast_time_unit("us")
    )
    late = measured(market=pl.concat([market, later])).features
    assert_frame_equal(late.select(FIGURES), measured().features.select(FIGURES), check_exact=True)


NAMES = [f"S{place}" for place in range(7)]


def tables(moments: Sequence[datetime]) -> WholeAdapter:
    """Seven stocks, the market, a sector and two index books at each moment."""
    chains = [
        *(book(everywhere, symbol=n, spot=96.0 + i, now=m) for i, n in enumerate(NAMES) for m in moments),
        *(book(calls(300.0 + m.day), symbol=n, now=m) for n in ("SPX", "XLE") for m in moments),
    ]
    daily = [moving(name, place * MARKET + ENERGY + noise(place + 9)) for place, name in enumerate(NAMES)]
    corrected = moving("SPY", MARKET)[-6:-5].with_columns(
        close=pl.lit(90.0), known_at=(pl.col("known_at") + timedelta(days=2)).dt.cast_time_unit("us")
    )
    rows = [*daily, moving("SPY", MARKET, dollars=3e9), moving("XLE", ENERGY), corrected, vix_bars([20.0] * 99)]
    return WholeAdapter(pl.concat(chains).sort("symbol", "timestamp", "expiry", "strike", "type"), pl.concat(rows))


def test_each_sees_alone_what_it_sees_among_others() -> None:
    engine = HedgeEngineV3(tables([NOW]), CONFIG.engines.hedge)
    many = engine.frames(keys_at(NAMES, NOW)).features
    ones = pl.concat([engine.frames(one_key(name, NOW)).features for name in NAMES])
    assert many["index_gex_usd_per_pct"].null_count() == 0
    assert_frame_equal(many, ones, check_exact=True)


def test_each_moment_of_a_panel_sees_its_own_past() -> None:
    """A close of the market was corrected between the second moment and the third."""
    moments = [NOW - timedelta(days=days) for days in (20, 4, 0)]
    engine = HedgeEngineV3(tables(moments), CONFIG.engines.hedge)
    keys = pl.concat([one_key(name, moment) for name in NAMES for moment in moments])
    together = engine.frames(keys).features
    alone = pl.concat([engine.frames(keys[place : place + 1]).features for place in range(keys.height)])
    assert_frame_equal(together.select(FIGURES), alone.select(FIGURES), check_exact=True)
    assert together.filter(symbol="S3")["index_gex_usd_per_pct"].n_unique() == 3
