"""Each processor on worlds whose mood is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.sentiment.processors import (
    FlowSentimentProcessor,
    NewsSentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.engines.shared.indicators import daily_indicators
from gnosis_ray.market.columns import NEWS, NEWS_IDENTITY
from gnosis_ray.market.keys import one_key
from tests.engines.sentiment.scenarios import BAD, DULL, GOOD, World, chain, news, trend
from tests.support.books import NOW

SETTINGS = load_config().config.engines.sentiment


def heard(items: pl.DataFrame, now: datetime = NOW, **changes: object) -> dict[str, Any]:
    """The news processor's row."""
    config = SETTINGS.news.replaced(**changes)
    return NewsSentimentProcessor(World(items), config).compute_batch(one_key("AAA", now)).row(0, named=True)


def test_flow_without_an_adapter_is_silent() -> None:
    key = one_key("AAA", NOW)
    row = FlowSentimentProcessor(SETTINGS.flow).compute_batch(key).row(0, named=True)
    assert (row["score"], row["confidence"], row["degraded"]) == (None, 0.0, "no_chain")
    assert FlowSentimentProcessor(SETTINGS.flow).compute("AAA", NOW) == (0.0, 0.0)


def flow(chains: pl.DataFrame) -> dict[str, Any]:
    return (
        FlowSentimentProcessor(SETTINGS.flow, World(chains=chains))
        .compute_batch(one_key("AAA", NOW))
        .row(0, named=True)
    )


def technical(daily: pl.DataFrame) -> dict[str, Any]:
    processor = TechnicalSentimentProcessor(World(daily=daily), SETTINGS.technical)
    return processor.compute_batch(one_key("AAA", NOW)).row(0, named=True)


def test_news_is_the_weighted_mean_of_its_tones() -> None:
    tones = [shared_scorer().score(text.replace("AAA", " ")) for text in (GOOD[0], DULL[0])]
    items = pl.concat([news(GOOD[0], hours_ago=24), news(DULL[0], hours_ago=0)])
    assert heard(items)["score"] == pytest.approx((0.5 * tones[0] + tones[1]) / 1.5)
    assert heard(items, half_life_hours=12.0)["score"] == pytest.approx((0.25 * tones[0] + tones[1]) / 1.25)


def test_sources_weigh_by_name_in_any_case() -> None:
    items = pl.concat([news(GOOD[0], source="Twitter"), news(BAD[0], source="Wire")])
    weights = {"twitter": 3.0}
    assert heard(items, source_weights=weights)["score"] > 0.2
    assert heard(items, source_weights={})["score"] == pytest.approx(0.0, abs=0.01)
    unheard = heard(items, source_weights={"twitter": 0.0, "wire": 0.0})
    assert (unheard["score"], unheard["confidence"], unheard["absent"]) == (None, 0.0, "no_news")


def test_a_crowded_text_weighs_one_nth() -> None:
    crowded = "$AAA $BBB $CCC $DDD $EEE rise: all beat estimates"
    alone, with_bad = heard(news(crowded)), heard(pl.concat([news(crowded), news(BAD[0])]))
    bad = heard(news(BAD[0]))["score"]
    assert with_bad["score"] == pytest.approx((alone["score"] / 5 + bad) / 1.2, rel=1e-3)
    three = heard(pl.concat([news("$AAA $BBB $CCC rise: all beat estimates"), news(BAD[0])]))
    assert three["score"] > with_bad["score"]


def test_a_headline_that_comes_again_counts_once_as_the_first() -> None:
    once = pl.concat([news(GOOD[0], hours_ago=20), news(BAD[0], hours_ago=20)])
    again = pl.concat(
        [once, *(news(f"rt AT_USER {GOOD[0].upper()}!", hours_ago=h, source=f"s{h}") for h in range(1, 9))]
    )
    assert heard(again)["score"] == heard(once)["score"]
    assert (heard(again)["news_items"], heard(again)["news_duplicates"]) == (2.0, 8.0)


