"""The strategy book on the recorded options market of July 2026: every strategy can be had, every figure by hand."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.agents.trade_agent_v1 import TradeAgentV1
from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.config import Config, TradeConfig
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter
from gnosis_ray.schemas.core_schemas import Action, Suggestion, TradeIdea
from tests.agents.strategies.scenarios import commissions, profit_at_expiry, quotes
from tests.support.components import settings
from tests.support.markets import over_store

pytestmark = pytest.mark.realdata

SUNDAY_NOON = datetime(2026, 7, 12, 12, tzinfo=UTC)
TRADE = settings(trade__equity_usd=5e6, trade__max_risk_usd=1e6).trade
"""Equity at which a hundred shares are affordable."""
LIQUID = ("AAPL", "AMZN", "META", "GOOGL", "F", "BAC", "PFE", "FCX", "NEM", "GILD", "KR", "MU", "QCOM", "GE", "XOM")
RATIOS = {"cheap": 0.8, "fair": 1.05, "rich": 1.4}
ACTIONS: tuple[Action, ...] = ("long", "short", "spread", "complex")


@dataclass(frozen=True)
class LiquidMarket:
    """What was known of the liquid names on Sunday noon."""

    adapter: PreloadedAdapter
    symbols: tuple[str, ...]

    def chain(self, symbol: str) -> pl.DataFrame:
        """``columns.CHAIN``."""
        return self.adapter.fetch_chain(symbol, SUNDAY_NOON)


@pytest.fixture(scope="module")
def liquid_market(realdata: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> LiquidMarket:
    root = tmp_path_factory.mktemp("market")
    calendar = build_calendar(config, SUNDAY_NOON)
    import_dataset(realdata / "us_2026_07", load_mapping("us_2026_07"), StoreWriter(root), calendar)
    adapter = build_adapter(over_store(config, root), calendar)
    loaded = PreloadedAdapter.load(adapter, keys_at([*LIQUID, "A"], SUNDAY_NOON), 90)
    return LiquidMarket(loaded, tuple(sorted(set(loaded.known_keys()["symbol"]) & set(LIQUID))))


def stance(liquid_market: LiquidMarket, symbol: str, action: Action, state: str) -> Suggestion:
    """A sure stance in a given state of volatility, on the symbol's own spot and at-the-money volatility."""
    near = liquid_market.chain(symbol).filter(pl.col("dte").is_between(20, 45), pl.col("iv").is_not_null())
    near = near.sort((pl.col("strike") - pl.col("underlying_price")).abs())
    implied, spot = (float(near[name][0]) for name in ("iv", "underlying_price"))
    forecast = {
        "spot": spot,
        "atm_iv_30d": implied,
        "realised_vol_20d": implied / RATIOS[state],
        "exp_move_pct": 100 * implied * math.sqrt(5 / 252),
        "horizon_days": 5.0,
        "data_trust": 0.9,
    }
    return Suggestion(
        id=f"{symbol}-{state}",
        layer="composer",
        symbol=symbol,
        timestamp=SUNDAY_NOON,
        action=action,
        confidence=0.8,
        forecast=forecast,
        reasoning="for a test",
        tags=[f"vol_{state}"],
    )


def decisions(liquid_market: LiquidMarket, config: TradeConfig = TRADE) -> list[TradeDecision]:
    """Every stance in every state of volatility, on every liquid name."""
    agent = TradeAgentV1(liquid_market.adapter, config)
    return [
        agent.decide(stance(liquid_market, symbol, action, state))
        for symbol in liquid_market.symbols
        for action in ACTIONS
        for state in RATIOS
    ]


@pytest.fixture(scope="module")
def ideas(liquid_market: LiquidMarket) -> list[TradeIdea]:
    alone = [TRADE.replaced(strategies=(name,)) for name in ("long_stock", "short_stock", "covered_call")]
    return [
        idea for config in (TRADE, *alone) for decision in decisions(liquid_market, config) for idea in decision.ideas
    ]


def test_every_strategy_can_be_had_on_recorded_chains(ideas: list[TradeIdea]) -> None:
    found = Counter(idea.strategy_type for idea in ideas)
    assert set(found) == set(TRADE.strategies), found


def test_every_leg_has_a_two_sided_quote_and_fills_within_it(
    liquid_market: LiquidMarket, ideas: list[TradeIdea]
) -> None:
    quoted = {symbol: quotes(liquid_market.chain(symbol)) for symbol in liquid_market.symbols}
    for idea in ideas:
        for leg in idea.legs:
            if leg.strike is None:
                continue
            bid, ask = quoted[idea.symbol][str(leg.expiry), leg.strike, leg.instrument_type]
            assert 0 < bid <= ask
            assert bid - 1e-4 <= (leg.price or 0.0) <= ask + 1e-4


def test_figures_are_those_of_the_legs(ideas: list[TradeIdea]) -> None:
    for idea in ideas:
        if idea.strategy_type == "calendar_spread":
            assert idea.max_loss == pytest.approx(idea.cost_per_unit, rel=0.02)
            assert len(idea.breakeven_levels) == 2
            continue
        strikes = [leg.strike for leg in idea.legs if leg.strike is not None]
        values = profit_at_expiry(idea, np.array([0.0, *strikes, 1e5, 2e5]), TRADE)
        rising = values[-1] - values[-2]
        assert idea.max_loss == (math.inf if rising < -1 else pytest.approx(-values.min()))
        assert idea.max_profit is None if rising > 1 else idea.max_profit == pytest.approx(values.max())
        for level in idea.breakeven_levels:
            assert profit_at_expiry(idea, level, TRADE) == pytest.approx(0.0, abs=1e-2)


def test_trading_costs_are_small_beside_the_risk(ideas: list[TradeIdea]) -> None:
    """And never a gift: with mids on one smile an expected value is half spreads and commissions."""
    for idea in ideas:
        assert idea.expected_value is not None
        paid = -idea.expected_value
        assert paid >= 0
        most = min(idea.max_loss, math.inf if idea.max_profit is None else idea.max_profit)
        assert paid <= TRADE.max_cost_share * most
        if idea.legs[0].expiry:
            assert paid >= 0.2 * commissions(idea, TRADE)


def test_units_stay_within_the_risk(ideas: list[TradeIdea]) -> None:
    for idea in ideas:
        assert idea.recommended_units > 0
        if idea.max_loss < math.inf:
            budget = TRADE.risk_fraction * TRADE.equity_usd * idea.confidence
            assert idea.recommended_units * idea.max_loss <= budget * (1 + 1e-9)


def test_a_sure_bull_gets_a_bullish_option_trade_in_every_liquid_name(liquid_market: LiquidMarket) -> None:
    agent = TradeAgentV1(liquid_market.adapter, TRADE)
    for symbol in ("AAPL", "AMZN", "META", "FCX", "GILD"):
        for state in RATIOS:
            [first, *_] = agent.decide(stance(liquid_market, symbol, "long", state)).ideas
            assert first.side == "long", symbol
            assert first.legs[-1].expiry is not None, symbol


def test_a_chain_of_thursday_is_too_old_on_sunday(liquid_market: LiquidMarket) -> None:
    chain = liquid_market.chain("A")
    assert chain["sessions_behind"][0] == 1
    neutral = stance(liquid_market, "AAPL", "spread", "rich").model_copy(update={"symbol": "A"})
    decision = TradeAgentV1(liquid_market.adapter, TRADE).decide(neutral)
    assert decision.dropped == "stale_chain"
