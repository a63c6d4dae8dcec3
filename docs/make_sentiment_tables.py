"""Measure the sentiment engine on recorded and synthetic data; writes the tables of ``docs/sentiment.md`` to stdout.

``python docs/make_sentiment_tables.py [FOLDER]``: FOLDER holds ``social_2014_2015`` and ``us_2026_07`` (default: as for
the tests, ``GNOSIS_RAY_REALDATA`` or ``../shared/data``).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as a host runs it

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import Config, load_config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.data.universe import load_universe
from gnosis_ray.engines.sentiment.frame_processor import FrameProcessor
from gnosis_ray.engines.sentiment.processors import (
    FlowSentimentProcessor,
    NewsSentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.engines.sentiment.sentiment_engine_v1 import SentimentEngineV1
from gnosis_ray.engines.sentiment.text import readable, story
from gnosis_ray.engines.sentiment.tone import shared_scorer
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS, UTC_TIME
from gnosis_ray.market.keys import keys_at
from tests.support.post_sessions import first_session_after

Floats = npt.NDArray[np.float64]
HAC_LAGS = 5
"""Sessions over which neighbouring errors may be related (Newey, West 1987, Bartlett weights)."""
WARM_UP = 60
"""Sessions before a tone is called high or low against all that came before it."""
SUNDAY = datetime(2026, 7, 12, 12, tzinfo=UTC)
ROUNDS = 5


def main() -> None:
    """Print every table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GNOSIS_RAY_REALDATA", "../shared/data"))
    config = load_config().config
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-sentiment-") as scratch:
        for lines in (social(folder, Path(scratch), config), regimes_and_times(folder, Path(scratch), config)):
            sys.stdout.writelines(f"{line}\n" for line in lines)


def social(folder: Path, scratch: Path, config: Config) -> Iterator[str]:
    """What the posts of 2014 and 2015 score, and what became of the prices."""
    calendar = SessionCalendar.build(config.market.calendar, date(2013, 1, 2), date(2017, 1, 3))
    source = stored("social_2014_2015", folder, scratch, calendar)
    moment = datetime(2016, 3, 31, 23, tzinfo=UTC)
    posts = source.news(keys_at(["AAPL", "GOOG"], moment), 24 * 900)
    posts = posts.with_columns(story=story(pl.col("headline")), said=readable(pl.col("headline")))
    first = posts.unique(["symbol", "story"], keep="first", maintain_order=True)
    scorer = shared_scorer()
    first = first.with_columns(tone=pl.Series([scorer.score(text) for text in first["said"]], dtype=pl.Float64))
    yield "| symbol | posts stored | different | positive | negative | toneless | mean tone |"
    yield "|---|---|---|---|---|---|---|"
    for (symbol,), own in first.group_by("symbol", maintain_order=True):
        tone, stored_posts = own["tone"].to_numpy(), posts.filter(symbol=symbol).height
        shares = [f"{share:.0%}" for share in ((tone > 0).mean(), (tone < 0).mean(), (tone == 0).mean())]
        yield f"| {symbol} | {stored_posts:,} | {own.height:,} | {' | '.join(shares)} | {tone.mean():+.3f} |"
    texts = first["said"].to_list()
    yield ""
    yield f"Tone of one text: {milliseconds(lambda: [scorer.score(t) for t in texts]) * 1e3 / len(texts):.0f} µs."
    yield ""
    prices = returns(source.bars(keys_at(["AAPL", "GOOG"], moment), 1000), calendar)
    yield "| what | return | symbol | n | correlation | HAC s.e. | hit rate | HAC s.e. |"
    yield "|---|---|---|---|---|---|---|---|"
    by_source = SourceMarketAdapter(source, ChainLoader(calendar, config.market))
    signals = {
        "daily mean tone": daily_mean(first, calendar),
        "news score at the open": at_opens(by_source, prices, config),
    }
    for name, signal in signals.items():
        joined = signal.join(prices, on=["symbol", "session"]).sort("symbol", "session")
        for outcome in ("the session before", "open to close", "close to next close"):
            yield from related(name, outcome, joined)
    yield ""


