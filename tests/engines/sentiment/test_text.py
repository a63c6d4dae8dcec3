"""Posts cleaned, copies recognised, symbols counted."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from gnosis_ray.engines.sentiment.text import cleaned, readable, story, symbols_named
from gnosis_ray.market.calendar import SessionCalendar
from tests.support.post_sessions import first_session_after, session_closing_after


def one(text: str, expression: pl.Expr) -> object:
    return pl.DataFrame({"text": [text], "symbol": ["AAPL"]}).select(expression).item()


@pytest.mark.parametrize(
    ("post", "kept"),
    [
        ("rt AT_USER apple beats $ aapl URL", "apple beats $ aapl URL"),
        ("! rt AT_USER amazon rises $ amzn", "amazon rises $ amzn"),
        ("😂 😂 rt AT_USER 9.9 $ aapl", "9.9 $ aapl"),
        ("AT_USER AT_USER URL $ aapl falls", "$ aapl falls"),
        ("RT @somebody: $AAPL falls", "$AAPL falls"),
        ("https://t.co/x $AAPL falls", "$AAPL falls"),
        ("$ aapl stays in front", "$ aapl stays in front"),
        ('"Quoted" headline stays', '"Quoted" headline stays'),
        ("rtx beats estimates", "rtx beats estimates"),
        ("URLs are kept", "URLs are kept"),
    ],
)
def test_only_what_leads_a_post_is_stripped(post: str, kept: str) -> None:
    assert one(post, cleaned(pl.col("text"))) == kept


def test_copies_have_one_story() -> None:
    copies = [
        "Apple beats estimates!",
        "rt AT_USER apple BEATS estimates URL",
        " apple beats -- estimates https://a.b/c",
    ]
    assert {one(copy, story(pl.col("text"))) for copy in copies} == {"apple beats estimates"}
    assert one("Apple misses estimates", story(pl.col("text"))) != "apple beats estimates"


def test_cashtags_stay_in_the_story_and_leave_the_tone() -> None:
    assert one("$ aapl beats URL", story(pl.col("text"))) == "aapl beats"
    assert one("$ fun $BRK.B beats URL", readable(pl.col("text"))) == "beats"


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("no symbol at all", 1),
        ("$ aapl and $AAPL again", 1),
        ("$ aapl $ goog $ fb $ tsla", 4),
        ("price lowered to $ 75 and $5b", 1),
        ("Alphabet (NASDAQ: GOOG) and Ford (NYSE:F)", 3),
        ("$goog only", 2),
    ],
)
def test_symbols_are_counted_with_ones_own(text: str, n: int) -> None:
    assert one(text, symbols_named(pl.col("text"), pl.col("symbol"))) == n


def test_a_post_belongs_to_the_first_session_that_opens_after_it() -> None:
    calendar = SessionCalendar.build("XNYS", date(2014, 7, 1), date(2014, 7, 31))
    moments = np.array(
        [
            "2014-07-02T13:29:59",  # a second before Wednesday's open
            "2014-07-02T13:30:00",  # at the open
            "2014-07-02T21:00:00",  # after the close
            "2014-07-03T18:00:00",  # after Thursday's early close; Friday is a holiday
            "2014-07-31T20:00:00",  # after the calendar's last session
        ],
        dtype="datetime64[us]",
    )
    days = first_session_after(moments, calendar).astype(str).tolist()
    assert days == ["2014-07-02", "2014-07-03", "2014-07-03", "2014-07-07", "NaT"]


def test_a_post_counts_for_the_session_that_closes_after_it() -> None:
    calendar = SessionCalendar.build("XNYS", date(2014, 7, 1), date(2014, 7, 31))
    moments = np.array(
        [
            "2014-07-02T13:29:59",  # before Wednesday's open
            "2014-07-02T20:00:00",  # at the close, 16:00 Eastern
            "2014-07-02T20:00:01",  # after it
            "2014-07-03T18:00:00",  # after Thursday's early close; Friday is a holiday
            "2014-07-31T20:00:01",  # after the calendar's last session
        ],
        dtype="datetime64[us]",
    )
    days = session_closing_after(moments, calendar).astype(str).tolist()
    assert days == ["2014-07-02", "2014-07-02", "2014-07-03", "2014-07-07", "NaT"]
