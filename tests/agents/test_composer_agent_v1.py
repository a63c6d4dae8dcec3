"""The composer: a vote whose order does not matter and whose arithmetic can be read."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.composer.composer_agent_v1 import ComposerAgentV1
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import DIRECTION, ENGINE_KINDS, Action, EngineSummary, StandardSnapshot, Suggestion
from tests.support.books import NOW

LAYERS = ("primary_hedge", "primary_liquidity", "primary_sentiment")
SETTINGS = load_config().config.composer
WEIGHTS = {**SETTINGS.weights, "mine": 0.25}
ACTIONS: tuple[Action, ...] = ("long", "short", "flat")


def say(layer: str, action: Action, confidence: float, **forecast: float) -> Suggestion:
    return Suggestion(
        id=layer,
        layer=layer,
        symbol="AAA",
        action=action,
        confidence=confidence,
        forecast=forecast,
        reasoning="r",
        tags=[],
    )


def compose(
    *voices: Suggestion,
    regimes: Mapping[str, str] | None = None,
    elasticity: Mapping[str, float] | None = None,
    trust: Mapping[str, float] | None = None,
    hedge: Mapping[str, float] | None = None,
) -> Suggestion:
    found, trusted = regimes or {}, trust or {}
    engines = {
        kind: EngineSummary(confidence=trusted.get(kind, 0.0), regime=found.get(kind))
        for kind in ENGINE_KINDS
        if kind in found or kind in trusted
    }
    snapshot = StandardSnapshot(
        symbol="AAA", timestamp=NOW, hedge=dict(hedge or {}), elasticity=dict(elasticity or {}), engines=engines
    )
    return ComposerAgentV1(WEIGHTS, SETTINGS).compose(snapshot, list(voices))


def hinted(stance: Suggestion) -> list[str]:
    return [tag.removeprefix("use_") for tag in stance.tags if tag.startswith("use_")]


markets = st.fixed_dictionaries(
    {
        "regimes": st.fixed_dictionaries(
            {
                "hedge": st.sampled_from(["gamma_squeeze", "pin", "neutral"]),
                "liquidity": st.sampled_from(["thin_liquidity", "normal"]),
            }
        ),
        "elasticity": st.fixed_dictionaries(
            {"ret_5d": st.sampled_from([-0.1, 0.0, 0.1]), "unstable": st.sampled_from([0.0, 1.0])}
        ),
    }
)
"""Every regime that a composite is adjusted for."""

voices_of_all = st.tuples(
    *(st.builds(say, st.just(layer), st.sampled_from(ACTIONS), st.floats(0, 1)) for layer in LAYERS)
)


@given(voices=voices_of_all, order=st.permutations(range(3)), market=markets)
def test_order_does_not_matter(voices: tuple[Suggestion, ...], order: list[int], market: dict[str, Any]) -> None:
    assert compose(*voices, **market) == compose(*(voices[i] for i in order), **market)


@given(voices=voices_of_all, market=markets)
def test_confidence_is_a_probability(voices: tuple[Suggestion, ...], market: dict[str, Any]) -> None:
    assert 0.0 <= compose(*voices, **market).confidence <= 1.0


@given(voices=voices_of_all)
def test_in_a_market_without_regimes_none_is_surer_than_the_surest_voice(voices: tuple[Suggestion, ...]) -> None:
    assert compose(*voices).confidence <= max(v.confidence for v in voices) + 1e-12


@given(voices=voices_of_all)
def test_turning_everybody_round_turns_the_stance_round(voices: tuple[Suggestion, ...]) -> None:
    opposite: dict[Action, Action] = {"long": "short", "short": "long", "flat": "flat"}
    turned = compose(*(v.model_copy(update={"action": opposite[v.action]}) for v in voices))
    plain = compose(*voices)
    assert turned.action == opposite.get(plain.action, plain.action)
    assert turned.confidence == pytest.approx(plain.confidence)


@given(voices=voices_of_all, index=st.integers(0, 2), market=markets)
def test_winning_a_voice_over_never_lowers_confidence(
    voices: tuple[Suggestion, ...], index: int, market: dict[str, Any]
) -> None:
    plain = compose(*voices, **market)
    if plain.action in ("long", "short"):
        joined = [v.model_copy(update={"action": plain.action}) if i == index else v for i, v in enumerate(voices)]
        assert compose(*joined, **market).confidence >= plain.confidence - 1e-12


@given(voices=voices_of_all, index=st.integers(0, 2), surer=st.floats(0, 1), market=markets)
def test_a_surer_voice_of_the_winning_side_never_lowers_confidence(
    voices: tuple[Suggestion, ...], index: int, surer: float, market: dict[str, Any]
) -> None:
    plain = compose(*voices, **market)
    if plain.action == voices[index].action and plain.action != "flat" and surer >= voices[index].confidence:
        raised = [v.model_copy(update={"confidence": surer}) if i == index else v for i, v in enumerate(voices)]
        assert compose(*raised, **market).confidence >= plain.confidence - 1e-12


@given(voices=voices_of_all, added=st.floats(0, 1), market=markets)
def test_a_new_voice_as_sure_as_the_vote_never_lowers_confidence(
    voices: tuple[Suggestion, ...], added: float, market: dict[str, Any]
) -> None:
    plain = compose(*voices, **market)
    value = abs(sum(WEIGHTS[v.layer] * v.confidence * DIRECTION[v.action] for v in voices))
    if plain.action in ("long", "short") and added >= value:
        assert compose(*voices, say("mine", plain.action, added), **market).confidence >= plain.confidence - 1e-12


def test_a_new_voice_less_sure_than_the_vote_lowers_it() -> None:
    """Its weight counts below the line: half-hearted agreement is not agreement with the rest's conviction."""
    sure = say("primary_hedge", "long", 0.9)
    assert compose(sure, say("mine", "long", 0.1)).confidence < compose(sure).confidence


