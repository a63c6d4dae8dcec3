"""The provider's promises: column contracts, determinism, batches, and never a row of the future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.errors import ConfigError, NoDataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import BARS, KEYS, NEWS, QUOTES, RAW_CHAIN, TRADES, UTC_TIME
from gnosis_ray.market.keys import keys_at, one_key
from gnosis_ray.market.source import MarketSource

CLOSE = datetime(2026, 7, 10, 20, tzinfo=UTC)
IN_SESSION = datetime(2026, 7, 9, 15, 17, tzinfo=UTC)
SUNDAY = datetime(2026, 7, 12, 12, tzinfo=UTC)
SYMBOLS = ["AAPL", "BRK.B", "^SPX", "x y|z", "ÜÑ"]

Read = Callable[[SyntheticSource, pl.DataFrame], pl.DataFrame]
READS: dict[str, tuple[Read, pl.Schema]] = {
    "chains": (lambda s, k: s.raw_chains(k), pl.Schema({**RAW_CHAIN, "timestamp": UTC_TIME})),
    "bars": (lambda s, k: s.bars(k, 90), BARS),
    "trades": (lambda s, k: s.trades(k, 500), TRADES),
    "quotes": (lambda s, k: s.quotes(k, 500), QUOTES),
    "news": (lambda s, k: s.news(k, 96), NEWS),
}
EVENTS = {kind: READS[kind] for kind in ("bars", "trades", "quotes", "news")}
every_read = pytest.mark.parametrize(("read", "schema"), READS.values(), ids=READS.keys())
every_event = pytest.mark.parametrize(("read", "schema"), EVENTS.values(), ids=EVENTS.keys())


def panel(symbols: list[str], moments: list[datetime]) -> pl.DataFrame:
    return pl.DataFrame([(s, m) for s in symbols for m in moments], schema=KEYS, orient="row")


@every_read
def test_tables_keep_the_column_contract(source: SyntheticSource, read: Read, schema: pl.Schema) -> None:
    frame = read(source, keys_at(SYMBOLS, IN_SESSION))
    assert frame.schema == schema
    assert frame["symbol"].n_unique() == len(SYMBOLS)
    assert read(source, pl.DataFrame(schema=KEYS)).schema == schema


def test_it_is_a_market_source_labelled_synthetic(source: SyntheticSource, config: Config) -> None:
    provider: MarketSource = source
    assert (provider.name, provider.synthetic) == ("synthetic", True)
    assert provider.default_as_of(SUNDAY) == config.data.synthetic.as_of


@every_read
def test_the_same_question_has_the_same_answer(
    source: SyntheticSource, calendar: SessionCalendar, config: Config, read: Read, schema: pl.Schema
) -> None:
    again = SyntheticSource(calendar, config.data.synthetic, config.market)
    keys = panel(SYMBOLS, [CLOSE, IN_SESSION])
    assert_frame_equal(read(source, keys), read(again, keys), check_exact=True)


@every_read
def test_another_seed_is_another_market(
    source: SyntheticSource, calendar: SessionCalendar, config: Config, read: Read, schema: pl.Schema
) -> None:
    other = SyntheticSource(calendar, config.data.synthetic.replaced(seed=1), config.market)
    keys = keys_at(SYMBOLS, CLOSE)
    assert not read(source, keys).equals(read(other, keys))


@every_read
def test_a_batch_holds_the_bits_of_its_singles(source: SyntheticSource, read: Read, schema: pl.Schema) -> None:
    batch = read(source, keys_at(SYMBOLS[::-1], IN_SESSION))
    singles = pl.concat([read(source, one_key(symbol, IN_SESSION)) for symbol in sorted(SYMBOLS)])
    assert_frame_equal(batch, singles, check_exact=True)


@every_read
def test_a_longer_calendar_changes_nothing_before(
    source: SyntheticSource, calendar: SessionCalendar, config: Config, read: Read, schema: pl.Schema
) -> None:
    ends = int(np.searchsorted(calendar.days, np.datetime64("2026-07-10"))) + 200
    shorter = SessionCalendar(
        calendar.name, calendar.days[:ends], calendar.opens[:ends], calendar.closes[:ends], calendar.zone
    )
    assert ends < calendar.days.size
    keys = keys_at(SYMBOLS, CLOSE)
    assert_frame_equal(
        read(source, keys), read(SyntheticSource(shorter, config.data.synthetic, config.market), keys), check_exact=True
    )


@every_event
@settings(max_examples=15, deadline=None)
@given(hours=st.floats(0.0, 60.0), later=st.floats(0.01, 40.0))
def test_rows_known_by_a_moment_do_not_change_later(
    source: SyntheticSource, read: Read, schema: pl.Schema, hours: float, later: float
) -> None:
    now = datetime(2026, 7, 8, 12, tzinfo=UTC) + timedelta(hours=hours)
    early = read(source, one_key("AAPL", now))
    both = read(source, panel(["AAPL"], [now, now + timedelta(hours=later)]))
    alone = read(source, one_key("AAPL", now + timedelta(hours=later)))
    assert early.filter(pl.col("known_at") > now).is_empty()
    assert_frame_equal(both.filter(pl.col("known_at") <= now), early, check_exact=True)
    assert_frame_equal(alone.join(both, on=alone.columns, how="semi", nulls_equal=True), alone, check_exact=True)


def test_a_chain_is_the_latest_snapshot_known(source: SyntheticSource) -> None:
    moments = [IN_SESSION, CLOSE - timedelta(seconds=1), CLOSE, SUNDAY]
    chains = source.raw_chains(panel(["AAPL"], moments))
    taken = dict(chains.select("timestamp", "event_time").unique().iter_rows())
    assert taken == {
        IN_SESSION: datetime(2026, 7, 9, 15, tzinfo=UTC),
        CLOSE - timedelta(seconds=1): datetime(2026, 7, 10, 19, 30, tzinfo=UTC),
        CLOSE: CLOSE,
        SUNDAY: CLOSE,
    }
    assert (chains["known_at"] == chains["event_time"]).all()
    assert chains.select("symbol", "timestamp", "expiry", "strike", "type").rows() == sorted(
        chains.select("symbol", "timestamp", "expiry", "strike", "type").rows()
    )


def test_a_panel_of_chains_is_its_moments_one_by_one(source: SyntheticSource) -> None:
    moments = [IN_SESSION, CLOSE, SUNDAY]
    whole = source.raw_chains(panel(["A", "B"], moments))
    parts = pl.concat([source.raw_chains(one_key(s, m)) for s in ("A", "B") for m in moments])
    assert_frame_equal(whole, parts, check_exact=True)


def test_bars_run_from_before_the_earliest_key_to_the_latest(source: SyntheticSource) -> None:
    bars = source.bars(panel(["AAPL"], [datetime(2026, 7, 6, 20, tzinfo=UTC), CLOSE - timedelta(seconds=1)]), 5)
    assert bars["timestamp"].max() == datetime(2026, 7, 9, 20, tzinfo=UTC)
    assert bars.height == 5 + 3


def test_a_gap_between_two_windows_holds_no_trades(source: SyntheticSource) -> None:
    noon = datetime(2026, 7, 10, 16, tzinfo=UTC)
    trades = source.trades(panel(["AAPL"], [noon, CLOSE]), 30)
    inside = (pl.col("timestamp") > CLOSE - timedelta(minutes=30)) | (pl.col("timestamp") <= noon)
    assert trades.height == trades.filter(inside).height == trades.unique().height
    assert 50 <= trades.height <= 70


@pytest.mark.parametrize("moment", [datetime(2022, 1, 4, 14, tzinfo=UTC), datetime(2027, 7, 1, 20, tzinfo=UTC)])
@every_read
def test_outside_of_its_time_the_market_is_empty(
    source: SyntheticSource, read: Read, schema: pl.Schema, moment: datetime
) -> None:
    assert read(source, one_key("AAPL", moment)).is_empty()
    with pytest.raises(NoDataError):
        source.ground_truth("AAPL", moment)


def test_the_first_bar_is_that_of_the_session_after_the_anchor(source: SyntheticSource) -> None:
    bars = source.bars(one_key("AAPL", datetime(2022, 1, 5, 22, tzinfo=UTC)), 90)
    assert bars["timestamp"].to_list() == [datetime(2022, 1, 4, 21, tzinfo=UTC), datetime(2022, 1, 5, 21, tzinfo=UTC)]


def test_a_calendar_that_misses_the_anchor_is_refused(calendar: SessionCalendar, config: Config) -> None:
    late = SessionCalendar(
        calendar.name, calendar.days[100:], calendar.opens[100:], calendar.closes[100:], calendar.zone
    )
    with pytest.raises(ConfigError, match="2022-01-03"):
        SyntheticSource(late, config.data.synthetic, config.market)
