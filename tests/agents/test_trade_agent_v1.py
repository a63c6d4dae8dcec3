"""The trade agent: every figure of an idea is the payoff of its legs, every refusal has a reason."""

from __future__ import annotations

import math
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.market_view import view_of
from gnosis_ray.agents.strategies.strategy_spec import AtDelta, Exits, LegRule, Share, StrategySpec
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.config import TradeConfig, load_config
from gnosis_ray.errors import ConfigError, StageError
from gnosis_ray.schemas.core_schemas import Action, Suggestion
from tests.agents.strategies import scenarios
from tests.support.books import NOW, FixedAdapter, bars, book
from tests.support.components import settings

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


@hypothesis_settings(deadline=None)  # a busy machine is no failure
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
        assert 0 < idea.recommended_units * (loss - 3e-6) <= risk * (1 + 1e-9)  # levels are rounded to 1e-6


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


@pytest.mark.parametrize(("action", "side"), [("long", "long"), ("short", "short")])
@pytest.mark.parametrize("volatility", ["cheap", "fair", "rich", None])
@pytest.mark.parametrize("config", [scenarios.LARGE_EQUITY, CONFIG])
def test_bullish_and_sure_gives_a_bullish_option_trade(
    action: Action, side: str, volatility: str | None, config: TradeConfig
) -> None:
    decision = scenarios.decide(scenarios.stance(action, 0.9, volatility), config=config)
    assert 1 <= len(decision.ideas) <= config.max_ideas
    assert {idea.side for idea in decision.ideas} == {side}
    assert any(leg.instrument_type != "STOCK" for leg in decision.ideas[0].legs)
    assert decision.dropped is None


def test_the_second_idea_is_an_alternative() -> None:
    first, second = scenarios.decide(scenarios.stance("long", 0.9)).ideas
    assert first.strategy_type != second.strategy_type
    assert "alternative" in second.tags
    assert "alternative" not in first.tags
    [alone] = scenarios.decide(scenarios.stance("long", 0.9), config=settings(trade__max_ideas=1).trade).ideas
    assert alone.strategy_type == first.strategy_type


def test_what_became_of_every_strategy_is_told() -> None:
    considered = scenarios.decide(scenarios.stance("long", 0.9)).considered
    assert set(considered) == set(CONFIG.strategies)
    assert sorted(considered.values()).count("chosen") == 1
    assert considered["long_put"] == "stance_long"
    assert considered["covered_call"] == "volatility_fair"
    assert considered["long_stock"] == "not_needed"


def test_a_hint_decides_among_what_suits() -> None:
    def chosen(*tags: str) -> str:
        return scenarios.decide(scenarios.stance("complex", volatility="cheap", tags=tags)).ideas[0].strategy_type

    assert chosen("use_long_strangle") == "long_strangle"
    assert chosen("use_long_straddle") == "long_straddle"


def test_flat_is_nothing_or_one_small_neutral_trade() -> None:
    assert scenarios.decide(scenarios.stance("flat", 0.0, "rich")).dropped == "stance_flat"
    for state, hint in (("rich", "iron_condor"), ("cheap", "long_straddle")):
        hinted = scenarios.stance("flat", 0.0, state, [f"use_{hint}"])
        [idea] = scenarios.decide(hinted).ideas
        assert (idea.strategy_type, idea.side) == (hint, "neutral")
        assert idea.confidence <= CONFIG.neutral_max_confidence
        never = settings(trade__neutral_when_flat=False).trade
        assert scenarios.decide(hinted, config=never).dropped == "stance_flat"


def test_an_unsure_side_trades_nothing() -> None:
    assert scenarios.decide(scenarios.stance("long", 0.1)).dropped == "low_confidence"


@hypothesis_settings(deadline=None)
@given(trust=st.floats(0, 1), ratio=st.floats(0.3, 3))
def test_a_neutral_confidence_grows_with_trust_and_is_capped(trust: float, ratio: float) -> None:
    realised = 0.3 / ratio
    view = view_of(scenarios.stance("spread", trust=trust, realised_vol_20d=realised), NOW, CONFIG)
    less = view_of(scenarios.stance("spread", trust=trust * 0.5, realised_vol_20d=realised), NOW, CONFIG)
    assert less.confidence <= view.confidence <= min(trust, CONFIG.neutral_max_confidence)


def test_an_old_chain_gives_no_option_idea_and_says_so() -> None:
    decision = scenarios.decide(scenarios.stance("long", 0.9), scenarios.chain(sessions_behind=1))
    assert [idea.strategy_type for idea in decision.ideas] == ["long_stock"]
    assert "stale_chain" in decision.ideas[0].tags
    assert decision.considered["long_call"] == "stale_chain"
    neutral = scenarios.decide(scenarios.stance("spread", volatility="rich"), scenarios.chain(sessions_behind=1))
    assert neutral.dropped == "stale_chain"