@given(voices=voices_of_all, index=st.integers(0, 2), action=st.sampled_from(ACTIONS), market=markets)
def test_an_absent_engine_never_votes(
    voices: tuple[Suggestion, ...], index: int, action: Action, market: dict[str, Any]
) -> None:
    """Whatever a voice without confidence says, the vote is that of the others, and never surer for it."""
    silent = voices[index].model_copy(update={"confidence": 0.0})
    with_it = [silent if i == index else v for i, v in enumerate(voices)]
    turned = [v.model_copy(update={"action": action}) if v is silent else v for v in with_it]
    a, b = compose(*with_it, **market), compose(*turned, **market)
    assert (a.action, a.confidence, a.forecast, a.reasoning) == (b.action, b.confidence, b.forecast, b.reasoning)
    without = compose(*(v for v in with_it if v is not silent), **market)
    if a.action in ("long", "short"):
        assert (without.action, without.confidence >= a.confidence - 1e-12) == (a.action, True)


def test_one_voice_is_its_own_vote() -> None:
    stance = compose(say("primary_hedge", "long", 0.8, horizon_days=1.0))
    assert stance.action == "long"
    assert stance.confidence == pytest.approx(0.8)
    assert stance.forecast["horizon_days"] == 1.0


def test_three_voices_vote_by_weight_less_the_opposed() -> None:
    stance = compose(
        say("primary_hedge", "long", 0.9), say("primary_liquidity", "long", 0.5), say("primary_sentiment", "short", 0.2)
    )
    v = (0.4 * 0.9 + 0.3 * 0.5 - 0.3 * 0.2) / 1.0
    assert stance.action == "long"
    assert stance.confidence == pytest.approx(v * (1 - SETTINGS.opposed_penalty * 0.3))
    assert f"{v:+.3f}" in stance.reasoning


def test_a_voice_without_confidence_votes_zero() -> None:
    sure, silent = say("primary_hedge", "long", 0.8), say("primary_liquidity", "short", 0.0)
    stance = compose(sure, silent)
    assert stance.confidence == pytest.approx(0.4 * 0.8 / 0.7)


