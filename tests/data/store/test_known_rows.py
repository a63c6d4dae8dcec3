"""A row is what it says of what: whichever file or vendor told it, it is stored once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import DataError
from gnosis_ray.schemas.core_schemas import DataKind
from tests.data.store.frames import DAY, HOUR, MINUTE, MONDAY, bar, bars, chain, headline, keys, local, quote, trade


@pytest.fixture
def writer(tmp_path: Path) -> StoreWriter:
    return StoreWriter(tmp_path / "market")


def stored_rows(writer: StoreWriter) -> int:
    """The rows in the files, whoever reads them."""
    return sum(pl.read_parquet(path, hive_partitioning=False).height for path in local(writer.root).rglob("part-*"))


ONE: dict[DataKind, list[pl.DataFrame]] = {
    "chains": [chain("AAPL", MONDAY + day * DAY) for day in range(3)],
    "bars": [bar("AAPL", day) for day in range(3)],
    "trades": [trade("AAPL", MONDAY + step * MINUTE) for step in range(3)],
    "quotes": [quote("AAPL", MONDAY + step * MINUTE) for step in range(3)],
    "news": [headline("AAPL", MONDAY + step * HOUR, f"item {step}") for step in range(3)],
}


@pytest.mark.parametrize("kind", ONE)
def test_files_that_overlap_store_each_row_once(writer: StoreWriter, kind: DataKind) -> None:
    first, both, last = ONE[kind]
    writer.append(kind, pl.concat([first, both]))
    again = writer.append(kind, pl.concat([both, last]))
    assert (again.written, again.known) == (last.height, both.height)
    assert stored_rows(writer) == first.height + both.height + last.height


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=5))
def test_however_a_table_is_cut_the_store_holds_it_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int]]
) -> None:
    writer, table = StoreWriter(tmp_path_factory.mktemp("cuts") / "market"), bars("AAPL", 10)
    done = [writer.append("bars", table.slice(start, count)) for start, count in cuts]
    held = {row for start, count in cuts for row in range(start, min(start + count, 10))}
    assert sum(each.written for each in done) == stored_rows(writer) == len(held)
    found = StoreSource(writer.root).bars(keys(("AAPL", MONDAY + 20 * DAY)), 10)
    assert_frame_equal(found, table[sorted(held)])


def test_what_another_file_says_at_a_later_time_is_new_only_where_it_differs(writer: StoreWriter) -> None:
    writer.append("bars", bar("AAPL", 0))
    assert writer.append("bars", bar("AAPL", 0, known=MONDAY + HOUR)).written == 0
    assert writer.append("bars", bar("AAPL", 0, 101.0, known=MONDAY + DAY)).written == 1
    assert writer.append("bars", bar("AAPL", 0, 100.0, known=MONDAY + 2 * DAY)).written == 1
    assert writer.append("bars", bar("AAPL", 0, 101.0, known=MONDAY + DAY + HOUR)).written == 0


def test_what_was_known_earlier_than_the_store_says_is_new(writer: StoreWriter) -> None:
    writer.append("bars", bar("AAPL", 0, known=MONDAY + DAY))
    assert writer.append("bars", bar("AAPL", 0)).written == 1
    assert StoreSource(writer.root).bars(keys(("AAPL", MONDAY)), 1).height == 1


def test_a_value_that_contradicts_the_store_is_refused_or_left_out_by_name(writer: StoreWriter) -> None:
    writer.append("bars", bars("AAPL", 2))
    other = pl.concat([bar("AAPL", 0, 50.0), bar("AAPL", 2)])
    with pytest.raises(DataError, match=r"AAPL: .*another value than the store has for timestamp=2026-07-06 20:00"):
        writer.append("bars", other)
    assert stored_rows(writer) == 2
    done = writer.append("bars", other, leave_out_contradicting=True)
    assert (done.written, done.known, done.contradicting.height) == (1, 0, 1)
    assert done.contradicting["timestamp"].to_list() == [MONDAY]
    assert StoreSource(writer.root).bars(keys(("AAPL", MONDAY)), 1)["close"].to_list() == [100.0]


def test_a_fetch_repeated_within_its_second_leaves_other_figures_out(writer: StoreWriter) -> None:
    writer.append_new("bars", bar("AAPL", 0), MONDAY + DAY)
    done = writer.append_new("bars", bar("AAPL", 0, 50.0), MONDAY + DAY)
    assert (done.written, done.known, done.contradicting.height) == (0, 0, 1)


def test_figures_that_the_store_lacks_are_added(writer: StoreWriter) -> None:
    writer.append("bars", bar("AAPL", 0))
    assert writer.append("bars", bar("AAPL", 0, adjusted=25.0)).written == 1
    assert writer.append("bars", bar("AAPL", 0)).known == 1
    with pytest.raises(DataError, match="another value than the store has"):
        writer.append("bars", bar("AAPL", 0, adjusted=20.0))
    plain = chain("AAPL", MONDAY)
    writer.append("chains", plain)
    assert writer.append("chains", plain.with_columns(vendor_delta=pl.lit(0.5))).written == plain.height
    assert writer.append("chains", plain.with_columns(vendor_delta=pl.lit(0.6))).written == 0


def test_more_prints_of_one_kind_than_the_store_has_come_together(writer: StoreWriter) -> None:
    print_ = trade("AAPL", MONDAY)
    writer.append("trades", print_)
    assert writer.append("trades", print_).written == 0
    assert writer.append("trades", pl.concat([print_, print_])).written == 2
    assert StoreSource(writer.root).trades(keys(("AAPL", MONDAY)), 5).height == 2
