"""What recorded news and posts say, and what prices did that day and the next; writes two tables to stdout.

``python docs/make_sentiment_returns.py [FOLDER]``: FOLDER holds ``social_2014_2015`` and ``wire`` (default: as for the
tests, ``GNOSIS_RAY_REALDATA`` or ``../shared/data``).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as a host runs it

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import rankdata

from gnosis_ray.config import Config, load_config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.sentiment.processors import NewsSentimentProcessor
from gnosis_ray.engines.sentiment.text import readable, story, symbols_named
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS, UTC_TIME
from gnosis_ray.market.keys import keys_at
from tests.support.post_sessions import session_closing_after

Floats = npt.NDArray[np.float64]
SYMBOLS = ("AAPL", "GOOG")
YEARS = (date(2014, 1, 2), date(2015, 12, 31))
END = datetime(2016, 3, 31, 23, tzinfo=UTC)
CROWD = 3
"""A post that names more symbols is about none of them."""
BLOCK = 10
"""Sessions that are drawn together, since neighbours are alike."""
DRAWS = 2_000
OUTCOMES = ("same session", "next session", "next, open to close")


def main() -> None:
    """Print both tables."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GNOSIS_RAY_REALDATA", "../shared/data"))
    config = load_config().config
    calendar = SessionCalendar.build(config.market.calendar, date(2013, 1, 2), date(2017, 1, 3))
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-sentiment-") as scratch:
        import_dataset(
            folder / "social_2014_2015", load_mapping("social_2014_2015"), StoreWriter(Path(scratch)), calendar
        )
        source = StoreSource(Path(scratch))
        tables = [*answers(folder / "wire"), "", *lines(source, calendar, config)]
    sys.stdout.writelines(f"{line}\n" for line in tables)


def answers(wire: Path) -> Iterator[str]:
    """A line a set of recorded headlines: how many have which tone."""
    found = pl.DataFrame(
        [
            {
                "headline": item["title"],
                "tone": shared_scorer().score(item["title"]),
                "tagged": path.stem.removeprefix("search-").replace("_", "=") in (item.get("relatedTickers") or []),
            }
            for path in sorted((wire / "yahoo").glob("search-*.json"))
            for item in (json.loads(path.read_text(encoding="utf-8")).get("body") or {}).get("news", [])
            if "title" in item
        ]
    )
    sets = {
        "answered to a search for a symbol": found,
        "the same, each headline once": found.unique("headline", maintain_order=True),
        "tagged by the vendor with that symbol": found.filter("tagged"),
        "not tagged with it": found.filter(~pl.col("tagged")),
    }
    yield "| headlines | items | positive | negative | toneless | mean tone |"
    yield "|---|---|---|---|---|---|"
    for name, own in sets.items():
        tone = own["tone"].to_numpy()
        counts = " | ".join(str(int(said.sum())) for said in (tone > 0, tone < 0, tone == 0))
        yield f"| {name} | {own.height} | {counts} | {tone.mean():+.3f} |"


def lines(source: StoreSource, calendar: SessionCalendar, config: Config) -> Iterator[str]:
    """A line a way to count posts and a symbol, and one for the mean of both."""
    prices = returns(source.bars(keys_at(list(SYMBOLS), END), 1000), calendar)
    posts = scored(source.news(keys_at(list(SYMBOLS), END), 24 * 900), calendar)
    signals = {name: (kept.height, daily_mean(kept)) for name, kept in ways_to_count(posts).items()}
    adapter = SourceMarketAdapter(source, ChainLoader(calendar, config.market))
    signals["the news processor at the close"] = (posts.height, at_closes(adapter, prices, config))
    yield f"| signal | symbol | posts | sessions | {' | '.join(OUTCOMES)} |"
    yield "|---|---|---|---|---|---|---|"
    for name, (count, signal) in signals.items():
        joined = signal.join(prices, on=["symbol", "session"]).drop_nulls(["signal", *OUTCOMES])
        for symbol in (*SYMBOLS, "both"):
            own = joined if symbol == "both" else joined.filter(symbol=symbol)
            found = [shown(*rank_correlation(own, outcome)) for outcome in OUTCOMES]
            posts_of = f"{count:,}" if symbol == "both" else ""
            yield f"| {name} | {symbol} | {posts_of} | {own['session'].n_unique()} | {' | '.join(found)} |"


