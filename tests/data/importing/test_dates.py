"""Dates and times as files write them: one meaning or none, and nothing is known before it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.data.importing.times import TimeForm, parse_date, parse_moment, parse_session_date
from gnosis_ray.data.store import StoreSource
from gnosis_ray.errors import SchemaError
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.frames import closes
from tests.data.importing.sources import (
    CHAIN,
    CHAIN_HEADER,
    CHAIN_ROW,
    GOOD,
    HEADER,
    ROWS,
    bars_mapping,
    bars_of,
    chain_of,
    imported,
    refusals,
    stored_bars,
)
from tests.data.store.frames import DAY, HOUR, MONDAY, keys

SIXTH = date(2026, 7, 6)
TEXT = TimeForm(pl.String(), (), None)


def parsed(reading: Any, text: object, form: TimeForm = TEXT, *more: str) -> object:
    return pl.DataFrame({"x": [text]}).select(reading(pl.col("x"), form, *more)).item()


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-06", "2026/07/06", "20260706", "2026-7-6", " 2026-07-06 ", "6 Jul 2026", "06 Jul 2026", "6 July 2026",
        "6-Jul-2026", "06-JUL-2026", "6/Jul/2026", "Jul 6, 2026", "July 6, 2026", "July 06 2026", "jul 6 2026",
        "Mon Jul 06 2026", "Monday, July 6, 2026", "Mon, 6 Jul 2026",
    ],
)  # fmt: skip
def test_a_form_with_one_meaning_is_read(tmp_path: Path, text: str) -> None:
    assert parsed(parse_date, text) == SIXTH
    bars_of(tmp_path, GOOD.replace("2026-07-06", f'"{text}"'))
    assert stored_bars(tmp_path)["timestamp"][0] == MONDAY


@pytest.mark.parametrize(
    "text",
    ["07/06/2026", "06.07.2026", "7-6-2026", "06-Jul-26", "Jul 2026", "2026", "1783296000", "yesterday", "2026-02-30",
     "0026-07-06", "9999-12-31", "July 6", "2026-W28-1", "２０２６-07-06"],
)  # fmt: skip
def test_a_form_with_two_meanings_or_none_is_refused_and_what_is_read_is_said(tmp_path: Path, text: str) -> None:
    assert parsed(parse_date, text) is None
    report = bars_of(tmp_path, GOOD.replace("2026-07-06", text))
    assert refusals(report) == [("timestamp", "unreadable time", f"{text} in bars.csv, line 2")]
    assert report.rows_written == 1
    assert any("dates are read as 2026-07-10, 2026/07/10, 20260710, 10 Jul 2026" in hint for hint in report.hints)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
@settings(max_examples=50)
def test_every_date_is_read_in_every_form(day: date) -> None:
    forms = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%B %d, %Y", "%a %b %d %Y", "%d-%b-%Y")
    assert {parsed(parse_date, day.strftime(form)) for form in forms} == {day}


@pytest.mark.parametrize(
    ("formats", "text"),
    [
        ("%m/%d/%Y", "07/06/2026"),
        ("%d.%m.%y", "06.07.26"),
        (["%m/%d/%Y", "%Y-%m-%d"], "07/06/2026"),
        (["%d.%m.%Y", "%d.%m.%y"], "06.07.26"),
        ("%Y-%m-%d %H:%M:%S%z", "2026-07-06 20:00:00-0400"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-07-06 00:00:00 +0000"),
        (["%m/%d/%Y", "%Y-%m-%d %H:%M"], "2026-07-06 16:00"),
    ],
)
def test_a_declared_form_is_read_and_so_are_several(tmp_path: Path, formats: object, text: str) -> None:
    bars_of(tmp_path, "\n".join([HEADER, ROWS[0].replace("2026-07-06", text)]), formats={"timestamp": formats})
    assert stored_bars(tmp_path)["timestamp"].to_list() == [MONDAY]


SESSION_DATES = [
    ("2026-07-06 20:00:00-04:00", SIXTH),  # 8 in the evening of New York, already the 7th in UTC
    ("2026-07-07T00:00:00+00:00", date(2026, 7, 7)),  # a midnight stands for the date it is written with
    ("2026-07-07T00:30:00Z", SIXTH),
    ("2026-07-06 00:00:00-04:00", SIXTH),
    ("2026-07-06T00:00:00Z", SIXTH),
    ("2026-07-06T13:30Z", SIXTH),
    ("2026-07-07T01:00:00+02:00", SIXTH),
    ("2026-07-06 16:00:00", SIXTH),
    ("2026-07-06 00:00", SIXTH),
]


@pytest.mark.parametrize(("text", "day"), SESSION_DATES)
def test_a_zoned_time_is_on_the_exchange_s_day(tmp_path: Path, text: str, day: date) -> None:
    assert parsed(parse_session_date, text, TEXT, "America/New_York") == day
    bars_of(tmp_path, "\n".join([HEADER, ROWS[0].replace("2026-07-06", text)]))
    assert stored_bars(tmp_path)["timestamp"].dt.date().to_list() == [day]


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo"])
def test_a_zoned_column_is_on_the_exchange_s_day(tmp_path: Path, zone: str) -> None:
    close = pl.Series([datetime(2026, 7, 6, 23, 59, tzinfo=UTC)]).dt.convert_time_zone(zone)
    frame = pl.DataFrame({"symbol": ["ZZA"], "date": close, "open": [1], "high": [2], "low": [1], "close": [1]})
    frame.with_columns(volume=1).write_parquet(tmp_path / "bars.parquet")
    imported(tmp_path, bars_mapping("bars.parquet"))
    assert stored_bars(tmp_path)["timestamp"].to_list() == [MONDAY]


def test_a_time_of_a_declared_zone_is_on_the_exchange_s_day(tmp_path: Path) -> None:
    row = ROWS[0].replace("2026-07-06", "2026-07-07 02:00")
    bars_of(tmp_path, "\n".join([HEADER, row]), zone="Europe/Berlin")
    assert stored_bars(tmp_path)["timestamp"].to_list() == [MONDAY]


PAIR_ROWS = [
    f"BTC-USD,{day},60000,60120,58682.4,58800,1000"
    for day in ("2026-07-03", "2026-07-04", "2026-07-05", "2026-07-06")  # a holiday and a weekend
]


def test_a_pair_s_day_ends_with_the_day_in_utc_by_import_as_by_fetch(tmp_path: Path) -> None:
    assert bars_of(tmp_path, "\n".join([HEADER, *PAIR_ROWS, ROWS[0]])).rows_written == 5
    found = stored_bars(tmp_path, "BTC-USD")
    ends = [datetime(2026, 7, day, tzinfo=UTC) for day in (4, 5, 6, 7)]
    assert found["timestamp"].to_list() == found["known_at"].to_list() == ends
    request = ProviderRequest("bars", "BTC-USD", ends[0] - 9 * DAY, ends[-1])
    days = pl.Series([date(2026, 7, day) for day in (3, 4, 5, 6)])
    assert closes(request, days).to_list() == ends
    assert stored_bars(tmp_path)["timestamp"].to_list() == [MONDAY]


def test_nobody_knows_a_pair_s_day_before_it_is_over(tmp_path: Path) -> None:
    bars_of(tmp_path, "\n".join([HEADER, *PAIR_ROWS]))
    source, over = StoreSource(tmp_path / "market"), datetime(2026, 7, 7, tzinfo=UTC)
    for now, count in ((over - 4 * HOUR, 3), (over - timedelta(microseconds=1), 3), (over, 4)):
        assert source.bars(keys(("BTC-USD", now)), 9).height == count


@pytest.mark.parametrize("stamp", ["2026-07-04T00:00:00Z", "2026-07-04", "2026-07-04T12:00:00Z", "4 Jul 2026"])
def test_however_its_day_is_written_a_pair_s_bar_is_one(tmp_path: Path, stamp: str) -> None:
    bars_of(tmp_path, "\n".join([HEADER, PAIR_ROWS[1].replace("2026-07-04", stamp)]))
    assert stored_bars(tmp_path, "BTC-USD")["timestamp"].to_list() == [datetime(2026, 7, 5, tzinfo=UTC)]


def test_a_bare_date_is_no_moment(tmp_path: Path) -> None:
    """It would be known at the start of its day, before anything of it happened."""
    report = bars_of(tmp_path, GOOD, known_at="event")
    assert (report.rows_read, report.rows_written) == (2, 0)
    assert refusals(report) == [("timestamp", "a date without a time of day", "2026-07-06 in bars.csv, line 2")]
    assert any("known_at: session_close" in hint for hint in report.hints)


def test_nor_is_it_the_time_at_which_something_became_known(tmp_path: Path) -> None:
    columns = {target: target for target in ("symbol", "timestamp", "known_at", "headline", "body", "source")}
    (tmp_path / "n.csv").write_text(
        "symbol,timestamp,known_at,headline,body,source\nA,2026-07-06T10:00Z,2026-07-06,up,,x\n"
        "A,2026-07-06T10:00Z,2026-07-06T11:00Z,up,,x\n"
    )
    table = {"kind": "news", "known_at": "column", "columns": columns}
    report = imported(tmp_path, bars_mapping("n.csv", **table))
    assert refusals(report) == [("known_at", "a date without a time of day", "2026-07-06 in n.csv, line 2")]
    assert report.rows_written == 1


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d %b %y", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]])
def test_a_form_without_a_time_of_day_is_no_form_of_a_moment(form: object) -> None:
    with pytest.raises(ValueError, match=r"formats\.timestamp: .* reads a date without a time of day"):
        bars_mapping(known_at="event", formats={"timestamp": form})


@pytest.mark.parametrize(
    ("values", "known_at", "message"),
    [
        ([time(9, 30)], "event", "Expected times, found times of day without a date. `clock`"),
        ([time(9, 30)], "session_close", "Expected times, found times of day without a date. `clock`"),
        ([SIXTH], "event", "Expected times, found dates without a time of day, .* `known_at: session_close`"),
        ([True], "event", "Expected times, found truth values"),
        ([1.5], "session_close", "Expected times, found numbers"),
        ([[1]], "session_close", "Expected times, found nested values"),
    ],
)
def test_a_column_of_another_type_is_named(tmp_path: Path, values: list[object], known_at: str, message: str) -> None:
    frame = pl.DataFrame({"symbol": ["ZZA"], "date": values, "open": [1], "high": [2], "low": [1], "close": [1]})
    frame.with_columns(volume=1).write_parquet(tmp_path / "bars.parquet")
    with pytest.raises(SchemaError, match=rf"bars\.parquet, column date: {message}"):
        imported(tmp_path, bars_mapping("bars.parquet", known_at=known_at))


def test_times_of_day_as_text_are_refused_row_by_row(tmp_path: Path) -> None:
    report = bars_of(tmp_path, GOOD.replace("2026-07-06", "09:30"), known_at="session_close")
    assert refusals(report) == [("timestamp", "unreadable time", "09:30 in bars.csv, line 2")]


@pytest.mark.parametrize("form", [None, "%Y%m%d"])
def test_whole_numbers_are_dates_where_they_read_as_such(tmp_path: Path, form: str | None) -> None:
    frame = pl.DataFrame({"symbol": ["ZZA"] * 2, "date": [20260706, 20640], "open": 1, "high": 2, "low": 1, "close": 1})
    frame.with_columns(volume=1).write_parquet(tmp_path / "bars.parquet")
    report = imported(tmp_path, bars_mapping("bars.parquet", **({"formats": {"timestamp": form}} if form else {})))
    assert refusals(report) == [("timestamp", "unreadable time", "20640 in bars.parquet, row 2")]
    assert stored_bars(tmp_path)["timestamp"].to_list() == [MONDAY]


def test_midnights_without_a_zone_are_noted_as_what_may_be_dates(tmp_path: Path) -> None:
    row = CHAIN_ROW.replace("2026-07-06T15:00:00Z", "2026-07-06 00:00:00")
    report = chain_of(tmp_path, row)
    assert set(report.notes["reason"]) == {"naive time read as UTC", "at midnight: a date?"}
    assert any("a day too early" in hint for hint in report.hints)


def test_times_are_read_with_or_without_seconds_zone_and_t(tmp_path: Path) -> None:
    at = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)
    for text in ("2026-07-06T15:00:00Z", "2026-07-06 15:00", "2026-07-06T11:00-04:00", "2026-07-06 15:00:00.000000Z"):
        assert parsed(parse_moment, text) == at
    assert parsed(parse_moment, "2026-07-06 11:00", TimeForm(pl.String(), (), "America/New_York")) == at
    assert parsed(parse_moment, "2026-03-08 02:30", TimeForm(pl.String(), (), "America/New_York")) is None
    assert {"time", *CHAIN_HEADER.split(",")} >= set(CHAIN.values())


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected a time zone such as America/New_York, was 'NewYork'"):
        bars_mapping(zone="NewYork")
