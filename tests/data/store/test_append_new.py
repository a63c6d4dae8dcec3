"""A vendor's answers, stored night after night: what was received when, and only what is new."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.store.part_files import content_hash
from gnosis_ray.errors import DataError
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.storage.location import Location
from tests.data.store.frames import DAY, HOUR, MINUTE, MONDAY, bar, bars, chain, headline, keys, local, quote, trade

FRAMES: dict[DataKind, pl.DataFrame] = {
    "chains": chain("AAPL", MONDAY),
    "bars": pl.concat([bars("AAPL", 3), bars("MSFT", 2)]),
    "trades": pl.concat([trade("AAPL", MONDAY), trade("AAPL", MONDAY), trade("MSFT", MONDAY)]),
    "quotes": pl.concat([quote("AAPL", MONDAY), quote("AAPL", MONDAY + MINUTE)]),
    "news": headline("AAPL", MONDAY, "up"),
}
LATER = MONDAY + 4 * DAY


@pytest.fixture
def writer(tmp_path: Path) -> StoreWriter:
    return StoreWriter(tmp_path / "market")


def fetched(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The frame with the moment at which it was received."""
    return frame.with_columns(fetched_at=pl.lit(at))


def seen(root: Location, now: datetime) -> pl.DataFrame:
    """The AAPL bars known at ``now``."""
    return StoreSource(root).bars(keys(("AAPL", now)), 99)


@pytest.mark.parametrize("kind", FRAMES)
def test_when_it_was_fetched_is_kept_and_no_reader_sees_it(writer: StoreWriter, kind: DataKind) -> None:
    frame = FRAMES[kind]
    (part,) = writer.append(kind, fetched(frame, LATER - HOUR)).parts
    kept = pl.read_parquet(local(part))
    assert kept.columns[-1] == "fetched_at"
    assert kept["fetched_at"].unique().to_list() == [LATER - HOUR]
    reads = {
        "chains": lambda s: s.raw_chains(keys(("AAPL", LATER))),
        "bars": lambda s: s.bars(keys(("AAPL", LATER)), 9),
        "trades": lambda s: s.trades(keys(("AAPL", LATER)), 10_000),
        "quotes": lambda s: s.quotes(keys(("AAPL", LATER)), 10_000),
        "news": lambda s: s.news(keys(("AAPL", LATER)), 200),
    }
    plain = StoreWriter(local(writer.root).parent / "plain")
    (same,) = plain.append(kind, frame).parts
    assert "fetched_at" not in pl.read_parquet_schema(local(same))
    assert_frame_equal(reads[kind](StoreSource(writer.root)), reads[kind](StoreSource(plain.root)))


def test_a_part_without_it_is_named_as_before(writer: StoreWriter) -> None:
    table = bars("AAPL", 3).drop("adjusted_close")
    (path,) = writer.append("bars", table.with_columns(fetched_at=None)).parts
    assert local(path).stem.startswith(f"part-{content_hash(table)}-")


def test_rows_that_differ_only_by_when_they_were_fetched_are_one(writer: StoreWriter) -> None:
    twice = pl.concat([fetched(bar("AAPL", 0), LATER), fetched(bar("AAPL", 0), LATER - HOUR)])
    (part,) = writer.append("bars", twice).parts
    assert pl.read_parquet(local(part))["fetched_at"].to_list() == [LATER - HOUR]


@pytest.mark.parametrize("kind", FRAMES)
def test_what_is_known_already_is_not_stored_again(writer: StoreWriter, kind: DataKind) -> None:
    frame = FRAMES[kind]
    first = writer.append_new(kind, frame.drop("known_at"), LATER)
    assert (first.written, first.known) == (frame.height, 0)
    again = writer.append_new(kind, fetched(frame, LATER + HOUR), LATER + HOUR)
    assert (again.written, again.known, again.parts) == (0, frame.height, ())
    elsewhere = StoreWriter(writer.root).append_new(kind, frame.reverse(), LATER + HOUR)
    assert (elsewhere.written, elsewhere.known) == (0, frame.height)