def test_the_body_speaks_in_its_share() -> None:
    item = news(DULL[0], body="Results beat estimates and guidance was raised.")
    assert heard(item)["score"] > 0.1
    assert heard(item, body_weight=0.0)["score"] == 0.0
    long = news(DULL[0], body="x" * 400 + " Results beat estimates.")
    assert heard(long)["score"] == 0.0


def test_the_ticker_itself_has_no_tone() -> None:
    items = news("LOVE to present at a conference", symbol="LOVE")
    row = NewsSentimentProcessor(World(items), SETTINGS.news).compute_batch(one_key("LOVE", NOW)).row(0, named=True)
    assert row["score"] == 0.0


def test_confidence_grows_with_items_and_falls_with_discord() -> None:
    one, three = heard(news(GOOD[0])), heard(news(*GOOD))
    assert 0 < one["confidence"] < three["confidence"] < 1
    opposed = heard(news(GOOD[0], BAD[0]))  # of equal strength: nothing is left of their agreement but the half
    assert opposed["confidence"] == pytest.approx(heard(news(*GOOD[:2]))["confidence"] / 2, rel=0.02)
    weight = 2 ** (-2 / 24)
    assert one["confidence"] == pytest.approx(1 - 2 ** (-weight / SETTINGS.news.half_confidence_weight))


