"""The synthetic market's planted tones, found again."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.engines.sentiment.processors import (
    FlowSentimentProcessor,
    NewsSentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, one_key

SYMBOLS = [f"S{i:03}" for i in range(60)]


@pytest.fixture(scope="module")
def calendar(config: Config) -> SessionCalendar:
    return SessionCalendar.build(config.market.calendar, date(2021, 12, 1), date(2027, 6, 30))


@pytest.fixture(scope="module")
def adapter(source: SyntheticSource, calendar: SessionCalendar, config: Config) -> SourceMarketAdapter:
    return SourceMarketAdapter(source, ChainLoader(calendar, config.market))


@pytest.fixture(scope="module")
def source(calendar: SessionCalendar, config: Config) -> SyntheticSource:
    return SyntheticSource(calendar, config.data.synthetic, config.market)


def sign(value: float) -> int:
    return int(value > 0.05) - int(value < -0.05)


def test_every_planted_headline_has_its_sign(source: SyntheticSource, config: Config) -> None:
    tones = {
        t: v for s in SYMBOLS for t, v in source.ground_truth(s, config.data.synthetic.as_of).headline_tones.items()
    }
    assert set(tones.values()) == {-1, 0, 1}
    wrong = {text: tone for text, tone in tones.items() if sign(shared_scorer().score(text)) != tone}
    assert wrong == {}


def test_the_news_voice_finds_the_tone_of_the_week(
    source: SyntheticSource, adapter: SourceMarketAdapter, config: Config
) -> None:
    now = config.data.synthetic.as_of
    news = NewsSentimentProcessor(adapter, config.engines.sentiment.news)
    rows = news.compute_batch(keys_at(SYMBOLS, now))
    for row in rows.iter_rows(named=True):
        truth = source.ground_truth(row["symbol"], now)
        assert row["news_items"] == len(truth.headline_tones)
        planted = set(truth.headline_tones.values())
        if planted == {1}:
            assert row["score"] > 0.5
        elif planted == {-1}:
            assert row["score"] < -0.5
        elif planted == {0}:
            assert row["score"] == 0.0


def test_one_market_batch_and_single_agree_to_the_bit(adapter: SourceMarketAdapter, config: Config) -> None:
    settings = config.engines.sentiment
    engine = SentimentEngineV1(
        [
            TechnicalSentimentProcessor(adapter, settings.technical),
            FlowSentimentProcessor(settings.flow, adapter),
            NewsSentimentProcessor(adapter, settings.news),
        ],
        settings,
    )
    now, few = config.data.synthetic.as_of, SYMBOLS[:8]
    many = engine.frames(keys_at(few, now)).features
    assert_frame_equal(many, pl.concat([engine.frames(one_key(s, now)).features for s in few]), check_exact=True)
    assert many["sentiment_score"].null_count() == 0
    assert many["regime"].is_in(["bullish_news", "bearish_news", "mixed", "quiet"]).all()
