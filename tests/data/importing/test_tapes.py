"""Zipped tapes: no header, prices as multiples, times since midnight, symbol and date in the file's name."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnosis_ray.config import config_root
from gnosis_ray.data.importing import ImportMapping, ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import ConfigError, DataError, NoDataError, SchemaError
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.store.frames import keys

TRADES = "34200000,1402001,500,P,1,0\n34200000,1402000,200,P,1,0\n34200000,1402001,300,P,1,0\n34200001,9,1,P,1,1\n"
QUOTES = "34200000,1402000,100,0,0,Q,1,0\n34200000,0,0,1402500,300,N,1,0\n34200007,1402100,0,0,0,Q,1,0\n"


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2013, 1, 2), date(2014, 1, 2))


def pack(path: Path, *texts: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.csv", text)


def import_(folder: Path, calendar: SessionCalendar) -> ImportReport:
    return import_dataset(folder, load_mapping("ticks_2013"), StoreWriter(folder / "market"), calendar)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack(tmp_path / "ibm_20131007_trade.zip", TRADES)
    pack(tmp_path / "ibm_20131007_quote.zip", QUOTES)
    return tmp_path


def test_trades(folder: Path, calendar: SessionCalendar) -> None:
    """Summer time: 9:30 in New York is 13:30 UTC. Rows of a millisecond keep their order."""
    import_(folder, calendar)
    found = StoreSource(folder / "market").trades(keys(("IBM", datetime(2013, 10, 7, 14, tzinfo=UTC))), 60)
    opened = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
    assert found["timestamp"].to_list() == [opened.replace(microsecond=n) for n in (0, 1, 2)]
    assert found["known_at"].equals(found["timestamp"])
    assert found["price"].to_list() == [140.2001, 140.2, 140.2001]
    assert found["size"].to_list() == [500.0, 200.0, 300.0]
    assert found["side"].to_list() == [None] * 3


def test_winter_time(tmp_path: Path, calendar: SessionCalendar) -> None:
    pack(tmp_path / "ibm_20131105_trade.zip", TRADES)
    pack(tmp_path / "ibm_20131105_quote.zip", QUOTES)
    import_(tmp_path, calendar)
    found = StoreSource(tmp_path / "market").trades(keys(("IBM", datetime(2013, 11, 5, 15, tzinfo=UTC))), 60)
    assert found["timestamp"][0] == datetime(2013, 11, 5, 14, 30, tzinfo=UTC)


def test_sides_of_a_quote_that_come_alone_are_unknown_and_not_zero(folder: Path, calendar: SessionCalendar) -> None:
    import_(folder, calendar)
    found = StoreSource(folder / "market").quotes(keys(("IBM", datetime(2013, 10, 7, 14, tzinfo=UTC))), 60)
    assert found.select("bid", "bid_size", "ask", "ask_size").rows() == [
        (140.2, 100.0, None, None),
        (None, None, 140.25, 300.0),
        (140.21, None, None, None),
    ]
    assert found["timestamp"].dt.microsecond().to_list() == [0, 1, 7000]


def test_rows_that_the_source_flags_are_refused_and_counted(folder: Path, calendar: SessionCalendar) -> None:
    report = import_(folder, calendar)
    assert (report.rows_read, report.rows_written) == (7, 6)
    assert report.refused.select("table", "symbol", "reason", "rows", "example").rows() == [
        ("*_trade.zip", "ibm", "flagged by its source", 1, "34200001 in ibm_20131007_trade.zip, line 4")
    ]


def test_every_file_of_the_pattern_is_read_once(folder: Path, calendar: SessionCalendar) -> None:
    pack(folder / "bac_20131007_trade.zip", TRADES)
    import_(folder, calendar)
    now = datetime(2013, 10, 7, 14, tzinfo=UTC)
    found = StoreSource(folder / "market").trades(keys(("IBM", now), ("BAC", now)), 60)
    assert found.group_by("symbol").len().sort("symbol").rows() == [("BAC", 3), ("IBM", 3)]
    assert import_(folder, calendar).rows_written == 0


def test_unusable_files_are_named(folder: Path, calendar: SessionCalendar) -> None:
    bad = folder / "bac_20131007_trade.zip"
    pack(bad, TRADES, TRADES)
    with pytest.raises(DataError, match="Expected one file in the zip, found 2"):
        import_(folder, calendar)
    bad.write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"Cannot read .*bac_20131007_trade\.zip"):
        import_(folder, calendar)
    pack(bad, "1,2,3\n")
    with pytest.raises(SchemaError, match="Expected 6 columns, found 3"):
        import_(folder, calendar)
    bad.rename(folder / "today_trade.zip")
    with pytest.raises(SchemaError, match=r"today_trade\.zip: Expected a name like"):
        import_(folder, calendar)
    for path in folder.glob("*_trade.zip"):
        path.unlink()
    with pytest.raises(NoDataError, match=r"Expected a file \*_trade\.zip"):
        import_(folder, calendar)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"divide": {"prices": 10.0}}, "divide for prices, which no source column fills. Nearest: 'price'"),
        ({"divide": {"symbol": 10.0}}, "Expected a figure to divide or to be zero, was symbol"),
        ({"zero_is_unknown": ["side"]}, "zero_is_unknown for side"),
        ({"known_at": "session_close"}, "clock tells a moment, known_at session_close a date"),
        ({"file_name": "(?P<symbol"}, "Expected a regular expression as file_name"),
        ({"clock": {"date": "date", "zone": "UTC", "unit": "ms"}}, "clock.unit: unknown key. Nearest:"),
    ],
)
def test_mappings_say_what_they_mean(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    body = yaml.safe_load((config_root() / "mappings" / "ticks_2013.yaml").read_text())
    body["tables"][0] |= change
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        load_mapping(str(path))


def test_the_mapping_is_built_in() -> None:
    mapping = load_mapping("ticks_2013")
    assert isinstance(mapping, ImportMapping)
    assert [table.kind for table in mapping.tables] == ["trades", "quotes"]