def scored(posts: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """Posts with ``session``, ``story``, ``retweet``, ``named`` and ``tone``."""
    moments = posts["timestamp"].dt.replace_time_zone(None).to_numpy()
    headline, scorer = pl.col("headline"), shared_scorer()
    texts = posts.with_columns(
        pl.Series("session", session_closing_after(moments, calendar)),
        story=story(headline),
        said=readable(headline),
        retweet=headline.str.contains(r"(?i)^\s*rt\b"),
        named=symbols_named(headline, pl.col("symbol")),
    ).filter(pl.col("session").is_between(*YEARS))
    tones = {text: scorer.score(text) for text in texts["said"].unique(maintain_order=True)}
    return texts.with_columns(pl.Series("tone", [tones[text] for text in texts["said"]], pl.Float64))


def ways_to_count(posts: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Which posts make a day's mean."""
    different = posts.unique(["symbol", "story"], keep="first", maintain_order=True)
    return {
        "every post": posts,
        "no retweets": posts.filter(~pl.col("retweet")),
        "each text once": different,
        "each text once, no retweets": different.filter(~pl.col("retweet")),
        f"each text once, at most {CROWD} symbols": different.filter(pl.col("named") <= CROWD),
    }


def daily_mean(posts: pl.DataFrame) -> pl.DataFrame:
    """``symbol, session, signal``: mean tone of the posts since the last close."""
    return posts.group_by("symbol", "session").agg(signal=pl.col("tone").mean()).sort("symbol", "session")


def at_closes(adapter: SourceMarketAdapter, prices: pl.DataFrame, config: Config) -> pl.DataFrame:
    """``symbol, session, signal``: the news score at each close: decayed, copies counted once, crowds divided."""
    keys = prices.filter(pl.col("session").is_between(*YEARS)).select("symbol", "session", timestamp="closes")
    scored = NewsSentimentProcessor(adapter, config.engines.sentiment.news).compute_batch(keys.select(KEYS.names()))
    return keys.select("symbol", "session").with_columns(signal=scored["score"]).drop_nulls()


def returns(bars: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """Log returns by symbol and session: close to close of this session and of the next, and the next's own day."""
    days = pl.DataFrame({"session": calendar.days, "closes": pl.Series(calendar.closes).dt.replace_time_zone("UTC")})
    rows = bars.with_columns(session=pl.col("timestamp").dt.date()).sort("symbol", "session")
    rows = rows.join(days.cast({"closes": UTC_TIME}), on="session")
    opened, closed = pl.col("open").log(), pl.col("close").log()
    same, following, own_day = OUTCOMES
    return rows.select(
        "symbol",
        "session",
        "closes",
        (closed - closed.shift(1)).over("symbol").alias(same),
        (closed.shift(-1) - closed).over("symbol").alias(following),
        (closed - opened).shift(-1).over("symbol").alias(own_day),
    )


def rank_correlation(rows: pl.DataFrame, outcome: str) -> tuple[float, float, float]:
    """Spearman's coefficient, the mean of the symbols', and its 95% interval by the circular block bootstrap.

    Blocks of :data:`BLOCK` sessions, the same for all symbols, so that what they share on a day stays together
    (Politis, Romano 1992). Sessions without one of the symbols are left out.
    """
    signal = rows.pivot("symbol", index="session", values="signal").drop_nulls().sort("session")
    result = rows.pivot("symbol", index="session", values=outcome).join(signal.select("session"), on="session")
    x = signal.drop("session").to_numpy().T
    y = result.sort("session").select(signal.columns[1:]).to_numpy().T
    sessions = x.shape[1]
    starts = np.random.default_rng(0).integers(sessions, size=(DRAWS, -(-sessions // BLOCK)))
    drawn = ((starts[:, :, None] + np.arange(BLOCK)) % sessions).reshape(DRAWS, -1)[:, :sessions]
    draws = np.mean([spearman(own[drawn], other[drawn]) for own, other in zip(x, y, strict=True)], axis=0)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(np.mean([spearman(a[None], b[None])[0] for a, b in zip(x, y, strict=True)])), float(low), float(high)


def spearman(x: Floats, y: Floats) -> Floats:
    """Rank correlation of each row of ``x`` with that of ``y``."""
    a, b = (rankdata(side, axis=1) for side in (x, y))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return np.asarray((a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1)))


def shown(value: float, low: float, high: float) -> str:
    """``+0.123 (+0.01, +0.23)``."""
    return f"{value:+.3f} ({low:+.2f}, {high:+.2f})"


if __name__ == "__main__":
    main()
