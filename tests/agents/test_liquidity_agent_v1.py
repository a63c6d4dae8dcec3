"""The liquidity agent: flow goes on where the book is thin, chokes where nobody is behind it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.liquidity_agent_v1 import LiquidityAgentV1
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.schemas.core_schemas import EngineSummary, StandardSnapshot, Suggestion
from tests.support.books import NOW
from tests.support.tapes import TapeAdapter, random_bars, trades

SETTINGS = load_config().config.agents.liquidity
BARS = {
    "last_price": 100.0,
    "sigma_daily": 0.02,
    "volume_magnet_level": 100.0,
    "volume_magnet_score": 0.9,
    "liquidity_void_score": 0.8,
    "liquidity_void_above": 101.0,
    "liquidity_void_below": 99.0,
}
UP = {"ret_5d": 0.06, "sigma_daily": 0.02}
DOWN = {"ret_5d": -0.06, "sigma_daily": 0.02}


def step(
    liquidity: dict[str, float],
    elasticity: dict[str, float] | None = None,
    regime: str = "normal",
    confidence: float = 1.0,
    degraded: tuple[str, ...] = (),
    one_sided: str | None = None,
) -> Suggestion:
    snapshot = StandardSnapshot(
        symbol="AAA",
        timestamp=NOW,
        liquidity=BARS | liquidity,
        elasticity=elasticity or {},
        metadata={} if one_sided is None else {"liquidity.one_sided": one_sided},
        engines={"liquidity": EngineSummary(confidence=confidence, regime=regime, degraded=degraded)},
    )
    return LiquidityAgentV1(SETTINGS).step(snapshot)


@pytest.mark.parametrize(("ofi", "action"), [(0.7, "long"), (-0.7, "short"), (0.05, "flat")])
def test_flow_that_leads_one_way_gives_the_side(ofi: float, action: str) -> None:
    assert step({"ofi": ofi}).action == action


def test_the_thinner_the_book_the_further_flow_goes() -> None:
    thin, normal, deep = (
        step({"ofi": 0.7}, regime=regime).confidence for regime in ("thin_liquidity", "normal", "high_liquidity")
    )
    assert thin > normal > deep > 0
    assert thin == pytest.approx(math.tanh(0.7 / SETTINGS.ofi_scale))


def test_flow_that_the_price_does_not_follow_is_being_absorbed() -> None:
    followed, absorbed = step({"ofi": 0.7, "kyle_lambda_t": 8.0}), step({"ofi": 0.7, "kyle_lambda_t": 0.5})
    assert absorbed.confidence == pytest.approx(SETTINGS.absorbed_factor * followed.confidence)
    assert "does not follow (t 0.5)" in absorbed.reasoning


@pytest.mark.parametrize(("move", "action"), [(UP, "short"), (DOWN, "long")])
def test_a_move_into_a_void_that_nobody_trades_is_fake(move: dict[str, float], action: str) -> None:
    stance = step({"ofi": 0.05}, move)
    assert stance.action == action
    assert {"fake_breakout", "contrarian"} <= set(stance.tags)
    assert stance.confidence == pytest.approx(SETTINGS.fake_breakout_conviction * 0.8)
    assert stance.forecast["void_level"] == (101.0 if action == "short" else 99.0)


@pytest.mark.parametrize(
    ("liquidity", "move"),
    [
        ({}, UP),  # bars alone: whether anybody is behind the move is not known
        ({"ofi": 0.05}, {"ret_5d": 0.01, "sigma_daily": 0.02}),
        ({"ofi": 0.05, "liquidity_void_above": 110.0}, UP),
        ({"ofi": 0.05, "liquidity_void_score": 0.1}, UP),
        ({"ofi": 0.05}, {}),
    ],
    ids=["no tape", "small move", "far void", "no void", "move unknown"],
)
def test_otherwise_it_is_not_called_fake(liquidity: dict[str, float], move: dict[str, float]) -> None:
    assert "fake_breakout" not in step(liquidity, move).tags


def test_flow_behind_the_move_lets_it_through() -> None:
    stance = step({"ofi": 0.7}, UP)
    assert (stance.action, "fake_breakout" in stance.tags) == ("long", False)


@pytest.mark.parametrize(("level", "action"), [(101.0, "long"), (99.0, "short"), (100.1, "flat"), (104.0, "long")])
def test_a_heavy_price_nearby_pulls_a_little(level: float, action: str) -> None:
    stance = step({"volume_magnet_level": level})
    assert stance.action == action
    assert stance.confidence <= SETTINGS.magnet_conviction
    assert "no trades seen" in stance.reasoning
    assert f"{level:,.2f}" in stance.reasoning


def test_a_weak_magnet_and_a_missing_profile_pull_nobody() -> None:
    assert step({"volume_magnet_level": 101.0, "volume_magnet_score": 0.2}).action == "flat"
    blind = StandardSnapshot(symbol="AAA", timestamp=NOW, engines={"liquidity": EngineSummary(confidence=0.6)})
    assert "no volume profile" in LiquidityAgentV1(SETTINGS).step(blind).reasoning


def test_a_void_in_between_is_told() -> None:
    assert "with a void in between" in step({"volume_magnet_level": 101.5}).reasoning
    assert "with a void in between" not in step({"volume_magnet_level": 100.9}).reasoning


@given(
    ofi=st.none() | st.floats(-1, 1),
    magnet=st.floats(90, 110),
    score=st.floats(0, 1),
    void=st.floats(0, 1),
    moved=st.floats(-0.3, 0.3),
    t=st.none() | st.floats(-5, 20),
    confidence=st.floats(0, 1),
)
def test_confidence_never_exceeds_the_engines_and_mirrors(
    ofi: float | None, magnet: float, score: float, void: float, moved: float, t: float | None, confidence: float
) -> None:
    known = {"volume_magnet_level": magnet, "volume_magnet_score": score, "liquidity_void_score": void}
    known |= {name: value for name, value in (("ofi", ofi), ("kyle_lambda_t", t)) if value is not None}
    stance = step(known, {"ret_5d": moved, "sigma_daily": 0.02}, confidence=confidence)
    assert 0.0 <= stance.confidence <= confidence
    assert (stance.action == "flat") <= (stance.confidence == 0.0)


def test_an_engine_without_confidence_votes_nothing_and_says_why() -> None:
    stance = step({"ofi": 0.9}, confidence=0.0, degraded=("no_bars", "no_trades"), one_sided="buy")
    assert (stance.action, stance.confidence, stance.tags) == ("flat", 0.0, [])
    assert "no_bars,no_trades" in stance.reasoning
    absent = LiquidityAgentV1(SETTINGS).step(StandardSnapshot(symbol="AAA", timestamp=NOW))
    assert (absent.action, absent.confidence) == ("flat", 0.0)


def test_one_wave_of_buyers_in_a_thin_book_is_tagged_and_followed(config: Config) -> None:
    """Through the engine: a tape bought all day long, in a stock that little money moves."""
    sides: list[str | None] = ["buy" if i < 110 else "sell" for i in range(120)]
    tape = trades([100.0 + 0.01 * i for i in range(120)], 100.0, sides)
    adapter = TapeAdapter(random_bars(7, volume=1e3), tape)
    output = LiquidityEngineV1(adapter, config.engines.liquidity).run("AAA", NOW)
    metadata = {f"liquidity.{key}": value for key, value in output.metadata.items()}
    snapshot = StandardSnapshot(
        symbol="AAA",
        timestamp=NOW,
        liquidity=output.features,
        metadata=metadata,
        engines={"liquidity": EngineSummary(confidence=output.confidence, regime=output.regime)},
    )
    stance = LiquidityAgentV1(SETTINGS).step(snapshot)
    assert stance.action == "long"
    assert stance.tags == ["one_sided_flow", "thin_liquidity"]
    assert stance.reasoning.startswith("buyers lead by 83% of signed volume in a thin book")


def test_thin_books_are_found_in_the_planted_market(config: Config, market_calendar: SessionCalendar) -> None:
    """The synthetic market plants turnovers from $50m to $15bn: its thinnest tenth is tagged, its thickest is not."""
    adapter = build_adapter(config, market_calendar)
    names = [f"PLANT{i:03d}" for i in range(40)]
    engine = LiquidityEngineV1(adapter, config.engines.liquidity)
    frames = engine.frames(keys_at(names, config.data.synthetic.as_of))
    turnover = {}
    for output in frames.outputs("liquidity", engine.features):
        summary = EngineSummary(confidence=output.confidence, regime=output.regime)
        snapshot = StandardSnapshot(
            symbol=output.symbol,
            timestamp=output.timestamp,
            liquidity=output.features,
            engines={"liquidity": summary},
        )
        turnover[output.features["adv_usd"]] = "thin_liquidity" in LiquidityAgentV1(SETTINGS).step(snapshot).tags
    by_size = [turnover[size] for size in sorted(turnover)]
    assert all(by_size[:4])
    assert not any(by_size[-4:])