@pytest.mark.parametrize(("gex", "action"), [(1e6, "spread"), (-1e6, "complex")])
def test_full_disagreement_becomes_a_structure(gex: float, action: str) -> None:
    stance = compose(
        say("primary_hedge", "long", 0.6),
        say("primary_liquidity", "short", 0.8),
        hedge={"effective_gex_usd_per_pct": gex},
    )
    assert stance.action == action


def test_a_whisper_is_no_camp() -> None:
    faint = SETTINGS.min_camp / SETTINGS.weights["primary_liquidity"]
    loud, others = say("primary_hedge", "long", 0.2), say("primary_sentiment", "flat", 0.0)
    assert compose(loud, others, say("primary_liquidity", "short", faint * 0.9)).action == "flat"
    assert compose(loud, others, say("primary_liquidity", "short", faint * 1.1)).action == "complex"


def test_nobody_sure_is_flat() -> None:
    assert compose(say("primary_hedge", "long", 0.1)).action == "flat"
    assert compose().action == "flat"


BULL = say("primary_hedge", "long", 0.6)
FACTORS = SETTINGS.regime_adjustments


@pytest.mark.parametrize(
    ("regimes", "elasticity", "factor", "words"),
    [
        ({"hedge": "pin"}, {"ret_5d": 0.02}, FACTORS.pin, "pinned"),
        ({"liquidity": "thin_liquidity"}, {"ret_5d": -0.02}, FACTORS.thin_liquidity_contrarian, "in a thin book"),
        ({"liquidity": "thin_liquidity"}, {"ret_5d": 0.02}, 1.0, "confidence 0.60"),
        ({}, {"ret_5d": -0.02, "unstable": 1.0}, FACTORS.unstable_contrarian, "dealers would complete"),
        ({}, {"ret_5d": 0.02, "unstable": 1.0}, 1.0, "confidence 0.60"),
        ({"hedge": "gamma_squeeze"}, {"ret_5d": 0.02}, FACTORS.gamma_squeeze_with_trend, "squeeze runs this way"),
        ({"hedge": "gamma_squeeze"}, {"ret_5d": -0.02}, FACTORS.gamma_squeeze_against_trend, "runs the other way"),
        (
            {"hedge": "gamma_squeeze", "liquidity": "thin_liquidity"},
            {"ret_5d": -0.02},
            FACTORS.gamma_squeeze_against_trend * FACTORS.thin_liquidity_contrarian,
            "in a thin book; x",
        ),
    ],
)
def test_regimes_temper_a_side_and_say_so(
    regimes: dict[str, str], elasticity: dict[str, float], factor: float, words: str
) -> None:
    stance = compose(BULL, regimes=regimes, elasticity=elasticity)
    assert stance.action == "long"
    assert stance.confidence == pytest.approx(min(1.0, 0.6 * factor))
    assert words in stance.reasoning


def test_what_a_trade_agent_needs_is_carried() -> None:
    stance = compose(
        say("primary_hedge", "long", 0.8, horizon_days=1.0),
        regimes={"hedge": "pin"},
        hedge={"spot": 100.0, "atm_iv_30d": 0.32},
    )
    assert stance.forecast["spot"] == 100.0
    assert stance.forecast["exp_move_pct"] == pytest.approx(0.32 / 252**0.5 * 100)
    assert stance.tags[0] == "pin"


def test_bars_alone_still_give_an_expected_move() -> None:
    stance = compose(say("primary_sentiment", "long", 0.8), elasticity={"sigma_daily": 0.02, "adv_usd": 1e8})
    assert stance.forecast["adv_usd"] == 1e8
    assert stance.forecast["exp_move_pct"] == pytest.approx(2 * SETTINGS.default_horizon_days**0.5)


def test_data_trust_is_the_weighted_trust_in_the_engines_behind_the_voices() -> None:
    voices = [say(layer, "flat", 0.0) for layer in LAYERS]
    half = compose(*voices, say("mine", "long", 0.9), trust={"hedge": 0.5, "sentiment": 1.0})
    assert half.forecast["data_trust"] == pytest.approx(0.4 * 0.5 + 0.3 * 0.0 + 0.3 * 1.0)
    assert compose(say("mine", "long", 0.9)).forecast["data_trust"] == 0.0