def test_no_item_is_an_absence() -> None:
    row = heard(news(*GOOD, hours_ago=73.0))
    assert (row["score"], row["confidence"], row["news_items"]) == (None, 0.0, 0.0)
    assert (row["degraded"], row["absent"]) == (None, "no_news")
    assert NewsSentimentProcessor(World(), SETTINGS.news).compute("AAA", NOW) == (0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(late=st.integers(1, 10_000_000), early=st.integers(0, 10_000))
def test_a_headline_known_after_now_never_counts(late: int, early: int) -> None:
    known = NOW + timedelta(microseconds=late)
    future = news(BAD[0], hours_ago=early / 1000).with_columns(pl.lit(known).cast(NEWS["known_at"]).alias("known_at"))
    after = news(BAD[0], hours_ago=-late / 1e6)
    present = news(*GOOD[:2])
    table = pl.concat([present, future, after])
    source = NewsSentimentProcessor(World(), SETTINGS.news)
    key = one_key("AAA", NOW)
    assert_frame_equal(source.score(key, table), source.score(key, present), check_exact=True)


def corrected(hours_ago: float, known_after: float, body: str) -> pl.DataFrame:
    """An item of one headline, with that body from ``known_after`` hours after it on."""
    known = NOW - timedelta(hours=hours_ago - known_after)
    return news(DULL[0], hours_ago=hours_ago, body=body).with_columns(known_at=pl.lit(known).cast(NEWS["known_at"]))


def test_a_correction_speaks_from_when_it_is_known() -> None:
    first, second = (corrected(10.0, known, text) for known, text in ((0.0, GOOD[0]), (4.0, BAD[2])))
    both = pl.concat([second, first])
    keys = pl.concat([one_key("AAA", NOW - timedelta(hours=h)) for h in (8, 6, 0)])
    panel = NewsSentimentProcessor(World(both), SETTINGS.news).compute_batch(keys)
    before, at, after = panel.iter_rows(named=True)
    assert before["score"] > 0.1
    assert at["score"] == pytest.approx(after["score"]) == heard(second)["score"] < -0.1
    assert panel.select("news_items", "news_duplicates").unique().row(0) == (1.0, 0.0)
    renamed = second.with_columns(headline=pl.lit(DULL[1]))
    assert heard(pl.concat([first, renamed]))["news_items"] == 2.0


@settings(max_examples=30, deadline=None)
@given(
    told=st.lists(
        st.tuples(st.sampled_from([10.0, 9.0]), st.floats(0, 12), st.sampled_from(GOOD + BAD + DULL)),
        min_size=1,
        max_size=6,
    )
)
def test_a_panel_hears_of_corrections_what_each_moment_would(told: list[tuple[float, float, str]]) -> None:
    table = pl.concat([corrected(*item) for item in told])
    keys = pl.concat([one_key("AAA", NOW - timedelta(hours=h)) for h in (9, 7, 4, 1, 0)])
    panel = NewsSentimentProcessor(World(table), SETTINGS.news).compute_batch(keys)
    for row in panel.iter_rows(named=True):
        known = table.filter(pl.col("known_at") <= row["timestamp"]).sort("known_at", "body")
        last = known.unique(NEWS_IDENTITY, keep="last")
        assert heard(last, row["timestamp"]) == row


ITEMS = st.lists(
    st.tuples(st.sampled_from(GOOD + BAD + DULL), st.floats(0, 100), st.sampled_from(["Wire", "twitter", "Desk"])),
    min_size=1,
    max_size=12,
)


def table_of(items: list[tuple[str, float, str]]) -> pl.DataFrame:
    return pl.concat([news(text, hours_ago=age, source=source) for text, age, source in items])


@settings(max_examples=40, deadline=None)
@given(items=ITEMS, shuffle=st.randoms(use_true_random=False), hours=st.integers(-5000, 5000))
def test_order_does_not_matter_and_all_that_counts_is_age(
    items: list[tuple[str, float, str]], shuffle: Random, hours: int
) -> None:
    table = table_of(items)
    rows = list(range(table.height))
    shuffle.shuffle(rows)
    source, key = NewsSentimentProcessor(World(), SETTINGS.news), one_key("AAA", NOW)
    plain = source.score(key, table)
    assert_frame_equal(source.score(key, table[rows]), plain, check_exact=True)
    moved = table.with_columns(pl.col("timestamp", "known_at") + timedelta(hours=hours))
    later = source.score(one_key("AAA", NOW + timedelta(hours=hours)), moved)
    assert_frame_equal(later.drop("timestamp"), plain.drop("timestamp"), check_exact=True)


@settings(max_examples=40, deadline=None)
@given(items=ITEMS)
def test_scores_are_bounded_and_copies_change_nothing(items: list[tuple[str, float, str]]) -> None:
    source, key, table = NewsSentimentProcessor(World(), SETTINGS.news), one_key("AAA", NOW), table_of(items)
    row = source.score(key, table).row(0, named=True)
    assert row["score"] is None or -1 <= row["score"] <= 1
    assert 0 <= row["confidence"] <= 1
    doubled = pl.concat([table, table.with_columns(pl.col("source") + " again")])
    assert source.score(key, doubled).row(0, named=True)["news_items"] == row["news_items"]


def test_calls_are_bullish_puts_bearish_and_the_norm_is_neither(config: Config) -> None:
    norm = config.engines.sentiment.flow
    bullish, bearish = flow(chain(1000, 100)), flow(chain(100, 1000))
    assert bullish["score"] > 0.5
    assert bearish["score"] < -0.5
    assert bullish["flow_call_share"] == pytest.approx(10 / 11)
    quiet = flow(chain(1000 * norm.call_share, 1000 * (1 - norm.call_share)))
    assert abs(quiet["score"]) < 0.2


@settings(max_examples=40, deadline=None)
@given(calls=st.floats(0, 1e6), puts=st.floats(0, 1e6), more=st.floats(1.01, 10))
def test_more_calls_are_never_less_bullish(calls: float, puts: float, more: float) -> None:
    row, bolder = flow(chain(calls, puts, interest=1e9)), flow(chain(calls * more, puts, interest=1e9))
    if row["score"] is not None:
        assert -1 <= row["score"] <= bolder["score"] + 1e-12 <= 1 + 1e-12
        assert 0 <= row["confidence"] <= SETTINGS.flow.max_confidence


def test_a_few_trades_say_little() -> None:
    assert abs(flow(chain(0.1, 0.0))["score"]) < 0.1
    assert flow(chain(0.1, 0.0))["confidence"] < 0.01


def test_unusual_volume_is_volume_beyond_interest() -> None:
    usual, unusual = flow(chain(500, 300, interest=1000)), flow(chain(500, 300, interest=200))
    assert usual["flow_unusual_share"] == 0.0
    assert 0 < unusual["flow_unusual_share"] < 1
    assert unusual["score"] > usual["score"]  # only calls are beyond twice their interest


def test_missing_interest_is_named_and_nothing_is_called_unusual() -> None:
    row = flow(chain(500, 300, interest=0.0))
    assert row["degraded"] == "open_interest_unavailable"
    assert row["flow_unusual_share"] is None
    assert row["score"] == flow(chain(500, 300, interest=1e9))["score"]


def test_faults_and_absences_of_a_chain() -> None:
    whole = chain(500, 300)
    assert flow(whole.clear())["degraded"] == "no_chain"
    unknown = flow(whole.with_columns(volume=pl.lit(None, pl.Float64)))
    assert (unknown["degraded"], unknown["score"], unknown["confidence"]) == ("volume_unavailable", None, 0.0)
    untraded = flow(chain(0, 0))
    assert (untraded["degraded"], untraded["absent"], untraded["score"]) == (None, "no_option_volume", None)
    stale = flow(chain(500, 300, behind=2))
    assert stale["degraded"] == "stale_quotes"
    assert stale["confidence"] == pytest.approx(flow(whole)["confidence"] * SETTINGS.flow.stale_session_decay**2)


def test_volume_without_a_delta_costs_confidence() -> None:
    whole = chain(500, 300)
    half = whole.with_columns(delta=pl.when(pl.col("strike") < 100).then("delta"))
    blind = flow(whole.with_columns(delta=pl.lit(None, pl.Float64)))
    assert 0 < flow(half)["confidence"] < flow(whole)["confidence"]
    assert blind["confidence"] == 0.0


def test_a_rise_is_a_bullish_mood_and_its_mirror_bearish() -> None:
    up, down = technical(trend(0.01)), technical(trend(-0.01))
    assert up["score"] > 0.6
    assert down["score"] < -0.6
    assert up["confidence"] == pytest.approx(SETTINGS.technical.max_confidence)
    assert up["degraded"] is None


def test_indicators_that_disagree_cost_confidence() -> None:
    """A long rise that dips: RSI still above 50, the price already low within its bands."""
    daily = trend(0.004)
    fallen = pl.int_range(pl.len()) >= daily.height - 4
    dipped = daily.with_columns(
        pl.when(fallen).then(pl.col(c) * 0.955).otherwise(pl.col(c)).alias(c) for c in ("open", "high", "low", "close")
    )
    found = daily_indicators(one_key("AAA", NOW), dipped).row(0, named=True)
    parts = [
        (found["rsi_14"] - 50) / SETTINGS.technical.rsi_span,
        2 * found["bollinger_percent_b"] - 1,
        2 * found["keltner_position"] - 1,
    ]
    parts = [max(-1.0, min(1.0, part)) for part in parts]
    assert min(parts) < 0 < max(parts)
    row, agreement = technical(dipped), abs(sum(parts)) / sum(map(abs, parts))
    assert row["score"] == pytest.approx(sum(parts) / 3)
    assert row["confidence"] == pytest.approx(SETTINGS.technical.max_confidence * agreement)


def test_history_and_age_of_bars_are_named() -> None:
    assert technical(trend(0.01).clear())["degraded"] == "no_bars"
    short = technical(trend(0.01, count=30))
    assert short["degraded"] == "short_history"
    assert short["score"] is not None  # %b needs no warm-up beyond its window
    assert technical(trend(0.01, count=15))["score"] is None
    old = technical(trend(0.01, now=NOW - timedelta(days=8)))
    assert old["degraded"] == "stale_bars"
    assert old["confidence"] == pytest.approx(SETTINGS.technical.max_confidence * SETTINGS.technical.stale_confidence)


def test_a_split_is_no_crash() -> None:
    daily = trend(0.001)
    split = daily.with_columns(
        pl.when(pl.col("timestamp") > NOW - timedelta(days=10)).then(pl.col(c) / 4).otherwise(pl.col(c)).alias(c)
        for c in ("open", "high", "low", "close")
    )
    row = technical(split)
    assert row["degraded"] == "price_break"
    assert row["score"] is None or row["score"] > -0.2
