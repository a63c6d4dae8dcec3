"""The hedge agent: flow gives direction, gamma does not."""

from __future__ import annotations

import pytest

from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3
from gnosis_ray.config import Config
from gnosis_ray.schemas.core_schemas import EngineSummary, StandardSnapshot, Suggestion
from tests.support.books import NOW

CALM = {
    "gex_usd_per_pct": 1e6,
    "cex_usd_per_day": 0.0,
    "vex_usd_per_vol_point": 0.0,
    "adv_usd": 1e9,
    "hedge_regime_energy": 0.1,
    "atm_iv_30d": 0.30,
}


def step(
    config: Config, hedge: dict[str, float], elasticity: dict[str, float] | None = None, confidence: float = 1.0
) -> Suggestion:
    snapshot = StandardSnapshot(
        symbol="AAA",
        timestamp=NOW,
        hedge=CALM | hedge,
        elasticity=elasticity or {},
        engines={"hedge": EngineSummary(confidence=confidence, degraded=("stale_quotes",))},
    )
    return HedgeAgentV3(config.agents.hedge).step(snapshot)


@pytest.mark.parametrize(("cex", "action"), [(-2e7, "long"), (2e7, "short"), (-1e5, "flat")])
def test_charm_flow_is_the_opposite_of_the_exposure(config: Config, cex: float, action: str) -> None:
    assert step(config, {"cex_usd_per_day": cex}).action == action


def test_vanna_flow_needs_an_expected_change_of_volatility(config: Config) -> None:
    vanna = {"vex_usd_per_vol_point": 5e7}
    assert step(config, vanna).action == "flat"
    falling = step(config, vanna, {"realised_vol_20d": 0.20})
    assert falling.action == "long"
    assert falling.forecast["dealer_flow_usd"] == pytest.approx(5e7 * 10 * config.agents.hedge.iv_reversion_per_day)
    assert step(config, vanna, {"realised_vol_20d": 0.40}).action == "short"


@pytest.mark.parametrize(
    ("gex", "trend", "action"), [(-1e6, 0.05, "long"), (-1e6, -0.05, "short"), (1e6, 0.05, "flat")]
)
def test_trend_counts_only_where_dealers_chase(config: Config, gex: float, trend: float, action: str) -> None:
    assert step(config, {"gex_usd_per_pct": gex}, {"ret_5d": trend}).action == action


def test_gamma_alone_has_no_direction(config: Config) -> None:
    for gex in (-1e9, 1e9):
        stance = step(config, {"gex_usd_per_pct": gex, "hedge_regime_energy": 0.5})
        assert (stance.action, stance.confidence) == ("flat", 0.0)


def test_strong_long_gamma_takes_conviction_away(config: Config) -> None:
    weak = step(config, {"cex_usd_per_day": -2e7, "hedge_regime_energy": 0.1})
    strong = step(config, {"cex_usd_per_day": -2e7, "hedge_regime_energy": 0.9})
    assert strong.confidence == pytest.approx(weak.confidence * 0.1)
    assert "strong long gamma" in strong.reasoning


def test_a_block_that_dealers_are_short_does_not_hold_the_price(config: Config) -> None:
    squeeze = {
        "cex_usd_per_day": -2e7,
        "gex_usd_per_pct": 1e6,
        "effective_gex_usd_per_pct": -9e6,
        "hedge_regime_energy": 1.0,
    }
    stance = step(config, squeeze)
    assert stance.confidence == pytest.approx(step(config, {"cex_usd_per_day": -2e7}).confidence)
    assert "short gamma $9m" in stance.reasoning


def test_a_longer_horizon_is_measured_by_as_many_days_of_volume(config: Config) -> None:
    longer = config.replaced(agents={"hedge": {"horizon_days": 5.0}})
    day, week = step(config, {"cex_usd_per_day": -2e7}), step(longer, {"cex_usd_per_day": -2e7})
    assert week.confidence == pytest.approx(day.confidence)
    assert "$20m a day" in week.reasoning
    assert week.forecast["dealer_flow_usd"] == pytest.approx(5 * 2e7)


def test_confidence_scales_with_the_engines(config: Config) -> None:
    flow = {"cex_usd_per_day": -2e7}
    assert step(config, flow, confidence=0.5).confidence == pytest.approx(0.5 * step(config, flow).confidence)


def test_an_engine_without_confidence_votes_nothing_and_says_why(config: Config) -> None:
    stance = step(config, {"cex_usd_per_day": -9e7}, confidence=0.0)
    assert (stance.action, stance.confidence) == ("flat", 0.0)
    assert "stale_quotes" in stance.reasoning
    assert HedgeAgentV3(config.agents.hedge).step(StandardSnapshot(symbol="AAA", timestamp=NOW)).confidence == 0.0


def test_the_reasoning_quotes_the_numbers(config: Config) -> None:
    reasoning = step(config, {"cex_usd_per_day": -2e7}).reasoning
    assert "$20m" in reasoning
    assert "2.00% of volume" in reasoning