def test_nobody_sells_premium_into_an_event() -> None:
    def dear(_moneyness: float) -> float:
        return 0.6

    rows = pl.concat([scenarios.chain(dear, days=(14,)), scenarios.chain(days=scenarios.DAYS[1:])])
    short_premium = {strategy.name for strategy in BUILTIN_STRATEGIES if strategy.short_premium}
    for action in ("long", "short", "spread", "complex"):
        for state in ("cheap", "fair", "rich"):
            decision = scenarios.decide(scenarios.stance(action, volatility=state), rows)
            assert not short_premium & {idea.strategy_type for idea in decision.ideas}
            assert all("event_vol" in idea.tags for idea in decision.ideas)
    assert scenarios.decide(scenarios.stance("spread", volatility="rich"), rows).dropped == "event_vol"


def test_a_squeeze_forbids_what_loses_in_it() -> None:
    squeezed = scenarios.stance("spread", volatility="rich", tags=["gamma_squeeze"])
    assert scenarios.decide(squeezed).dropped == "regime_gamma_squeeze"


def test_one_view_never_buys_and_sells_the_same_movement() -> None:
    """A neutral trade that its own view of volatility speaks against is refused."""
    decision = scenarios.decide(scenarios.stance("complex", volatility="fair", realised_vol_20d=0.25))
    assert {decision.considered[name] for name in ("long_straddle", "long_strangle")} == {"no_edge"}


def test_unknown_open_interest_is_tagged() -> None:
    [first, *_] = scenarios.decide(scenarios.stance("long", 0.9), scenarios.chain(interest=0.0)).ideas
    assert "open_interest_unknown" in first.tags
    assert first.recommended_units <= CONFIG.max_interest_share * 300


def test_an_edge_is_the_mean_that_the_view_moves() -> None:
    """Long stock: IC x confidence x move; a surer stance sees more in the same call."""
    [stock] = scenarios.decide(scenarios.stance("long", 0.8), config=scenarios.only("long_stock")).ideas
    assert stock.expected_edge == pytest.approx(100 * CONFIG.information_coefficient * 0.8 * 0.04)
    assert stock.expected_value == pytest.approx(100 - stock.cost_per_unit)
    assert stock.probability_of_profit is None
    edges = []
    for confidence in (0.3, 0.6, 0.9):
        [call] = scenarios.decide(
            scenarios.stance("long", confidence, "cheap"), config=scenarios.only("long_call")
        ).ideas
        edges.append(call.expected_edge or 0.0)
    assert edges == sorted(edges)
    assert edges[0] < edges[-1]


def test_a_forecast_bounds_the_bet_by_kelly() -> None:
    deep = scenarios.chain(interest=1e6)
    free = scenarios.decide(scenarios.stance("long", 0.9, "cheap"), deep, scenarios.only("long_call")).ideas[0]
    timid = scenarios.stance("long", 0.9, "cheap", exp_return_1d=0.0005)
    bounded = scenarios.decide(timid, deep, scenarios.only("long_call")).ideas[0]
    assert 0 < bounded.recommended_units < free.recommended_units
    against = scenarios.stance("long", 0.9, "cheap", exp_return_1d=-0.02)
    assert scenarios.decide(against, config=scenarios.only("long_call")).dropped == "no_edge"
    assert scenarios.decide(against, config=scenarios.only("long_stock")).dropped == "no_kelly_bet"


@pytest.mark.parametrize(("said", "believed"), [(1e6, 0.04), (0.5, 0.04), (-1.0, -0.04), (-3.0, -0.04), (0.03, 0.03)])
def test_a_forecast_beyond_one_expected_move_is_not_believed(said: float, believed: float) -> None:
    config = scenarios.only("long_stock" if said > 0 else "short_stock")
    action: Action = "long" if said > 0 else "short"
    one, other = (
        scenarios.decide(scenarios.stance(action, exp_return_1d=value), config=config) for value in (said, believed)
    )
    assert one == other
    assert one.ideas[0].expected_edge == pytest.approx(100 * abs(believed))


@pytest.mark.parametrize("action", ["long", "short", "spread", "complex"])
@pytest.mark.parametrize(
    "odd",
    [
        {"exp_return_1d": -1.0},
        {"exp_return_1d": 1e9},
        {"exp_vol_1d": -1.0},
        {"exp_vol_1d": 1e6},
        {"realised_vol_20d": -0.2},
        {"realised_vol_20d": 0.0},
        {"atm_iv_30d": -0.3},
        {"exp_move_pct": -4.0},
        {"exp_move_pct": 1e6},
        {"data_trust": -1.0},
    ],
)
def test_no_forecast_breaks_a_decision(action: Action, odd: dict[str, float]) -> None:
    for volatility in ("cheap", "rich"):
        for idea in scenarios.decide(scenarios.stance(action, 0.9, volatility, (), 0.9, **odd)).ideas:
            assert math.isfinite(idea.expected_edge or 0.0)
            assert (idea.target_exit_price or 0.0) != idea.stop_loss_price


