"""The composer: a vote whose order does not matter and whose arithmetic can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.composer.composer_agent_v1 import ComposerAgentV1
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.core_schemas import Action, StandardSnapshot, Suggestion
from tests.support.books import NOW

LAYERS = ("primary_hedge", "primary_liquidity", "primary_sentiment")
SETTINGS = load_config().config.composer
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


def compose(*voices: Suggestion, **hedge: float) -> Suggestion:
    snapshot = StandardSnapshot(symbol="AAA", timestamp=NOW, hedge=hedge, metadata={"hedge.regime": "pin"})
    return ComposerAgentV1(SETTINGS.weights, SETTINGS).compose(snapshot, list(voices))


voices_of_all = st.tuples(
    *(st.builds(say, st.just(layer), st.sampled_from(ACTIONS), st.floats(0, 1)) for layer in LAYERS)
)


@given(voices=voices_of_all, order=st.permutations(range(3)))
def test_order_does_not_matter(voices: tuple[Suggestion, ...], order: list[int]) -> None:
    assert compose(*voices) == compose(*(voices[i] for i in order))


@given(voices=voices_of_all)
def test_confidence_is_a_probability_and_never_above_the_surest_voice(voices: tuple[Suggestion, ...]) -> None:
    confidence = compose(*voices).confidence
    assert 0.0 <= confidence <= max(v.confidence for v in voices) + 1e-12


@given(voices=voices_of_all)
def test_turning_everybody_round_turns_the_stance_round(voices: tuple[Suggestion, ...]) -> None:
    opposite: dict[Action, Action] = {"long": "short", "short": "long", "flat": "flat"}
    turned = compose(*(v.model_copy(update={"action": opposite[v.action]}) for v in voices))
    plain = compose(*voices)
    assert turned.action == opposite.get(plain.action, plain.action)
    assert turned.confidence == pytest.approx(plain.confidence)


@given(voices=voices_of_all, index=st.integers(0, 2))
def test_joining_the_majority_never_lowers_confidence(voices: tuple[Suggestion, ...], index: int) -> None:
    plain = compose(*voices)
    if plain.action in ("long", "short"):
        joined = [v.model_copy(update={"action": plain.action}) if i == index else v for i, v in enumerate(voices)]
        assert compose(*joined).confidence >= plain.confidence - 1e-12


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
        say("primary_hedge", "long", 0.6), say("primary_liquidity", "short", 0.8), effective_gex_usd_per_pct=gex
    )
    assert stance.action == action


def test_nobody_sure_is_flat() -> None:
    assert compose(say("primary_hedge", "long", 0.1)).action == "flat"
    assert compose().action == "flat"


def test_what_a_trade_agent_needs_is_carried() -> None:
    stance = compose(say("primary_hedge", "long", 0.8, horizon_days=1.0), spot=100.0, atm_iv_30d=0.32)
    assert stance.forecast["spot"] == 100.0
    assert stance.forecast["exp_move_pct"] == pytest.approx(0.32 / 252**0.5 * 100)
    assert stance.tags == ["pin"]


def test_a_layer_without_weight_is_an_error_that_says_what_to_set(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"composer\.weights\.primary_news"):
        compose(say("primary_news", "long", 0.5))
