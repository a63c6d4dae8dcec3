"""The tone of market language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from gnosis_ray.engines.sentiment.lexicon import DIRECTIONS, SILENCED, UP_IS_BAD, UP_IS_GOOD, finance_lexicon
from gnosis_ray.engines.sentiment.tone import ToneScorer

SCORER = ToneScorer()


@pytest.mark.parametrize(
    "text",
    [
        "beats earnings and raises guidance",
        "Company tops estimates, lifts full-year outlook",
        "shares surge to a new high",
        "losses narrow as costs fall",
        "cuts costs and debt",
        "results were better than expected",
        "Stock isn't falling",
    ],
)
def test_good_news_is_good(text: str) -> None:
    assert SCORER.score(text) > 0.2


@pytest.mark.parametrize(
    "text",
    [
        "shares plunge after earnings miss",
        "misses estimates and cuts guidance",
        "losses widen on higher costs",
        "profit falls 20% as costs rise",
        "forecasts annual sales growth below estimates",
        "results were worse than feared",
        "fails to beat estimates",
        "did not raise guidance",
        "shares slide despite strong earnings",
        "beats estimates but cuts guidance",
    ],
)
def test_bad_news_is_bad(text: str) -> None:
    assert SCORER.score(text) < -0.2


@pytest.mark.parametrize(
    "text",
    ["", "...", "to present at an investor conference", "Issue of Debt", "United Trust shares like crude interest"],
)
def test_notices_and_names_have_no_tone(text: str) -> None:
    assert SCORER.score(text) == 0.0


def test_a_general_lexicon_alone_would_be_wrong() -> None:
    general = SentimentIntensityAnalyzer()
    assert general.polarity_scores("beats earnings and raises guidance")["compound"] == 0.0
    assert general.polarity_scores("shares plunge after earnings miss")["compound"] > 0.0


@settings(deadline=None)
@given(direction=st.sampled_from(sorted(DIRECTIONS)), good=st.sampled_from(sorted(UP_IS_GOOD - {"index"})))
def test_a_direction_is_good_or_bad_by_what_it_moves(direction: str, good: str) -> None:
    sign = 1 if DIRECTIONS[direction] > 0 else -1
    assert SCORER.score(f"{direction} {good}") * sign > 0
    assert SCORER.score(f"{good} {direction}") * sign > 0


@settings(deadline=None)
@given(direction=st.sampled_from(sorted(DIRECTIONS)), bad=st.sampled_from(sorted(UP_IS_BAD)))
def test_more_of_what_is_bad_is_bad(direction: str, bad: str) -> None:
    sign = -1 if DIRECTIONS[direction] > 0 else 1
    assert SCORER.score(f"{direction} {bad}") * sign > 0


@settings(deadline=None)
@given(direction=st.sampled_from(sorted(DIRECTIONS)), good=st.sampled_from(["profit", "revenue", "guidance"]))
def test_negation_turns_it(direction: str, good: str) -> None:
    assert SCORER.score(f"it did not {direction} {good}") * SCORER.score(f"it did {direction} {good}") < 0


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_scores_within_bounds_and_without_case(text: str) -> None:
    score = SCORER.score(text)
    assert -1.0 <= score <= 1.0
    assert SCORER.score(text.lower()) == score


def test_the_lists_do_not_contradict_each_other() -> None:
    assert not UP_IS_GOOD & UP_IS_BAD
    assert not SILENCED & set(finance_lexicon())
    assert not set(DIRECTIONS) & (UP_IS_GOOD | UP_IS_BAD)


def test_a_direction_does_not_govern_the_next_clause() -> None:
    assert SCORER.score("shares rise, costs and losses unchanged") > 0
    assert SCORER.score("profit falls as dividends rise") == pytest.approx(0.0, abs=0.2)


def test_only_words_that_spoke_are_silenced() -> None:
    assert set(SentimentIntensityAnalyzer().lexicon) >= SILENCED
