"""Small worlds whose mood is known: headlines, books and bars built by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.engines.sentiment.processors import (
    FlowSentimentProcessor,
    NewsSentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1
from gnosis_ray.market.columns import BARS, CHAIN, NEWS
from tests.support.books import NOW, FixedAdapter, bars, book

GOOD = ("AAA beats earnings and raises guidance", "AAA upgraded to buy", "AAA wins approval, shares surge")
BAD = ("AAA misses earnings and cuts guidance", "AAA downgraded to sell", "AAA shares plunge on fraud probe")
DULL = ("AAA to present at a conference", "AAA schedules its annual meeting")


def news(
    *headlines: str, symbol: str = "AAA", hours_ago: float = 2.0, source: str = "Wire", body: str = ""
) -> pl.DataFrame:
    """``columns.NEWS``: one item a headline, a minute apart, the first ``hours_ago`` before ``NOW``."""
    times = [NOW - timedelta(hours=hours_ago) + timedelta(minutes=i) for i in range(len(headlines))]
    return pl.DataFrame(
        [
            {"symbol": symbol, "timestamp": t, "known_at": t, "headline": h, "body": body, "source": source}
            for t, h in zip(times, headlines, strict=True)
        ],
        schema=NEWS,
    )


def chain(
    calls: float, puts: float, interest: float = 1000.0, now: datetime = NOW, symbol: str = "AAA", behind: int = 0
) -> pl.DataFrame:
    """``columns.CHAIN``: so many contracts traded of each call and of each put."""
    rows = book(lambda *_: interest, now=now, symbol=symbol, sessions_behind=behind)
    return rows.with_columns(volume=pl.when(pl.col("type") == "C").then(calls).otherwise(puts))


def trend(
    daily: float, count: int = 120, symbol: str = "AAA", now: datetime = NOW, wobble: float = 0.004
) -> pl.DataFrame:
    """``columns.BARS`` up to ``now`` whose closes grow by ``daily`` a bar and swing by ``wobble``."""
    steps = np.arange(count)
    closes = 100.0 * np.exp(daily * steps + wobble * np.where(steps % 2 == 0, 1.0, -1.0))
    flat = bars(symbol=symbol, count=count, now=now)
    return flat.with_columns(
        open=pl.Series(closes), close=pl.Series(closes), high=pl.Series(closes * 1.005), low=pl.Series(closes * 0.995)
    ).select(BARS.names())


class World(FixedAdapter):
    """Serves what it was given, as known at each key; items beyond the look-back too, for the reader to leave out."""

    def __init__(
        self, items: pl.DataFrame | None = None, chains: pl.DataFrame | None = None, daily: pl.DataFrame | None = None
    ) -> None:
        super().__init__(pl.DataFrame(schema=CHAIN) if chains is None else chains, daily)
        self._news = pl.DataFrame(schema=NEWS) if items is None else items

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """Items known at the latest key of their symbol."""
        latest = keys.group_by("symbol").agg(until=pl.col("timestamp").max())
        known = self._news.join(latest, on="symbol").filter(pl.col("known_at") <= pl.col("until"))
        return known.drop("until").sort("symbol", "timestamp", "known_at")


def engine(world: World, config: Config) -> SentimentEngineV1:
    """All three processors over one world."""
    settings = config.engines.sentiment
    sources = [
        NewsSentimentProcessor(world, settings.news),
        FlowSentimentProcessor(settings.flow, world),
        TechnicalSentimentProcessor(world, settings.technical),
    ]
    return SentimentEngineV1(sources, settings)
