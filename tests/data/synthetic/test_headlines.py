"""Headlines: counts, tones, repeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.keys import keys_at, one_key

NOW = datetime(2026, 7, 11, 23, tzinfo=UTC)
SYMBOLS = [f"S{i:03}" for i in range(120)]
GOOD = "beats|upgraded|record|buyback|approval"
BAD = "misses|downgraded|plunge|fraud|suspends"


def test_a_day_has_none_to_four_items_and_repeats_of_other_sources(source: SyntheticSource) -> None:
    news = source.news(keys_at(SYMBOLS, NOW), 24 * 30).with_columns(day=pl.col("timestamp").dt.date())
    originals = news.unique(["symbol", "day", "headline"]).group_by("symbol", "day").len()["len"]
    assert set(originals) == {1, 2, 3, 4}
    repeats = news.group_by("symbol", "day", "headline").agg(pl.len(), pl.col("source").n_unique().alias("sources"))
    assert 0.2 < float((repeats["len"] == 2).mean()) < 0.3  # type: ignore[arg-type]
    assert (repeats["len"] == repeats["sources"]).all()
    assert (news["known_at"] == news["timestamp"]).all()


def test_truth_knows_the_tone_of_each_recent_headline(source: SyntheticSource) -> None:
    tones = set()
    for symbol in SYMBOLS:
        news = source.news(one_key(symbol, NOW), 72)
        truth = source.ground_truth(symbol, NOW)
        assert set(news["headline"]) == set(truth.headline_tones)
        for text, tone in truth.headline_tones.items():
            words = pl.Series([text])
            assert (bool(words.str.contains(GOOD)[0]), bool(words.str.contains(BAD)[0])) == (tone == 1, tone == -1)
            tones.add(tone)
    assert tones == {-1, 0, 1}


def test_most_items_of_a_toned_week_carry_its_tone(source: SyntheticSource) -> None:
    kept, seen, wrong = 0, 0, 0
    for symbol in SYMBOLS:
        truth = source.ground_truth(symbol, NOW)
        if truth.news_tone != 0:
            seen += len(truth.headline_tones)
            kept += sum(tone == truth.news_tone for tone in truth.headline_tones.values())
            wrong += sum(tone == -truth.news_tone for tone in truth.headline_tones.values())
    assert wrong == 0
    assert 0.7 < kept / seen < 0.9


def test_the_window_opens_after_its_start(source: SyntheticSource) -> None:
    items = source.news(one_key("AAPL", NOW), 240)
    first = items["timestamp"][0]
    assert first > NOW - timedelta(hours=240)
    exactly = source.news(one_key("AAPL", first), 1)
    assert exactly["timestamp"][-1] == first
    assert source.news(one_key("AAPL", first + timedelta(hours=1)), 1).filter(pl.col("timestamp") == first).is_empty()
