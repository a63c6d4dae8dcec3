"""What goes into the store comes out of it, whole or not at all, once."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.data.store import StoreSource, StoreWriter, coverage
from gnosis_ray.errors import (
    ConfigError,
    DataError,
    GnosisError,
    IntegrityError,
    NoDataError,
    SchemaError,
)
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import BARS, KEYS, NEWS, QUOTES, RAW_CHAIN, TRADES
from gnosis_ray.market.source import MarketSource
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.storage.backend import mount_disk
from tests.data.store.frames import DAY, HOUR, MINUTE, MONDAY, bar, bars, chain, headline, keys, local, quote, trade
from tests.support.disks import Power, PowerCutError, WatchedDisk


@pytest.fixture
def writer(tmp_path: Path) -> StoreWriter:
    return StoreWriter(tmp_path / "market")


@pytest.fixture
def source(writer: StoreWriter) -> StoreSource:
    return StoreSource(writer.root)


def _files(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_kind_comes_back(writer: StoreWriter, source: StoreSource) -> None:
    now = MONDAY
    tables: dict[DataKind, pl.DataFrame] = {
        "chains": pl.concat([chain("AAPL", now), chain("BRK.B", now)]),
        "bars": pl.concat([bar("AAPL", 0), bar("BRK.B", 0)]),
        "trades": pl.concat([trade("AAPL", now - MINUTE), trade("AAPL", now)]),
        "quotes": quote("AAPL", now),
        "news": headline("AAPL", now - HOUR, "Läuft", 'with "quotes"\nand lines'),
    }
    for kind, table in tables.items():
        writer.append(kind, table.sample(fraction=1.0, shuffle=True, seed=7))
    wanted = keys(("AAPL", now), ("BRK.B", now), ("NONE", now))
    chains = source.raw_chains(wanted)
    assert set(chains["timestamp"]) == {now}
    assert_frame_equal(chains.drop("timestamp"), tables["chains"])
    assert_frame_equal(source.bars(wanted, 5), tables["bars"])
    assert_frame_equal(source.trades(wanted, 5), tables["trades"])
    assert_frame_equal(source.quotes(wanted, 5), tables["quotes"])
    assert_frame_equal(source.news(wanted, 5), tables["news"])


def test_it_is_a_market_source(source: StoreSource) -> None:
    checked: MarketSource = source
    assert (checked.name, checked.synthetic) == ("store", False)


def test_unknown_symbols_and_absent_datasets_have_no_rows(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bars("AAPL", 3))
    wanted = keys(("MSFT", MONDAY + 9 * DAY))
    for found, schema in (
        (source.raw_chains(wanted), {**RAW_CHAIN, "timestamp": KEYS["timestamp"]}),
        (source.bars(wanted, 3), BARS),
        (source.trades(wanted, 3), TRADES),
        (source.quotes(wanted, 3), QUOTES),
        (source.news(wanted, 3), NEWS),
    ):
        assert found.is_empty()
        assert dict(found.schema) == dict(schema)
    assert source.bars(keys(), 3).is_empty()
    assert source.raw_chains(keys()).is_empty()


def test_coverage(writer: StoreWriter) -> None:
    writer.append("bars", pl.concat([bars("AAPL", 3), bars("MSFT", 2)]))
    writer.append("chains", chain("AAPL", MONDAY, MONDAY + HOUR))
    held = {row["kind"]: row for row in coverage(writer.root).iter_rows(named=True)}
    assert set(held) == {"bars", "chains"}
    assert (held["bars"]["symbols"], held["bars"]["rows"]) == (2, 5)
    assert (held["bars"]["first_event"], held["bars"]["last_event"]) == (MONDAY, MONDAY + 2 * DAY)
    assert held["chains"]["last_known"] == MONDAY + HOUR


def test_appending_again_changes_nothing(writer: StoreWriter) -> None:
    table = pl.concat([bars("AAPL", 3), bars("MSFT", 2)])
    first = writer.append("bars", table)
    before = _files(local(writer.root))
    again = writer.append("bars", table.reverse())
    assert (first.written, first.known, again.written, again.known) == (5, 0, 0, 5)
    assert (len(first.parts), again.parts) == (1, ())
    assert _files(local(writer.root)) == before


def test_partitions_and_names(writer: StoreWriter) -> None:
    writer.append("chains", pl.concat([chain("AAPL", MONDAY), chain("AAPL", MONDAY + DAY)]))
    writer.append("bars", bars("AAPL", 300))
    root = local(writer.root)
    folders = {path.parent.relative_to(root).as_posix() for path in root.rglob("*.parquet")}
    assert folders == {
        "chains/event_date=2026-07-06",
        "chains/event_date=2026-07-07",
        "bars/event_year=2026",
        "bars/event_year=2027",
    }


def test_others_read_the_store_as_it_lies(writer: StoreWriter) -> None:
    writer.append("chains", chain("AAPL", MONDAY))
    table = pl.read_parquet(local(writer.root) / "chains" / "**" / "*.parquet", hive_partitioning=True)
    assert table["event_date"].cast(pl.String).unique().to_list() == ["2026-07-06"]
    assert table.height == 6


def test_crash_before_the_rename_leaves_nothing(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bar("AAPL", 0))
    root, power = local(writer.root), Power(cut=1)
    with mount_disk(root, WatchedDisk(power.step)), pytest.raises(PowerCutError):
        writer.append("bars", bar("AAPL", 1))
    assert len([path for path in _files(local(writer.root)) if path.suffix == ".parquet"]) == 1
    assert source.bars(keys(("AAPL", MONDAY + 2 * DAY)), 9).height == 1
    assert writer.append("bars", bar("AAPL", 1)).written == 1


def test_what_a_killed_writer_leaves_is_invisible(writer: StoreWriter, source: StoreSource) -> None:
    part = local(writer.append("bars", bar("AAPL", 0)).parts[0])
    (part.parent / f".{part.name}.0a1b.tmp").write_bytes(part.read_bytes()[:100])
    assert source.bars(keys(("AAPL", MONDAY)), 9).height == 1
    assert coverage(writer.root)["rows"].sum() == 1


def test_naive_times_are_utc(writer: StoreWriter, source: StoreSource) -> None:
    naive = bar("AAPL", 0).with_columns(pl.col("timestamp", "known_at").dt.replace_time_zone(None))
    local = bar("MSFT", 0).with_columns(pl.col("timestamp", "known_at").dt.convert_time_zone("America/New_York"))
    writer.append("bars", naive)
    writer.append("bars", local)
    found = source.bars(keys(("AAPL", MONDAY), ("MSFT", MONDAY)), 1)
    assert_frame_equal(found, pl.concat([bar("AAPL", 0), bar("MSFT", 0)]))


def test_columns_are_checked(writer: StoreWriter) -> None:
    with pytest.raises(SchemaError, match=r"dataset bars, column close: Expected Float64, found no such column"):
        writer.append("bars", bar("AAPL", 0).drop("close"))
    with pytest.raises(SchemaError, match=r"dataset bars, column close: Expected Float64, found String"):
        writer.append("bars", bar("AAPL", 0).cast({"close": pl.String}))
    with pytest.raises(ConfigError, match=r"Nearest: '.*' \(of chains, bars"):
        writer.append("candles", bar("AAPL", 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("close", float("nan"), "close: is not finite"),
        ("high", float("inf"), "high: is not finite"),
        ("symbol", None, "symbol: is null"),
        ("timestamp", None, "timestamp: is null"),
        ("known_at", MONDAY - MINUTE, "known_at: is before timestamp"),
    ],
)
def test_values_are_checked(writer: StoreWriter, column: str, value: object, message: str) -> None:
    table = bar("AAPL", 0).with_columns(pl.lit(value, dtype=BARS[column]).alias(column))
    with pytest.raises(DataError, match=message):
        writer.append("bars", table)
    assert not local(writer.root).exists()


def test_contradictions_are_refused_and_repeats_dropped(writer: StoreWriter) -> None:
    assert writer.append("bars", pl.concat([bar("AAPL", 0), bar("AAPL", 0)])).written == 1
    with pytest.raises(DataError, match=r"AAPL: .*two values for timestamp=2026-07-06 20:00"):
        writer.append("bars", pl.concat([bar("AAPL", 0, 1.0), bar("AAPL", 0, 2.0)]))


def test_missing_and_empty_stores_say_what_fills_them(tmp_path: Path) -> None:
    for root in (tmp_path / "nowhere", tmp_path):
        source = StoreSource(root)
        for ask in (
            lambda s: s.raw_chains(keys(("AAPL", MONDAY))),
            lambda s: s.bars(keys(("AAPL", MONDAY)), 3),
            lambda s: s.trades(keys(("AAPL", MONDAY)), 3),
            lambda s: s.default_as_of(MONDAY),
            lambda s: coverage(s.root),
        ):
            with pytest.raises(NoDataError, match="`gnosis-ray data import` fills it"):
                ask(source)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (
            lambda path: pl.read_parquet(path).drop("strike").write_parquet(path),
            IntegrityError,
            "strike: Expected Float64",
        ),
        (
            lambda path: pl.read_parquet(path).cast({"strike": pl.String}).write_parquet(path),
            IntegrityError,
            "strike: Expected Float64, found String",
        ),
        (lambda path: pl.read_parquet(path).write_parquet(path), IntegrityError, "Expected an index in the footer"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), IntegrityError, "Cannot read"),
    ],
)
def test_spoilt_parts_are_named(
    writer: StoreWriter, source: StoreSource, spoil: object, error: type[GnosisError], message: str
) -> None:
    part = writer.append("chains", chain("AAPL", MONDAY)).parts[0]
    spoil(part)  # type: ignore[operator]
    with pytest.raises(error, match=message) as caught:
        source.raw_chains(keys(("AAPL", MONDAY)))
    assert str(part) in str(caught.value)
    assert "dataset chains" in str(caught.value)


def test_keys_are_checked(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bar("AAPL", 0))
    with pytest.raises(SchemaError, match="keys, column timestamp"):
        source.bars(pl.DataFrame({"symbol": ["AAPL"], "timestamp": [datetime(2026, 7, 6)]}), 3)  # noqa: DTZ001


def test_snapshots_of_evenings_are_of_the_sessions_that_they_quote(writer: StoreWriter) -> None:
    """Five hours after the close it is the next day in UTC, after Fridays one without a session."""
    for day in (*range(5), *range(7, 12)):
        writer.append("chains", chain("AAPL", MONDAY + day * DAY + 5 * HOUR))
    calendar = SessionCalendar.build("XNYS", date(2026, 7, 1), date(2026, 7, 31))
    held = coverage(writer.root, calendar).row(0, named=True)
    assert (held["sessions"], held["of_sessions"]) == (10, 10)


def test_default_as_of(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bars("AAPL", 3))
    writer.append("chains", chain("AAPL", MONDAY, MONDAY + 5 * DAY))
    assert source.default_as_of(MONDAY + 30 * DAY) == MONDAY + 5 * DAY
    assert source.default_as_of(MONDAY + DAY) == MONDAY + DAY


def test_default_as_of_is_a_full_second_that_knows_all(writer: StoreWriter, source: StoreSource) -> None:
    late = MONDAY + DAY + timedelta(microseconds=334_273)
    writer.append("chains", chain("AAPL", MONDAY, late))
    as_of = source.default_as_of(MONDAY + 30 * DAY)
    assert as_of == MONDAY + DAY + timedelta(seconds=1)
    assert source.raw_chains(keys(("AAPL", as_of))).height


def test_it_travels_light_and_sees_what_comes_later(writer: StoreWriter, source: StoreSource) -> None:
    writer.append("bars", bars("AAPL", 300))
    wanted = keys(("AAPL", MONDAY + 400 * DAY))
    source.bars(wanted, 9)
    body = pickle.dumps(source)
    assert len(body) < 500
    other: StoreSource = pickle.loads(body)  # noqa: S301
    assert_frame_equal(other.bars(wanted, 9), source.bars(wanted, 9))
    writer.append("bars", bar("AAPL", 300))
    assert source.bars(wanted, 1)["timestamp"].to_list() == [MONDAY + 300 * DAY]


def test_a_folder_name_is_no_pattern(tmp_path: Path) -> None:
    root = tmp_path / "a[bc]*?"
    StoreWriter(root).append("bars", bars("AAPL", 3))
    StoreWriter(tmp_path / "ab").append("bars", bars("MSFT", 3))
    wanted = keys(("AAPL", MONDAY + 9 * DAY), ("MSFT", MONDAY + 9 * DAY))
    assert StoreSource(root).bars(wanted, 9)["symbol"].unique().to_list() == ["AAPL"]
