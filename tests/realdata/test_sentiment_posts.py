"""The posts of 2014 and 2015, imported, cleaned and scored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import spearmanr

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.sentiment.processors import NewsSentimentProcessor
from gnosis_ray.engines.sentiment.text import cleaned, readable, story, symbols_named
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, one_key
from tests.support.post_sessions import session_closing_after

pytestmark = pytest.mark.realdata

END = datetime(2016, 1, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def imported(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, StoreSource]:
    root = tmp_path_factory.mktemp("social_2014_2015")
    calendar = SessionCalendar.build("XNYS", date(2013, 1, 2), date(2017, 1, 3))
    report = import_dataset(
        realdata / "social_2014_2015", load_mapping("social_2014_2015"), StoreWriter(root), calendar
    )
    return report, StoreSource(root)


@pytest.fixture(scope="module")
def adapter(imported: tuple[ImportReport, StoreSource], config: Config) -> SourceMarketAdapter:
    calendar = SessionCalendar.build("XNYS", date(2014, 1, 2), date(2016, 6, 30))
    return SourceMarketAdapter(imported[1], ChainLoader(calendar, config.market))


@pytest.fixture(scope="module")
def posts(imported: tuple[ImportReport, StoreSource]) -> pl.DataFrame:
    return imported[1].news(keys_at(["AAPL", "GOOG"], END), 24 * 800)


def test_every_row_is_accounted_for(imported: tuple[ImportReport, StoreSource]) -> None:
    report, source = imported
    assert report.rows_read == 25_379 + 55_891
    assert report.rows_read == report.rows_written + report.refused["rows"].sum()
    assert report.summary().select("column", "reason", "kept", "rows").rows() == [
        ("timestamp", "duplicate of another row", False, 122)
    ]
    assert source.bars(keys_at(["BRK.A", "BRK-A"], END), 5)["symbol"].unique().to_list() == ["BRK.A"]


def test_posts_are_cleaned_and_copies_found(posts: pl.DataFrame) -> None:
    texts = posts.with_columns(clean=cleaned(pl.col("headline")), story=story(pl.col("headline")))
    assert texts.height == 25_379 - 122
    assert not texts["clean"].str.contains(r"^(?:rt |AT_USER|URL)").any()
    tagged = texts.filter(pl.col("headline").str.contains(r"\$ (?:aapl|goog)\b"))
    assert tagged["clean"].str.contains(r"\$ (?:aapl|goog)\b").mean() > 0.999  # type: ignore[operator]
    different = texts.unique(["symbol", "story"]).height
    assert 0.70 < different / texts.height < 0.80  # a quarter are copies
    crowded = posts.select(symbols_named(pl.col("headline"), pl.col("symbol")) > 3).to_series().mean()
    assert 0.05 < crowded < 0.5  # type: ignore[operator]


def test_the_future_changes_nothing(adapter: SourceMarketAdapter, config: Config) -> None:
    opens = [datetime(2014, 4, 21, 13, 30, tzinfo=UTC) + timedelta(days=d) for d in range(5)]
    keys = pl.concat([keys_at(["AAPL", "GOOG"], moment) for moment in opens])
    source = NewsSentimentProcessor(adapter, config.engines.sentiment.news)
    panel = source.compute_batch(keys)
    singles = pl.concat([source.compute_batch(one_key(*key)) for key in keys.iter_rows()])
    assert_frame_equal(panel, singles, rel_tol=1e-9, abs_tol=0.0)
    assert panel["news_items"].min() > 5  # type: ignore[operator]
    for key in keys.iter_slices(1):
        moment = key["timestamp"][0]
        past = source.load(keys).filter(pl.col("known_at") <= moment)
        assert_frame_equal(source.score(key, past), source.score(key, source.load(keys)), check_exact=True)


def test_the_day_of_apples_split_and_beat_was_bullish(adapter: SourceMarketAdapter, config: Config) -> None:
    source = NewsSentimentProcessor(adapter, config.engines.sentiment.news)
    score, confidence = source.compute("AAPL", datetime(2014, 4, 24, 13, 30, tzinfo=UTC))
    usual, _ = source.compute("AAPL", datetime(2014, 4, 22, 13, 30, tzinfo=UTC))
    assert score > usual
    assert confidence > 0.5


def test_a_days_tone_tells_what_the_price_did_and_not_what_it_will_do(
    imported: tuple[ImportReport, StoreSource], posts: pl.DataFrame
) -> None:
    calendar = SessionCalendar.build("XNYS", date(2013, 1, 2), date(2017, 1, 3))
    own = posts.filter(pl.col("symbol") == "AAPL", symbols_named(pl.col("headline"), pl.col("symbol")) <= 3)
    own = own.with_columns(story=story(pl.col("headline")), said=readable(pl.col("headline")))
    own = own.unique("story", keep="first", maintain_order=True)
    moments = own["timestamp"].dt.replace_time_zone(None).to_numpy()
    tones = pl.Series("tone", [shared_scorer().score(text) for text in own["said"]])
    daily = own.with_columns(tones, pl.Series("session", session_closing_after(moments, calendar)))
    daily = daily.group_by("session").agg(pl.col("tone").mean())
    bars = imported[1].bars(keys_at(["AAPL"], END), 800).sort("timestamp").with_columns(pl.col("close").log())
    change = bars.select(
        session=pl.col("timestamp").dt.date(),
        that_day=pl.col("close").diff(),
        next_day=pl.col("close").diff().shift(-1),
    )
    rows = daily.join(change, on="session").drop_nulls()
    assert rows.height > 450
    error = rows.height**-0.5
    assert spearmanr(rows["tone"], rows["that_day"]).statistic > 3 * error
    assert abs(spearmanr(rows["tone"], rows["next_day"]).statistic) < 2 * error
