"""One adapter over a source; one over what it answered for a batch: the same rows for every key."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.errors import DataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import BARS, CHAIN, KEYS, NEWS, QUOTES, TRADES
from gnosis_ray.market.keys import one_key
from gnosis_ray.market.market_data_adapter import MarketDataAdapter
from gnosis_ray.market.news_adapter import NewsAdapter
from gnosis_ray.market.options_chain_adapter import OptionsChainAdapter
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter

NOW = datetime(2026, 7, 10, 16, 0, tzinfo=UTC)
BARS_BACK, MINUTES, HOURS = 20, 60, 48


@pytest.fixture(scope="module")
def adapter(config: Config) -> SourceMarketAdapter:
    calendar = SessionCalendar.build("XNYS", date(2021, 12, 1), date(2027, 6, 30))
    source = SyntheticSource(calendar, config.data.synthetic, config.market)
    return SourceMarketAdapter(source, ChainLoader(calendar, config.market))


@pytest.fixture(scope="module")
def keys() -> pl.DataFrame:
    moments = [NOW - timedelta(days=3), NOW - timedelta(minutes=30), NOW]
    rows = [(symbol, moment) for symbol in ("AAA", "BBB", "CCC") for moment in moments]
    return pl.DataFrame(rows, schema=KEYS, orient="row")


@pytest.fixture(scope="module")
def preloaded(adapter: SourceMarketAdapter, keys: pl.DataFrame) -> PreloadedAdapter:
    return PreloadedAdapter.load(adapter, keys, BARS_BACK)


READS: dict[str, Callable[[SourceMarketAdapter | PreloadedAdapter, pl.DataFrame], pl.DataFrame]] = {
    "chains": lambda a, k: a.fetch_chains(k),
    "bars": lambda a, k: a.fetch_bars(k, BARS_BACK),
    "few bars": lambda a, k: a.fetch_bars(k, 5),
    "trades": lambda a, k: a.fetch_trades(k, MINUTES),
    "few trades": lambda a, k: a.fetch_trades(k, 7),
    "quotes": lambda a, k: a.fetch_quotes(k, MINUTES),
    "news": lambda a, k: a.fetch_news_batch(k, HOURS),
}
SCHEMAS = {"chains": CHAIN, "bars": BARS, "trades": TRADES, "quotes": QUOTES, "news": NEWS}


@pytest.mark.parametrize("read", READS)
def test_preloaded_rows_are_those_of_the_source(
    read: str, adapter: SourceMarketAdapter, preloaded: PreloadedAdapter, keys: pl.DataFrame
) -> None:
    asked = [keys, keys.filter(pl.col("symbol") != "BBB"), keys[1:2], keys[3:5], keys[::4], keys[8:9], keys.clear()]
    for some in asked:
        fresh, kept = READS[read](adapter, some), READS[read](preloaded, some)
        assert kept.schema == SCHEMAS[read.removeprefix("few ")]
        assert_frame_equal(kept, fresh, check_exact=True)
    assert not READS[read](adapter, keys).is_empty()


def test_single_reads_are_batches_of_one(adapter: SourceMarketAdapter, preloaded: PreloadedAdapter) -> None:
    for each in (adapter, preloaded):
        assert isinstance(each, OptionsChainAdapter)
        assert isinstance(each, MarketDataAdapter)
        assert isinstance(each, NewsAdapter)
        one = one_key("BBB", NOW)
        assert_frame_equal(each.fetch_chain("BBB", NOW), each.fetch_chains(one))
        assert_frame_equal(each.fetch_ohlcv("BBB", 3, NOW), each.fetch_bars(one, 3))
        assert_frame_equal(each.fetch_intraday_trades("BBB", 30, NOW), each.fetch_trades(one, 30))
        assert_frame_equal(each.fetch_news("BBB", 24, NOW), each.fetch_news_batch(one, 24))
        assert each.fetch_ohlcv("BBB", 3, NOW).height == 3


def test_what_was_not_loaded_is_refused(adapter: SourceMarketAdapter, keys: pl.DataFrame) -> None:
    preloaded = PreloadedAdapter.load(adapter, keys, BARS_BACK)
    with pytest.raises(DataError, match="Expected a key of the batch that was loaded") as stranger:
        preloaded.fetch_chain("ZZZ", NOW)
    assert stranger.value.symbol == "ZZZ"
    with pytest.raises(DataError, match="Expected a key of the batch"):
        preloaded.fetch_bars(keys.with_columns(pl.col("timestamp") + timedelta(minutes=1)), 3)
    with pytest.raises(DataError, match="look-back of at most 20 bars"):
        preloaded.fetch_ohlcv("AAA", BARS_BACK + 1, NOW)


def test_known_symbols(adapter: SourceMarketAdapter, preloaded: PreloadedAdapter) -> None:
    assert set(preloaded.known_keys()["symbol"]) == {"AAA", "BBB", "CCC"}
    before = pl.DataFrame([("AAA", datetime(1990, 1, 2, tzinfo=UTC))], schema=KEYS, orient="row")
    assert PreloadedAdapter.load(adapter, before, 5).known_keys().is_empty()


def test_events_are_read_once_and_again_only_to_look_further_back(
    adapter: SourceMarketAdapter, keys: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    read = adapter.fetch_trades

    def counted(keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        asked.append(lookback_minutes)
        return read(keys, lookback_minutes)

    monkeypatch.setattr(adapter, "fetch_trades", counted)
    preloaded = PreloadedAdapter.load(adapter, keys, BARS_BACK)
    for minutes in (30, 10, 30, 60, 30):
        preloaded.fetch_trades(keys[:1], minutes)
    assert asked == [30, 60]


@pytest.fixture
def corrected(tmp_path: Path, config: Config) -> SourceMarketAdapter:
    """A store in which bars are corrected, equal trades repeat, and a batch of trades is delivered twice."""
    writer = StoreWriter(tmp_path)
    days = [NOW - timedelta(days=n) for n in range(1, 12)]
    bars = [("AAA", d, d + timedelta(hours=h), 1.0, 2.0, 0.5, 1.0 + h / 100, 9.0, None) for d in days for h in (0, 30)]
    writer.append("bars", pl.DataFrame(bars, schema=BARS, orient="row"))
    ticks = [NOW - timedelta(minutes=5 * (n // 2)) for n in range(16)]
    for delay in (0, 12):
        trades = [("AAA", t, t + timedelta(minutes=delay), 10.0, 100.0, "buy") for t in ticks]
        writer.append("trades", pl.DataFrame(trades, schema=TRADES, orient="row"))
    calendar = SessionCalendar.build("XNYS", date(2026, 1, 2), date(2026, 12, 31))
    return SourceMarketAdapter(StoreSource(tmp_path), ChainLoader(calendar, config.market))


def test_corrections_and_repeats_are_served_as_the_store_does(corrected: SourceMarketAdapter) -> None:
    moments = [NOW - timedelta(days=4), NOW - timedelta(minutes=21), NOW - timedelta(minutes=10), NOW]
    keys = pl.DataFrame([("AAA", m) for m in moments], schema=KEYS, orient="row")
    preloaded = PreloadedAdapter.load(corrected, keys, 6)
    for asked in (keys, keys[:1], keys[1:3], keys[3:4], keys[::3]):
        for lookback in (6, 2):
            assert_frame_equal(preloaded.fetch_bars(asked, lookback), corrected.fetch_bars(asked, lookback))
        for minutes in (60, 10):
            assert_frame_equal(preloaded.fetch_trades(asked, minutes), corrected.fetch_trades(asked, minutes))
    assert corrected.fetch_bars(keys, 6)["timestamp"].is_duplicated().any()
    assert corrected.fetch_trades(keys[3:4], 10).height == 4


def test_the_adapter_survives_a_trip(adapter: SourceMarketAdapter, keys: pl.DataFrame) -> None:
    again = pickle.loads(pickle.dumps(adapter))  # noqa: S301 - our own bytes
    assert_frame_equal(again.fetch_chains(keys[:1]), adapter.fetch_chains(keys[:1]), check_exact=True)