def daily_mean(posts: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """``symbol, session, signal``: mean tone of the different posts before a session's open and after the last."""
    moments = posts["timestamp"].dt.replace_time_zone(None).to_numpy()
    dated = posts.with_columns(session=pl.Series(first_session_after(moments, calendar)))
    return dated.group_by("symbol", "session").agg(signal=pl.col("tone").mean()).sort("symbol", "session")


def at_opens(adapter: SourceMarketAdapter, prices: pl.DataFrame, config: Config) -> pl.DataFrame:
    """``symbol, session, signal``: the news score at each open of 2014 and 2015, of what was known then."""
    keys = prices.filter(pl.col("session").is_between(date(2014, 1, 2), date(2015, 12, 31)))
    keys = keys.select("symbol", "session", timestamp="opens")
    source = NewsSentimentProcessor(adapter, config.engines.sentiment.news)
    scored = source.compute_batch(keys.select(KEYS.names()))
    return keys.select("symbol", "session").with_columns(signal=scored["score"]).drop_nulls()


def returns(bars: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """For each symbol and session, log returns; ``the session before`` is from the last open to this one."""
    days = pl.DataFrame({"session": calendar.days, "opens": pl.Series(calendar.opens).dt.replace_time_zone("UTC")})
    days = days.cast({"opens": UTC_TIME})
    rows = bars.with_columns(session=pl.col("timestamp").dt.date()).sort("symbol", "session").join(days, on="session")
    opened, closed = pl.col("open").log(), pl.col("close").log()
    return rows.select(
        "symbol",
        "session",
        "opens",
        (opened - opened.shift(1)).over("symbol").alias("the session before"),
        (closed - opened).alias("open to close"),
        (closed.shift(-1) - closed).over("symbol").alias("close to next close"),
    )


def related(name: str, outcome: str, rows: pl.DataFrame) -> Iterator[str]:
    """A table line a symbol, and one for both together with a session's two products averaged first."""
    usable = rows.drop_nulls(["signal", outcome]).with_columns(
        product=(z("signal") * z(outcome)).over("symbol"),
        hit=hits("signal", outcome).over("symbol"),
    )
    for symbol in ("AAPL", "GOOG", "both"):
        own = usable if symbol == "both" else usable.filter(symbol=symbol)
        by_day = own.group_by("session").agg(pl.col("product").mean(), pl.col("hit").mean()).sort("session")
        products, hit = by_day["product"].to_numpy(), by_day["hit"].drop_nulls().to_numpy()
        yield (
            f"| {name} | {outcome} | {symbol} | {own.height} | {products.mean():+.3f} | {hac_error(products):.3f} "
            f"| {hit.mean():.1%} | {hac_error(hit):.1%} |"
        )


def z(column: str) -> pl.Expr:
    """Standard scores, so that the mean of products is the correlation."""
    return (pl.col(column) - pl.col(column).mean()) / pl.col(column).std(ddof=0)


def hits(signal: str, outcome: str) -> pl.Expr:
    """1 where a signal above (below) the mean of all before it met a rise (fall), else 0; null while warming up."""
    before = (pl.col(signal).cum_sum() - pl.col(signal)) / (pl.col(signal).cum_count() - 1)
    right = (pl.col(signal) > before) == (pl.col(outcome) > 0)
    return pl.when((pl.col(signal).cum_count() > WARM_UP) & (pl.col(outcome) != 0)).then(right.cast(pl.Float64))


def hac_error(series: Floats) -> float:
    """Standard error of the mean, errors related over ``HAC_LAGS`` (Newey, West 1987)."""
    off, n = series - series.mean(), len(series)
    variance = off @ off / n
    for lag in range(1, HAC_LAGS + 1):
        variance += 2 * (1 - lag / (HAC_LAGS + 1)) * (off[lag:] @ off[:-lag]) / n
    return float(np.sqrt(variance / n))


def regimes_and_times(folder: Path, scratch: Path, config: Config) -> Iterator[str]:
    """Regimes on the synthetic market and on July 2026, and the milliseconds of each processor."""
    synthetic_days = SessionCalendar.build(config.market.calendar, date(2021, 12, 1), date(2027, 6, 30))
    synthetic = SyntheticSource(synthetic_days, config.data.synthetic, config.market)
    calendar = SessionCalendar.build(config.market.calendar, date(2025, 1, 2), date(2029, 1, 3))
    recorded = stored("us_2026_07", folder, scratch, calendar)
    members = list(load_universe("sp500", SUNDAY.date()).symbols)
    as_of = config.data.synthetic.as_of
    yield "| market | symbols | bullish_news | bearish_news | mixed | quiet | no source | median confidence |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, adapter, symbols, now in (
        ("synthetic", SourceMarketAdapter(synthetic, ChainLoader(synthetic_days, config.market)), members[:120], as_of),
        ("us_2026_07 (no news)", SourceMarketAdapter(recorded, ChainLoader(calendar, config.market)), members, SUNDAY),
    ):
        rows = engine(adapter, config).frames(keys_at(symbols, now)).features
        counts = dict(rows["regime"].fill_null("none").value_counts().iter_rows())
        shown = [str(counts.get(r, 0)) for r in ("bullish_news", "bearish_news", "mixed", "quiet", "none")]
        yield f"| {name} | {rows.height} | {' | '.join(shown)} | {np.median(rows['confidence'].to_numpy()):.2f} |"
    yield ""
    keys = keys_at(members, SUNDAY)
    real = SourceMarketAdapter(recorded, ChainLoader(calendar, config.market))
    yield "| source | rows read | ms for 503 symbols |"
    yield "|---|---|---|"
    for source in sources(real, config):
        table = synthetic.news(keys, 72) if source.name == "news" else source.load(keys)
        yield f"| {source.name} | {table.height:,} | {milliseconds(partial(source.score, keys, table)):.0f} |"


def sources(adapter: SourceMarketAdapter, config: Config) -> list[FrameProcessor]:
    """All three."""
    settings = config.engines.sentiment
    return [
        NewsSentimentProcessor(adapter, settings.news),
        FlowSentimentProcessor(settings.flow, adapter),
        TechnicalSentimentProcessor(adapter, settings.technical),
    ]


def engine(adapter: SourceMarketAdapter, config: Config) -> SentimentEngineV1:
    """The engine over all three processors."""
    return SentimentEngineV1(sources(adapter, config), config.engines.sentiment)


def stored(name: str, folder: Path, scratch: Path, calendar: SessionCalendar) -> StoreSource:
    """A recorded data set in a store of its own."""
    import_dataset(folder / name, load_mapping(name), StoreWriter(scratch / name), calendar)
    return StoreSource(scratch / name)


def milliseconds(work: Callable[[], object]) -> float:
    """Median of ``ROUNDS``, after one that warms up."""
    taken = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e3)
    return median(taken[1:])


if __name__ == "__main__":
    main()
