"""What the sentiment engine must say of worlds whose mood is known."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.engines.base import Engine
from gnosis_ray.engines.sentiment.frame_processor import SentimentProcessor
from gnosis_ray.engines.sentiment.processors import NewsSentimentProcessor
from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.schemas.core_schemas import EngineOutput
from tests.engines.sentiment.scenarios import BAD, DULL, GOOD, World, chain, engine, news, trend
from tests.support.books import NOW


class Fixed:
    """A processor that always gives the same answer."""

    def __init__(self, name: str, score: float, confidence: float) -> None:
        self.name = name
        self.answer = (score, confidence)

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return self.answer


def measure(world: World, config: Config) -> EngineOutput:
    return engine(world, config).run("AAA", NOW)


def fuse(config: Config, **answers: tuple[float, float]) -> EngineOutput:
    sources = [Fixed(name, *answer) for name, answer in answers.items()]
    return SentimentEngineV1(sources, config.engines.sentiment).run("AAA", NOW)


def test_all_positive_news_is_bullish(config: Config) -> None:
    output = measure(World(news(*GOOD), chain(500, 300), trend(0.0)), config)
    assert output.regime == "bullish_news"
    assert output.features["news_sentiment_score"] > 0.5
    assert output.features["sentiment_score"] > 0.2
    assert "degraded" not in output.metadata


def test_all_negative_news_is_bearish(config: Config) -> None:
    output = measure(World(news(*BAD), chain(500, 300), trend(0.0)), config)
    assert output.regime == "bearish_news"
    assert output.features["news_sentiment_score"] < -0.5


def test_no_news_and_mixed_technicals_are_quiet_with_low_confidence(config: Config) -> None:
    output = measure(World(daily=trend(0.0)), config)
    assert output.regime == "quiet"
    assert output.confidence < 0.15
    assert output.metadata["absent"] == "no_news"
    assert output.metadata["degraded"] == "no_chain"
    assert "news_sentiment_score" not in output.features
    assert output.features["news_items"] == 0.0


def test_dull_news_and_strong_flow_are_mixed(config: Config) -> None:
    output = measure(World(news(*DULL), chain(5000, 300), trend(0.01)), config)
    assert output.regime == "mixed"
    assert output.features["news_sentiment_score"] == 0.0
    assert output.features["sentiment_energy"] > config.engines.sentiment.quiet_energy


def test_nothing_at_all_has_no_regime(config: Config) -> None:
    output = measure(World(), config)
    assert (output.regime, output.confidence) == (None, 0.0)
    assert output.metadata == {"degraded": "no_chain,no_bars", "absent": "no_news"}
    assert "sentiment_score" not in output.features


def test_fusion_is_its_formula(config: Config) -> None:
    output = fuse(config, news=(0.8, 0.5), flow=(-0.4, 0.25), technical=(0.0, 0.25))
    score, confidence = (0.8 * 0.5 - 0.4 * 0.25) / 1.0, 1.0 / 3
    assert output.features["sentiment_score"] == pytest.approx(score)
    assert output.confidence == output.features["sentiment_confidence"] == pytest.approx(confidence)
    assert output.features["sentiment_energy"] == pytest.approx(score * confidence)


def test_a_silent_voice_drops_out_of_the_score_and_lowers_the_confidence(config: Config) -> None:
    both, one = fuse(config, news=(0.8, 0.6), flow=(0.8, 0.6)), fuse(config, news=(0.8, 0.6), flow=(0.0, 0.0))
    assert one.features["sentiment_score"] == pytest.approx(0.8)
    assert one.confidence == pytest.approx(both.confidence / 2)
    assert one.metadata["voices"] == "news"
    assert "flow_sentiment_score" not in one.features


def test_any_processor_of_the_protocol_can_be_a_voice(config: Config) -> None:
    assert isinstance(Fixed("news", 1, 1), SentimentProcessor)
    assert isinstance(NewsSentimentProcessor(World(), config.engines.sentiment.news), SentimentProcessor)
    assert isinstance(engine(World(), config), Engine)
    alone = fuse(config, news=(0.9, 0.9))
    assert alone.regime == "bullish_news"
    assert alone.confidence == pytest.approx(0.9)  # of the one source configured


@pytest.mark.parametrize("names", [[], ["news", "news"], ["tarot"]])
def test_voices_are_known_and_distinct(config: Config, names: list[str]) -> None:
    with pytest.raises(ConfigError, match="Expected"):
        SentimentEngineV1([Fixed(name, 0, 0) for name in names], config.engines.sentiment)


def universe() -> tuple[World, list[str]]:
    """Eleven symbols with different moods; some lack news, a chain or bars."""
    names = [f"S{i:02d}" for i in range(11)]
    texts = GOOD + BAD + DULL
    items = [
        news(*(t.replace("AAA", s) for t in texts[i % 5 : i % 5 + 3]), symbol=s, hours_ago=3 + 5 * i)
        for i, s in enumerate(names[:-1])
    ]
    chains = [chain(100.0 + 37 * i, 400.0 - 31 * i, interest=90.0 * i, symbol=s) for i, s in enumerate(names[1:])]
    daily = [trend(0.003 * (i - 5), symbol=s, count=60 + 7 * i) for i, s in enumerate(names[:-2])]
    return World(pl.concat(items), pl.concat(chains), pl.concat(daily)), names


def test_a_batch_of_one_equals_a_batch_of_many_bit_for_bit(config: Config) -> None:
    world, names = universe()
    measured = engine(world, config)
    many = measured.frames(keys_at(names, NOW)).features
    ones = pl.concat([measured.frames(one_key(name, NOW)).features for name in names])
    assert_frame_equal(many, ones, check_exact=True)
    backwards = measured.frames(keys_at(names, NOW).reverse()).features
    assert_frame_equal(backwards.reverse(), many, check_exact=True)
    assert measured.frames(keys_at([], NOW)).features.schema == many.schema


def test_a_panel_of_moments_equals_the_moments_one_at_a_time(config: Config) -> None:
    moments = [NOW - timedelta(hours=h) for h in (200, 49, 26, 25, 1, 0)]
    texts = GOOD + BAD + DULL
    items = [
        news(texts[i % 8].replace("AAA", s) + f" {i // 8}", symbol=s, hours_ago=7.0 * i).with_columns(
            pl.col("known_at") + timedelta(hours=(i % 3) * 20)
        )
        for i in range(36)
        for s in ("AAA", "BBB")
    ]
    chains = [chain(100.0 * (i + 1), 300.0, now=m, symbol=s) for i, m in enumerate(moments) for s in ("AAA", "BBB")]
    daily = [trend(0.002, count=500, symbol=s) for s in ("AAA", "BBB")]
    measured = engine(World(pl.concat(items), pl.concat(chains), pl.concat(daily)), config)
    keys = pl.concat([one_key(s, m) for m in moments for s in ("AAA", "BBB")])
    panel = measured.frames(keys).features
    singles = pl.concat([measured.frames(key).features for key in keys.iter_slices(1)])
    assert_frame_equal(panel, singles, rel_tol=1e-9, abs_tol=0.0)
    assert panel["news_items"].n_unique() > 2
