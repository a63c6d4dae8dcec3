"""The sentiment agent: it stands with the mood, and says when people speak against the price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.agents.sentiment_agent_v1 import SentimentAgentV1
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config, load_config
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchPass
from gnosis_ray.schemas.core_schemas import EngineSummary, StandardSnapshot, Suggestion
from tests.support.books import NOW

SETTINGS = load_config().config.agents.sentiment
RISING = {"ret_5d": 0.06, "sigma_daily": 0.02}
FALLING = {"ret_5d": -0.06, "sigma_daily": 0.02}


def voices(**said: tuple[float, float]) -> dict[str, float]:
    """Scores and confidences of voices, and their fusion as the engine makes it."""
    trust = sum(confidence for _, confidence in said.values())
    fused = sum(score * confidence for score, confidence in said.values()) / trust if trust else 0.0
    own: dict[str, float] = {}
    for voice, (score, confidence) in said.items():
        own |= {f"{voice}_sentiment_score": score, f"{voice}_sentiment_confidence": confidence}
    return {"sentiment_score": fused, "sentiment_confidence": trust / 3, **own}


def step(
    sentiment: dict[str, float], elasticity: dict[str, float] | None = None, absent: tuple[str, ...] = ()
) -> Suggestion:
    summary = EngineSummary(confidence=sentiment.get("sentiment_confidence", 0.0), absent=absent)
    snapshot = StandardSnapshot(
        symbol="AAA",
        timestamp=NOW,
        sentiment=sentiment,
        elasticity=elasticity or {},
        engines={"sentiment": summary},
    )
    return SentimentAgentV1(SETTINGS).step(snapshot)


@pytest.mark.parametrize(("score", "action"), [(0.8, "long"), (-0.8, "short"), (0.1, "flat")])
def test_it_stands_with_the_mood(score: float, action: str) -> None:
    assert step(voices(news=(score, 0.6))).action == action


@given(score=st.floats(-1, 1), trust=st.floats(0, 1), moved=st.floats(-0.3, 0.3))
def test_confidence_is_the_moods_energy_or_nothing(score: float, trust: float, moved: float) -> None:
    stance = step(voices(news=(score, trust)), {"ret_5d": moved, "sigma_daily": 0.02})
    energy = abs(score) * trust / 3
    if stance.action == "flat":
        assert stance.confidence == 0.0
        assert energy < SETTINGS.min_energy + 1e-12
    else:
        assert stance.confidence == pytest.approx(energy)
        assert energy >= SETTINGS.min_energy - 1e-12


def test_bearish_words_against_a_rising_price_are_a_contrarian_divergence() -> None:
    stance = step(voices(news=(-0.8, 0.8), technical=(0.6, 0.3)), RISING)
    assert stance.action == "short"
    assert {"sentiment_divergence", "contrarian"} <= set(stance.tags)
    assert "bearish talk (-0.80) against a rising price (+6.0% in five days)" in stance.reasoning


def test_bullish_words_against_a_falling_price_too() -> None:
    stance = step(voices(flow=(0.9, 0.4)), FALLING)
    assert (stance.action, set(stance.tags)) == ("long", {"sentiment_divergence", "contrarian"})


def test_a_stance_with_the_price_diverges_from_the_words_but_is_not_contrarian() -> None:
    stance = step(voices(flow=(-0.4, 0.1), technical=(0.9, 0.4)), RISING)
    assert (stance.action, stance.tags) == ("long", ["sentiment_divergence"])


@pytest.mark.parametrize(
    ("said", "moved"),
    [
        (voices(news=(-0.8, 0.8)), FALLING),
        (voices(news=(-0.1, 0.8)), RISING),
        (voices(news=(-0.8, 0.8)), {"ret_5d": 0.005, "sigma_daily": 0.02}),
        (voices(technical=(-0.8, 0.4)), RISING),
        (voices(news=(-0.8, 0.8)), {}),
    ],
    ids=["same way", "faint words", "small move", "price alone", "move unknown"],
)
def test_otherwise_nothing_diverges(said: dict[str, float], moved: dict[str, float]) -> None:
    assert not {"sentiment_divergence", "contrarian"} & set(step(said, moved).tags)


@pytest.mark.parametrize(
    ("news", "shock"), [((0.8, 0.5), True), ((-0.8, 0.5), True), ((0.3, 0.9), False), ((0.9, 0.1), False)]
)
def test_strong_and_fresh_news_are_a_shock(news: tuple[float, float], shock: bool) -> None:
    stance = step({**voices(news=news), "news_items": 3.0})
    assert ("news_shock" in stance.tags) is shock
    assert (f"news shock {news[0]:+.2f} from 3 items" in stance.reasoning) is shock


def test_the_reasoning_names_every_voice() -> None:
    reasoning = step(voices(news=(0.8, 0.5), flow=(0.4, 0.2), technical=(-0.1, 0.3))).reasoning
    assert "(news +0.80, option flow +0.40, price -0.10)" in reasoning


def test_silence_votes_nothing_and_says_why() -> None:
    stance = step({}, RISING, absent=("no_news", "no_option_volume"))
    assert (stance.action, stance.confidence, stance.tags) == ("flat", 0.0, [])
    assert "no_news,no_option_volume" in stance.reasoning
    absent = SentimentAgentV1(SETTINGS).step(StandardSnapshot(symbol="AAA", timestamp=NOW))
    assert (absent.action, absent.confidence) == ("flat", 0.0)


def test_every_tag_of_mood_and_dealers_is_found_in_the_planted_market(
    config: Config, market_calendar: SessionCalendar
) -> None:
    """The synthetic market plants toned weeks, squeezes and thin books; the whole pipeline must meet them."""
    adapter = build_adapter(config, market_calendar)
    names = [f"PLANT{i:03d}" for i in range(60)]
    outcome = BatchPass(ConfiguredComponents(config), adapter, config).run(keys_at(names, config.data.synthetic.as_of))
    tags = {tag for record in outcome.records for s in record.primary_suggestions for tag in s.tags}
    assert {"news_shock", "sentiment_divergence", "contrarian", "thin_liquidity", "gamma_squeeze"} <= tags
    actions = {s.action for record in outcome.records for s in record.primary_suggestions}
    assert actions == {"long", "short", "flat"}