def test_new_and_corrected_bars_are_added_and_known_from_then(writer: StoreWriter) -> None:
    writer.append_new("bars", bars("AAPL", 3), LATER)
    corrected = pl.concat([bars("AAPL", 4).filter(pl.col("close") != 101.0), bar("AAPL", 1, 55.0)])
    done = writer.append_new("bars", corrected, LATER + DAY)
    assert (done.written, done.known) == (2, 2)
    assert seen(writer.root, LATER + DAY)["close"].to_list() == [100.0, 55.0, 102.0, 103.0]
    assert seen(writer.root, LATER)["close"].to_list() == [100.0, 101.0, 102.0]


def test_a_correction_taken_back_is_a_correction(writer: StoreWriter) -> None:
    for day, close in enumerate((100.0, 55.0, 100.0)):
        assert writer.append_new("bars", bar("AAPL", 0, close), LATER + day * DAY).written == 1
        assert seen(writer.root, LATER + day * DAY)["close"].item() == close


def test_what_became_known_after_the_moment_is_not_looked_at(writer: StoreWriter) -> None:
    writer.append("bars", bar("AAPL", 0, known=LATER + DAY))
    assert writer.append_new("bars", bar("AAPL", 0), LATER).written == 1


@pytest.mark.parametrize(("told", "written"), [(None, 0), (25.0, 0), (25.00001, 0), (25.01, 1)])
def test_an_adjusted_close_counts_where_it_is_told_and_moved(
    writer: StoreWriter, told: float | None, written: int
) -> None:
    """An unknown one takes nothing back, and the last digits of single precision are noise."""
    writer.append_new("bars", bar("AAPL", 0, adjusted=25.0), LATER)
    assert writer.append_new("bars", bar("AAPL", 0, adjusted=told), LATER + DAY).written == written
    assert writer.append_new("bars", bar("MSFT", 0), LATER).written == 1
    assert writer.append_new("bars", bar("MSFT", 0, adjusted=25.0), LATER).written == 1


def test_another_snapshot_of_a_chain_is_new_and_a_changed_quote_a_correction(writer: StoreWriter) -> None:
    writer.append_new("chains", chain("AAPL", MONDAY), MONDAY)
    moved = chain("AAPL", MONDAY).with_columns(
        bid=pl.when(strike=100.0, type="C").then(pl.lit(0.5)).otherwise(pl.col("bid"))
    )
    assert writer.append_new("chains", moved, MONDAY + HOUR).written == 1
    assert writer.append_new("chains", chain("AAPL", MONDAY + DAY), MONDAY + DAY).written == 6
    read = StoreSource(writer.root).raw_chains(keys(("AAPL", MONDAY + HOUR), ("AAPL", MONDAY)))
    assert read.group_by("timestamp").agg(pl.col("bid").min()).sort("timestamp")["bid"].to_list() == [1.0, 0.5]


@given(
    nights=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_prints_are_as_many_as_were_ever_told_at_once(
    tmp_path_factory: pytest.TempPathFactory, nights: list[list[int]]
) -> None:
    writer = StoreWriter(tmp_path_factory.mktemp("market"))
    for night, minutes in enumerate(nights):
        table = pl.concat([trade("AAPL", MONDAY + minute * MINUTE) for minute in minutes])
        writer.append_new("trades", table, LATER + night * HOUR)
    found = StoreSource(writer.root).trades(keys(("AAPL", LATER + 9 * HOUR)), 10_000)
    for minute in range(3):
        most = max(minutes.count(minute) for minutes in nights)
        assert found.filter(timestamp=MONDAY + minute * MINUTE).height == most


def test_an_event_after_the_moment_is_refused(writer: StoreWriter) -> None:
    with pytest.raises(DataError, match="known_at: is before timestamp"):
        writer.append_new("bars", bars("AAPL", 3), MONDAY + DAY)


def test_a_frame_of_no_rows_is_no_append(writer: StoreWriter) -> None:
    done = writer.append_new("bars", bars("AAPL", 1).clear(), MONDAY)
    assert (done.written, done.known, done.parts) == (0, 0, ())