def test_a_cheap_quote_in_the_money_hides_no_costs() -> None:
    """The smile there is that of the puts: a call below it looks like a gift, which the spreads of all legs eat."""
    neutral, config = scenarios.stance("spread", volatility="rich"), scenarios.only("butterfly")
    low = (pl.col("type") == "C") & (pl.col("strike") < 95)
    reasons = set()
    for gift in range(0, 200, 10):
        less = pl.when(low).then(gift / 100).otherwise(0.0)
        rows = scenarios.chain(spread=0.1).with_columns(pl.col("bid", "ask") - less)
        reasons.add(scenarios.decide(neutral, rows, config).dropped)
    assert reasons == {"costs_too_much", "quotes_disagree"}


def test_exits_are_values_of_a_unit_with_the_sign_of_its_cost() -> None:
    [credit] = scenarios.decide(
        scenarios.stance("long", volatility="rich"), config=scenarios.only("bull_put_spread")
    ).ideas
    assert credit.stop_loss_price is not None
    assert credit.target_exit_price is not None
    assert credit.stop_loss_price < credit.cost_per_unit < credit.target_exit_price < 0
    assert credit.cost_per_unit - credit.stop_loss_price <= credit.max_loss
    assert credit.target_exit_price == pytest.approx(0.5 * credit.cost_per_unit)
    [debit] = scenarios.decide(scenarios.stance("long"), config=scenarios.only("call_debit_spread")).ideas
    assert 0 < (debit.stop_loss_price or 0) < debit.cost_per_unit < (debit.target_exit_price or 0)
    assert "5 days before expiry" in debit.rationale


def test_the_rationale_names_legs_and_quotes() -> None:
    [idea] = scenarios.decide(scenarios.stance("long", volatility="cheap"), config=scenarios.only("long_call")).ideas
    leg = idea.legs[0]
    bid, ask = scenarios.quotes(scenarios.chain())[str(leg.expiry), leg.strike or 0.0, "C"]
    assert f"Buy {leg.expiry} {leg.strike:g} C at {leg.price:.2f} ({bid:.2f}/{ask:.2f})" in idea.rationale
    assert idea.rationale.startswith("Long at 0.60, volatility cheap (30.0% implied, 40.0% realised)")


def test_deep_or_dividend_legs_warn_of_early_exercise() -> None:
    wide = scenarios.decide(scenarios.stance("spread", volatility="rich"), config=scenarios.only("butterfly")).ideas[0]
    low = min(leg.strike or 0.0 for leg in wide.legs)
    listed = scenarios.chain().filter(strike=low, type="C", dte=28)
    assert listed["delta"][0] > 0.8
    assert "early_exercise_risk" in wide.tags
    calm = scenarios.decide(scenarios.stance("spread", volatility="rich"), config=scenarios.only("iron_condor")).ideas[
        0
    ]
    assert "early_exercise_risk" not in calm.tags
    paying = scenarios.chain().with_columns(carry=pl.lit(0.25))
    for idea in scenarios.decide(
        scenarios.stance("spread", volatility="rich"), paying, scenarios.only("iron_condor")
    ).ideas:
        assert "early_exercise_risk" in idea.tags


def test_a_declared_strategy_of_ones_own_needs_no_code() -> None:
    """A short strangle: its loss has no bound, so three stop distances size it and no reward to risk is asked for."""
    mine = StrategySpec(
        name="short_strangle",
        side="neutral",
        legs=(LegRule("P", "sell", AtDelta(0.2, 0.1, 0.3)), LegRule("C", "sell", AtDelta(0.2, 0.1, 0.3))),
        stances=frozenset({"spread"}),
        short_premium=True,
        min_reward=0.2,
        exits=Exits(Share("max_profit", 0.5), Share("premium", 1.0), days=7),
        because="for a test",
    )
    config = scenarios.only("short_strangle")
    [idea] = scenarios.decide(
        scenarios.stance("spread", volatility="rich"), None, config, (*BUILTIN_STRATEGIES, mine)
    ).ideas
    assert idea.max_loss == math.inf
    credit = -idea.cost_per_unit
    assert idea.max_profit == pytest.approx(credit)
    budget = config.risk_fraction * config.equity_usd * idea.confidence
    assert idea.recommended_units == math.floor(min(budget / (3 * credit), 0.05 * 2000))


def test_a_strategy_that_nobody_declared_is_named() -> None:
    with pytest.raises(ConfigError, match="Unknown strategy 'moon_shot'"):
        scenarios.decide(scenarios.stance(), config=scenarios.only("moon_shot"))


def test_the_same_market_gives_the_same_decision() -> None:
    suggestion = scenarios.stance("long", 0.9)
    assert scenarios.decide(suggestion) == scenarios.decide(suggestion)
