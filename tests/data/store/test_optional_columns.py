"""Bars whose adjusted close is unknown, told later, or was never a column; greeks that a vendor tells beside."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.store.part_files import content_hash
from gnosis_ray.errors import DataError, IntegrityError, SchemaError
from gnosis_ray.market.columns import BARS, RAW_CHAIN
from tests.data.store.frames import DAY, HOUR, MONDAY, bar, bars, chain, keys, local

OLD_COLUMNS = [name for name in BARS.names() if name != "adjusted_close"]


@pytest.fixture
def writer(tmp_path: Path) -> StoreWriter:
    return StoreWriter(tmp_path / "market")


@pytest.fixture
def source(writer: StoreWriter) -> StoreSource:
    return StoreSource(writer.root)


def adjusted(frame: pl.DataFrame, factor: float) -> pl.DataFrame:
    """The bars with ``factor`` times their close as the adjusted one."""
    return frame.with_columns(adjusted_close=pl.col("close") * factor)


def test_a_part_is_as_it_was_before_there_was_the_column(writer: StoreWriter) -> None:
    """The file's columns, and the name that an older version gave the same rows."""
    table = bars("AAPL", 3)
    (path,) = writer.append("bars", table).parts
    assert list(pl.read_parquet_schema(local(path))) == OLD_COLUMNS
    assert local(path).stem.startswith(f"part-{content_hash(table.select(OLD_COLUMNS))}-")
    again = writer.append("bars", table.select(OLD_COLUMNS))
    assert (again.written, again.known) == (0, 3)


def test_old_parts_read_as_unknown_beside_new_ones(writer: StoreWriter, source: StoreSource) -> None:
    old, new = bars("AAPL", 2), adjusted(bars("MSFT", 3), 0.5)
    writer.append("bars", old.drop("adjusted_close"))
    assert_frame_equal(source.bars(keys(("AAPL", MONDAY + 3 * DAY)), 5), old)
    writer.append("bars", new)
    wanted = keys(("AAPL", MONDAY + 3 * DAY), ("MSFT", MONDAY + 3 * DAY))
    assert_frame_equal(source.bars(wanted, 5), pl.concat([old, new]))
    assert source.bars(wanted, 5).schema == BARS


def test_another_column_of_an_old_part_is_still_missed(writer: StoreWriter, source: StoreSource) -> None:
    (path,) = writer.append("bars", bars("AAPL", 2)).parts
    pl.read_parquet(local(path)).drop("volume").write_parquet(local(path))
    with pytest.raises(IntegrityError, match="column volume: Expected Float64, found no such column"):
        source.bars(keys(("AAPL", MONDAY + DAY)), 5)


@pytest.mark.parametrize("known_first", [True, False])
def test_told_at_one_moment_with_and_without_it_the_one_that_tells_wins(
    writer: StoreWriter, source: StoreSource, known_first: bool
) -> None:
    """A folder imported again by a mapping that now fills the column; whatever the parts are called."""
    for day in range(4):
        told = [adjusted(bar("AAPL", day, 100.0 + day), 0.25), bar("AAPL", day, 100.0 + day)]
        for table in told if known_first else reversed(told):
            writer.append("bars", table)
    found = source.bars(keys(("AAPL", MONDAY + 3 * DAY)), 9)
    assert found["adjusted_close"].to_list() == [25.0, 25.25, 25.5, 25.75]


def test_an_adjustment_told_later_is_known_from_then_on(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", adjusted(bar("AAPL", 0), 1.0))
    writer.append("bars", adjusted(bar("AAPL", 0, known=MONDAY + DAY), 0.25))
    before, after = (source.bars(keys(("AAPL", MONDAY + lag)), 1) for lag in (DAY - HOUR, DAY))
    assert (before["adjusted_close"].item(), after["adjusted_close"].item()) == (100.0, 25.0)


def test_it_has_to_be_a_number(writer: StoreWriter) -> None:
    with pytest.raises(DataError, match="adjusted_close: is not finite"):
        writer.append("bars", adjusted(bar("AAPL", 0), float("nan")))
    text = bar("AAPL", 0).with_columns(adjusted_close=pl.lit("100"))
    with pytest.raises(SchemaError, match="adjusted_close: Expected Float64, found String"):
        writer.append("bars", text)


def test_vendor_greeks_are_kept_beside_what_engines_read(writer: StoreWriter, source: StoreSource) -> None:
    plain = chain("AAPL", MONDAY)
    told = plain.with_columns(vendor_delta=pl.lit(0.5), vendor_gamma=pl.lit(0.01))
    (part,) = writer.append("chains", told).parts
    kept = pl.read_parquet(local(part))
    assert kept["vendor_delta"].to_list() == [0.5] * plain.height
    assert "vendor_vega" not in kept.columns  # nobody told it
    moment = MONDAY + DAY
    assert source.raw_chains(keys(("AAPL", moment))).columns == [*RAW_CHAIN, "timestamp"]
    assert writer.append_new("chains", plain, moment).written == 0  # the same quotes, now without them
