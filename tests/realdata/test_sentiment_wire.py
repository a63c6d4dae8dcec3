"""Headlines as two vendors answered them, read by the tone and by the news processor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from gnosis_ray.config import Config
from gnosis_ray.engines.sentiment.processors import NewsSentimentProcessor
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.market.columns import NEWS
from gnosis_ray.market.keys import one_key
from tests.engines.sentiment.scenarios import World

pytestmark = pytest.mark.realdata

# What a reader made of each headline, by the start of its vendor's id.
GOOD = """
    bfb8b663 bd2d48b4 92a19afe 4cb86ef9 158da0be 0b621a60 c4a51b9e 8797c4ac b498a966 739c0f79
    cebe0843 afaffa9d 3ebf630a 71c1c374 9e0c8386 12b232f0 7a575102
"""
BAD = """
    073c959d 3ecdf3fa 8ebe49b5 7092be36 d9c98750 79b04fab 067d0ff6 24c50572 baf435ee c6cbe27d
    bd23bc40 ef6078d9 c668a066 c2acc256 07f2ab7b 3fa7a460 51fa29c9
"""
DULL = """
    f2f9ad61 6f68be9c c1de8c8c 6ab36b5b 99c0959b c06d4841 55673502 e7b1367e b678eca7 b4c30d7a
    ca0363f3 99466f06 efece983 b99aabd6 1fe13d98 f2b5e6b7 28c1ae78 06c741fe
"""
READ = {name: tone for text, tone in ((GOOD, 1), (BAD, -1), (DULL, 0)) for name in text.split()}


@pytest.fixture(scope="module")
def items(realdata: Path) -> pl.DataFrame:
    """``columns.NEWS`` and the vendor's ``uuid`` of every recorded search; a symbol's search is its news."""
    rows = []
    for path in sorted((realdata / "wire" / "yahoo").glob("search-*.json")):
        body = json.loads(path.read_text(encoding="utf-8")).get("body") or {}
        for item in body.get("news", []):
            if "title" in item:
                published = datetime.fromtimestamp(item["providerPublishTime"], tz=UTC)
                times = {"timestamp": published, "known_at": published}
                texts = {"headline": item["title"], "body": None, "source": item["publisher"]}
                rows.append({"symbol": path.stem.removeprefix("search-"), **times, **texts, "uuid": item["uuid"]})
    return pl.DataFrame(rows, schema={**NEWS, "uuid": pl.String}).unique("uuid", keep="first", maintain_order=True)


def sign(value: float) -> int:
    return int(value > 0.05) - int(value < -0.05)


def test_headlines_are_read_as_a_reader_reads_them_more_often_than_by_a_general_lexicon(items: pl.DataFrame) -> None:
    read = {row["headline"]: READ[row["uuid"][:8]] for row in items.iter_rows(named=True) if row["uuid"][:8] in READ}
    assert len(read) == len(READ)
    general = SentimentIntensityAnalyzer()
    ours = [(sign(shared_scorer().score(text)), tone) for text, tone in read.items()]
    theirs = [(sign(general.polarity_scores(text)["compound"]), tone) for text, tone in read.items()]
    right, wrong = (sum(a == s * t for a, t in ours if t) for s in (1, -1))
    assert (right, wrong) == (27, 3)
    assert sum(a == 0 for a, t in ours if t == 0) == 16
    assert sum(a == t for a, t in theirs) < sum(a == t for a, t in ours)


def test_the_voice_reads_recorded_items_as_of_their_time(items: pl.DataFrame, config: Config) -> None:
    source, gold = (
        NewsSentimentProcessor(World(), config.engines.sentiment.news),
        items.filter(symbol="GC_F").drop("uuid"),
    )
    times = gold["timestamp"].to_list()
    now = max(times) + timedelta(hours=1)
    row = source.score(one_key("GC_F", now), gold).row(0, named=True)
    assert row["news_items"] > 0
    assert row["score"] > 0.2  # gold at a new high
    before = min(times) - timedelta(seconds=1)
    assert source.score(one_key("GC_F", before), gold)["absent"].to_list() == ["no_news"]


def test_an_answer_of_the_other_vendor_has_a_tone(realdata: Path, config: Config) -> None:
    path = realdata / "wire" / "massive" / "v2_reference_news_ticker_NFLX.json"
    item = json.loads(path.read_text(encoding="utf-8"))["results"][0]
    published = datetime.fromisoformat(item["published_utc"])
    table = pl.DataFrame(
        [["NFLX", published, published, item["title"], item["description"], item["publisher"]["name"]]],
        schema=NEWS,
        orient="row",
    )
    row = (
        NewsSentimentProcessor(World(), config.engines.sentiment.news)
        .score(one_key("NFLX", published), table)
        .row(0, named=True)
    )
    assert row["score"] < 0  # inflation, and incomes that fall
    assert 0 < row["confidence"] < 1
