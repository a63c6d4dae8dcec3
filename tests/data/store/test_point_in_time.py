"""The store answers as it would have answered then: the future changes nothing, corrections win from when known."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.schemas.core_schemas import DataKind
from tests.data.store.frames import DAY, HOUR, MINUTE, MONDAY, bar, bars, chain, headline, keys, quote, trade


@pytest.fixture
def writer(tmp_path: Path) -> StoreWriter:
    return StoreWriter(tmp_path / "market")


@pytest.fixture
def source(writer: StoreWriter) -> StoreSource:
    return StoreSource(writer.root)


def test_latest_snapshot_known_then(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("chains", pl.concat([chain("AAPL", MONDAY, bid=1.0), chain("AAPL", MONDAY + DAY, bid=2.0)]))
    writer.append("chains", chain("MSFT", MONDAY, bid=3.0))
    moments = {MONDAY - MINUTE: set(), MONDAY: {1.0}, MONDAY + DAY - MINUTE: {1.0}, MONDAY + 9 * DAY: {2.0}}
    for moment, bids in moments.items():
        assert set(source.raw_chains(keys(("AAPL", moment)))["bid"]) == bids
    assert set(source.raw_chains(keys(("MSFT", MONDAY + 9 * DAY)))["bid"]) == {3.0}


def test_snapshot_is_taken_whole_and_alone(writer: StoreWriter, source: StoreSource) -> None:
    """A strike that the later snapshot lacks does not come from the earlier one."""
    writer.append("chains", chain("AAPL", MONDAY, strikes=(95.0, 100.0, 105.0)))
    writer.append("chains", chain("AAPL", MONDAY + HOUR, strikes=(100.0,)))
    assert source.raw_chains(keys(("AAPL", MONDAY + DAY)))["strike"].unique().to_list() == [100.0]


def test_old_snapshot_known_late_does_not_hide_a_newer_one(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("chains", chain("AAPL", MONDAY + DAY, bid=2.0))
    writer.append("chains", chain("AAPL", MONDAY, known=MONDAY + 2 * DAY, bid=1.0))
    assert set(source.raw_chains(keys(("AAPL", MONDAY + 3 * DAY)))["bid"]) == {2.0}


def test_chain_correction_wins_from_when_it_is_known(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("chains", chain("AAPL", MONDAY, bid=1.0))
    writer.append("chains", chain("AAPL", MONDAY, known=MONDAY + HOUR, strikes=(100.0,), bid=9.0))
    before = source.raw_chains(keys(("AAPL", MONDAY + HOUR - MINUTE)))
    after = source.raw_chains(keys(("AAPL", MONDAY + HOUR)))
    assert (before.height, set(before["bid"])) == (6, {1.0})
    assert after.height == 6
    assert set(after.filter(strike=100.0)["bid"]) == {9.0}
    assert set(after.filter(pl.col("strike") != 100.0)["bid"]) == {1.0}


def test_overlapping_imports_count_once(writer: StoreWriter, source: StoreSource) -> None:
    now = MONDAY + 9 * DAY
    writer.append("chains", chain("AAPL", MONDAY))
    writer.append("chains", pl.concat([chain("AAPL", MONDAY), chain("MSFT", MONDAY)]))
    writer.append("bars", bars("AAPL", 3))
    writer.append("bars", bars("AAPL", 5))
    twin = pl.concat([trade("AAPL", now), trade("AAPL", now)])
    writer.append("trades", twin)
    writer.append("trades", pl.concat([twin, trade("AAPL", now - MINUTE)]))
    writer.append("quotes", quote("AAPL", now))
    writer.append("quotes", pl.concat([quote("AAPL", now), quote("AAPL", now - MINUTE)]))
    assert source.raw_chains(keys(("AAPL", now))).height == 6
    assert source.bars(keys(("AAPL", now)), 4)["close"].to_list() == [101.0, 102.0, 103.0, 104.0]
    assert source.trades(keys(("AAPL", now)), 5).height == 3
    assert source.quotes(keys(("AAPL", now)), 5).height == 2


@pytest.mark.parametrize("lookback", [1, 2, 90, 200, 500])
def test_lookback_counts_bars_across_years_and_parts(writer: StoreWriter, source: StoreSource, lookback: int) -> None:
    whole = bars("AAPL", 400)
    for piece in (whole[:150], whole[150:390], *(whole[i] for i in range(390, 400))):
        writer.append("bars", piece)
    for known in (10, 200, 392, 399):
        found = source.bars(keys(("AAPL", MONDAY + known * DAY)), lookback)
        assert_frame_equal(found, whole[: known + 1].tail(lookback))


def test_bar_correction_wins_from_when_it_is_known(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bars("AAPL", 3))
    writer.append("bars", bar("AAPL", 1, 77.0, known=MONDAY + 2 * DAY + HOUR))
    assert source.bars(keys(("AAPL", MONDAY + 2 * DAY)), 3)["close"].to_list() == [100.0, 101.0, 102.0]
    assert source.bars(keys(("AAPL", MONDAY + 3 * DAY)), 3)["close"].to_list() == [100.0, 77.0, 102.0]
    assert source.bars(keys(("AAPL", MONDAY + 3 * DAY)), 2)["close"].to_list() == [77.0, 102.0]


def test_windows_are_open_before_and_closed_at_the_key(writer: StoreWriter, source: StoreSource) -> None:
    now = MONDAY
    times = [now - 5 * MINUTE, now - 4 * MINUTE, now, now + MINUTE]
    writer.append("trades", pl.concat([trade("AAPL", at) for at in times]))
    assert source.trades(keys(("AAPL", now)), 5)["timestamp"].to_list() == times[1:3]


def test_window_reaches_into_the_day_before(writer: StoreWriter, source: StoreSource) -> None:
    midnight = MONDAY.replace(hour=0)
    writer.append("news", pl.concat([headline("AAPL", midnight - HOUR, "old"), headline("AAPL", midnight, "new")]))
    assert source.news(keys(("AAPL", midnight + HOUR)), 3)["headline"].to_list() == ["old", "new"]


def test_late_print_is_seen_only_when_known_and_still_in_the_window(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("trades", trade("AAPL", MONDAY, known=MONDAY + 3 * MINUTE))
    for minutes, seen in ((2, 0), (3, 1), (4, 1), (5, 0)):
        assert source.trades(keys(("AAPL", MONDAY + minutes * MINUTE)), 5).height == seen


def test_news_correction(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("news", headline("AAPL", MONDAY, "Beats", "first"))
    writer.append("news", headline("AAPL", MONDAY, "Beats", "corrected", known=MONDAY + HOUR))
    assert source.news(keys(("AAPL", MONDAY + MINUTE)), 5)["body"].to_list() == ["first"]
    assert source.news(keys(("AAPL", MONDAY + HOUR)), 5)["body"].to_list() == ["corrected"]


EVENTS = st.lists(
    st.tuples(st.sampled_from(["AAPL", "BRK.B", "MSFT"]), st.integers(0, 8), st.integers(0, 5), st.integers(1, 4)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row[0], row[1], row[2]),
)
"""Symbol, event in half days, hours until known, and a figure to tell versions by."""
MOMENTS = st.lists(
    st.tuples(st.sampled_from(["AAPL", "BRK.B", "MSFT", "NONE"]), st.integers(-1, 12)),
    min_size=1,
    max_size=6,
    unique=True,
)
HALF_DAY = timedelta(hours=12)
KNOWN = {hours: timedelta(hours=6 * hours) for hours in range(6)}


def _store(root: Path, rows: list[tuple[str, int, int, int]], cut: timedelta | None = None) -> StoreSource:
    """Two parts a dataset, without the rows known after Monday plus ``cut``."""
    writer = StoreWriter(root)
    moments = [(*row, MONDAY + row[1] * HALF_DAY, MONDAY + row[1] * HALF_DAY + KNOWN[row[2]]) for row in rows]
    kept = [row for row in moments if cut is None or row[5] <= MONDAY + cut]
    with mock.patch("os.fsync"):  # what is tested here survives no power cut
        for half in (kept[::2], kept[1::2]):
            for kind, tables in _tables(half).items():
                if tables:
                    writer.append(kind, pl.concat(tables))
    return StoreSource(root)


def _tables(rows: list[tuple[str, int, int, int, datetime, datetime]]) -> dict[DataKind, list[pl.DataFrame]]:
    return {
        "chains": [chain(s, event, known, (100.0, 100.0 + n), float(n)) for s, _, _, n, event, known in rows],
        "bars": [
            bar(s, 0, 50.0 + n).with_columns(timestamp=event, known_at=known) for s, _, _, n, event, known in rows
        ],
        "news": [headline(s, event, "Beats", str(n), known) for s, _, _, n, event, known in rows],
        "trades": [trade(s, event, 10.0 * late + n, known) for s, _, late, n, event, known in rows],
    }


def _seen(table: pl.DataFrame, moment_of: dict[str, Any], identity: list[str]) -> pl.DataFrame:
    """What a reader of a panel takes for one key: of each thing the latest version known by then."""
    symbol, moment = moment_of["symbol"], moment_of["timestamp"]
    known = table.filter((pl.col("symbol") == symbol) & (pl.col("known_at") <= moment))
    return known.sort("timestamp", "known_at").unique(identity, keep="last", maintain_order=True)


@settings(max_examples=15, deadline=None)
@given(rows=EVENTS, moments=MOMENTS)
@example(rows=[("BRK.B", 0, 3, 1), ("BRK.B", 1, 0, 1)], moments=[("BRK.B", 1), ("BRK.B", 2)])
def test_panel_is_its_singles(rows: list[tuple[str, int, int, int]], moments: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = _store(Path(folder), rows)
        panel = keys(*((symbol, MONDAY + half * HALF_DAY) for symbol, half in moments))
        chains, tape = source.raw_chains(panel), source.bars(panel, 2)
        news, trades = source.news(panel, 30), source.trades(panel, 30 * 60)
        assert chains.select("symbol", "timestamp", "strike", "type").is_duplicated().sum() == 0
        singles = []
        for key in panel.sort("symbol", "timestamp").iter_rows(named=True):
            one = keys((key["symbol"], key["timestamp"]))
            singles.append(source.raw_chains(one))
            last_two = _seen(tape, key, ["symbol", "timestamp"]).tail(2)
            assert_frame_equal(last_two, source.bars(one, 2))
            window = pl.col("timestamp").is_between(key["timestamp"] - 30 * HOUR, key["timestamp"], closed="right")
            items = _seen(news, key, ["symbol", "timestamp", "headline"]).filter(window)
            assert_frame_equal(items, source.news(one, 30))
            prints = _seen(trades, key, ["symbol", "timestamp", "price"]).filter(window)
            assert_frame_equal(prints, source.trades(one, 30 * 60), check_row_order=False)
        assert_frame_equal(chains, pl.concat(singles))


@settings(max_examples=15, deadline=None)
@given(rows=EVENTS, half=st.integers(0, 12))
def test_the_future_changes_nothing(rows: list[tuple[str, int, int, int]], half: int) -> None:
    now = half * HALF_DAY
    with tempfile.TemporaryDirectory() as folder:
        whole = _store(Path(folder) / "whole", rows)
        then_root = Path(folder) / "then"
        StoreWriter(then_root).append("bars", bar("ZZZ", -9))
        then = _store(then_root, rows, cut=now)
        wanted = keys(*((symbol, MONDAY + now) for symbol in ("AAPL", "BRK.B", "MSFT")))
        # a row that says again what an earlier version said is stored only if it was appended first
        for ours, theirs in (
            (whole.raw_chains(wanted), then.raw_chains(wanted)),
            (whole.bars(wanted, 3), then.bars(wanted, 3)),
            (whole.news(wanted, 30), then.news(wanted, 30)),
        ):
            assert_frame_equal(ours.drop("known_at", strict=False), theirs.drop("known_at", strict=False))
        assert_frame_equal(whole.trades(wanted, 30 * 60), then.trades(wanted, 30 * 60))


def test_order_of_writing_does_not_matter(tmp_path: Path) -> None:
    rows = [("AAPL", 0, 0, 1), ("AAPL", 0, 1, 2), ("MSFT", 1, 0, 3), ("AAPL", 2, 0, 4)]
    wanted = keys(("AAPL", MONDAY + 3 * DAY), ("MSFT", MONDAY + 3 * DAY), ("AAPL", MONDAY + HOUR))
    forward = _store(tmp_path / "store", rows)
    expected = forward.raw_chains(wanted), forward.bars(wanted, 9)
    shutil.rmtree(tmp_path / "store")
    backward = _store(tmp_path / "store", rows[::-1])
    assert_frame_equal(backward.raw_chains(wanted), expected[0])
    assert_frame_equal(backward.bars(wanted, 9), expected[1])
