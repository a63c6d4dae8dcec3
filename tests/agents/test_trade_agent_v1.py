"""The trade agent: every figure of an idea is the payoff of its legs, every refusal has a reason."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.config import load_config
from gnosis_ray.errors import StageError
from gnosis_ray.schemas.core_schemas import Action, Suggestion
from tests.support.books import NOW, FixedAdapter, bars, book

CONFIG = load_config().config.trade
FORECAST = {"spot": 100.0, "exp_move_pct": 4.0, "horizon_days": 5.0}


def stance(action: Action = "long", confidence: float = 0.6, **forecast: float) -> Suggestion:
    return Suggestion(
        id="c",
        layer="composer",
        symbol="AAA",
        timestamp=NOW,
        action=action,
        confidence=confidence,
        forecast=FORECAST | forecast,
        reasoning="because",
        tags=["pin"],
    )


def decide(suggestion: Suggestion, close: float = 100.0) -> TradeDecision:
    adapter = FixedAdapter(book(lambda *_: 1.0).clear(), bars(close=close))
    return TradeAgentV1(adapter, CONFIG).decide(suggestion)


def test_a_sure_long_buys_stock_with_exits() -> None:
    [idea] = decide(stance("long")).ideas
    assert (idea.strategy_type, idea.side) == ("long_stock", "long")
    assert idea.cost_per_unit == pytest.approx(100 * (1 + CONFIG.half_spread_bps / 1e4) + CONFIG.commission_per_share)
    assert idea.max_loss == idea.cost_per_unit
    assert idea.max_profit is None
    assert idea.stop_loss_price == pytest.approx(100 - CONFIG.stop_sigma * 4)
    assert idea.target_exit_price == pytest.approx(100 + CONFIG.target_sigma * 4)
    assert idea.recommended_units == math.floor(0.01 * CONFIG.equity_usd * 0.6 / idea.max_loss)


def test_a_sure_short_is_a_credit_with_unbounded_loss_sized_by_stops() -> None:
    [idea] = decide(stance("short")).ideas
    assert (idea.strategy_type, idea.side, idea.max_loss) == ("short_stock", "short", math.inf)
    assert idea.cost_per_unit < 0
    assert idea.max_profit == -idea.cost_per_unit == idea.breakeven_levels[0]
    assert idea.stop_loss_price is not None
    assert idea.stop_loss_price > 100 > (idea.target_exit_price or math.inf)
    assert idea.recommended_units == math.floor(0.01 * CONFIG.equity_usd * 0.6 / (3 * CONFIG.stop_sigma * 4))


@given(
    action=st.sampled_from(["long", "short"]),
    close=st.floats(1.0, 5000.0),
    confidence=st.floats(CONFIG.min_confidence, 1.0),
    move=st.floats(0.2, 60.0),
)
def test_figures_are_the_payoff_of_the_legs_and_units_stay_within_risk(
    action: Action, close: float, confidence: float, move: float
) -> None:
    for idea in decide(stance(action, confidence, spot=close, exp_move_pct=move), close).ideas:
        sign = 1 if idea.legs[0].direction == "buy" else -1

        def profit(price: float, sign: int = sign, cost: float = idea.cost_per_unit) -> float:
            return sign * price - cost

        assert profit(idea.breakeven_levels[0]) == pytest.approx(0, abs=1e-9 * close)
        worst = -profit(0.0) if sign > 0 else math.inf
        assert idea.max_loss == pytest.approx(worst)
        assert (idea.max_profit is None) == (sign > 0)
        loss = idea.max_loss if sign > 0 else 3 * (idea.stop_loss_price or math.nan) - 3 * close
        risk = min(CONFIG.risk_fraction * CONFIG.equity_usd * confidence, CONFIG.max_risk_usd)
        assert 0 < idea.recommended_units * loss <= risk * (1 + 1e-9)


@pytest.mark.parametrize("action", ["flat", "spread", "complex"])
def test_other_stances_trade_nothing_without_a_view_of_volatility(action: Action) -> None:
    """Nobody knows what volatility costs, so nobody is sure of a neutral trade."""
    decision = decide(stance(action))
    assert decision.ideas == []
    assert decision.dropped == ("stance_flat" if action == "flat" else "low_confidence")


def test_refusals_have_reasons() -> None:
    assert decide(stance(confidence=0.01)).dropped == "low_confidence"
    assert decide(stance(), close=110.0).dropped == "price_disagreement"
    assert decide(stance(spot=50_000.0), close=50_000.0).dropped == "zero_units"
    empty = FixedAdapter(book(lambda *_: 1.0).clear())
    assert TradeAgentV1(empty, CONFIG).decide(stance()).dropped == "no_price"
    old = FixedAdapter(book(lambda *_: 1.0).clear(), bars(now=NOW - timedelta(days=30)))
    assert TradeAgentV1(old, CONFIG).decide(stance()).dropped == "stale_price"
    blind = stance().model_copy(update={"forecast": {"spot": 100.0}})
    assert decide(blind).dropped == "no_expected_move"


def test_a_stance_without_its_moment_is_an_error() -> None:
    with pytest.raises(StageError, match="timestamp"):
        decide(stance().model_copy(update={"timestamp": None}))


def test_the_same_stance_gives_the_same_id() -> None:
    assert decide(stance()).ideas[0].id == decide(stance()).ideas[0].id
    assert decide(stance("short")).ideas[0].id != decide(stance("long")).ideas[0].id