def test_a_models_forecast_is_carried_as_the_mean_of_who_says_it() -> None:
    stance = compose(
        say("primary_hedge", "long", 0.5, exp_return_1d=0.01), say("mine", "long", 0.8, exp_return_1d=0.03, p_up_1d=0.6)
    )
    assert stance.forecast["exp_return_1d"] == pytest.approx((0.4 * 0.5 * 0.01 + 0.25 * 0.8 * 0.03) / 0.4)
    assert stance.forecast["p_up_1d"] == 0.6
    assert "exp_vol_1d" not in stance.forecast


QUARREL = (say("primary_hedge", "long", 0.6), say("primary_liquidity", "short", 0.8))
VOICES: dict[str, tuple[Suggestion, ...]] = {
    "long": (BULL,),
    "short": (say("primary_hedge", "short", 0.6),),
    "flat": (say("primary_hedge", "flat", 0.0),),
    "spread": QUARREL,
    "complex": QUARREL,
}


def hints_of(action: str, implied: float | None, regime: str = "neutral", trend: float = 0.01) -> list[str]:
    """Hints where realised volatility is 30%, and implied volatility as told."""
    hedge = {"effective_gex_usd_per_pct": 1e6 if action == "spread" else -1e6}
    if implied is not None:
        hedge["atm_iv_30d"] = implied
    stance = compose(
        *VOICES[action],
        regimes={"hedge": regime},
        elasticity={"realised_vol_20d": 0.3, "ret_5d": trend},
        hedge=hedge,
    )
    assert stance.action == action
    return hinted(stance)


def test_every_strategy_is_hinted_at_somewhere() -> None:
    cases = product(VOICES, (0.25, 0.3, 0.45, None), ("neutral", "pin", "gamma_squeeze"))
    assert {name for case in cases for name in hints_of(*case)} == {
        *("long_stock", "short_stock", "long_call", "long_put", "call_debit_spread", "put_debit_spread"),
        *("bull_put_spread", "bear_call_spread", "iron_condor", "calendar_spread", "covered_call"),
        *("long_straddle", "long_strangle", "butterfly"),
    }


@pytest.mark.parametrize(
    ("action", "implied", "regime", "best"),
    [
        ("long", 0.25, "neutral", "long_call"),
        ("long", 0.3, "neutral", "call_debit_spread"),
        ("long", 0.45, "neutral", "bull_put_spread"),
        ("long", None, "neutral", "long_stock"),
        ("short", 0.45, "neutral", "bear_call_spread"),
        ("short", 0.45, "gamma_squeeze", "short_stock"),
        ("flat", 0.45, "neutral", "iron_condor"),
        ("flat", 0.3, "pin", "butterfly"),
        ("spread", 0.25, "neutral", "calendar_spread"),
        ("complex", 0.3, "neutral", "long_straddle"),
    ],
)
def test_options_are_bought_cheap_and_sold_rich(action: str, implied: float | None, regime: str, best: str) -> None:
    assert hints_of(action, implied, regime)[0] == best


@given(implied=st.floats(0.05, 2.0), action=st.sampled_from(sorted(VOICES)))
def test_nobody_sells_movement_into_a_squeeze(implied: float, action: str) -> None:
    losers = {"iron_condor", "butterfly", "calendar_spread"}
    assert not losers & set(hints_of(action, implied, "gamma_squeeze"))
    assert not {"covered_call", "bear_call_spread"} & set(hints_of(action, implied, "gamma_squeeze", trend=0.02))


def test_the_cost_of_options_is_told() -> None:
    stance = compose(BULL, elasticity={"realised_vol_20d": 0.3}, hedge={"atm_iv_30d": 0.45})
    assert "Options are rich: implied 1.50 of realised volatility." in stance.reasoning
    assert "vol_rich" in stance.tags


def test_a_layer_without_weight_is_an_error_that_says_what_to_set(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"composer\.weights\.primary_news"):
        compose(say("primary_news", "long", 0.5))
