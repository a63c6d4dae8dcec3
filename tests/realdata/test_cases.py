"""Inputs that failed once, as they came: each is read, or refused by file, line and value."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnosis_ray.data.importing import ImportMapping, ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import SchemaError
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.store.frames import keys

pytestmark = pytest.mark.realdata

LATER = datetime(2026, 9, 1, tzinfo=UTC)
CLOSES = [100.9, 101.9, 102.9, 103.9, 104.9]


@pytest.fixture(scope="module")
def cases(realdata: Path) -> Path:
    """The folder of such inputs, beside the recorded data."""
    folder = realdata.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no recorded market data at {folder}: set GNOSIS_RAY_REALDATA")
    return folder


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2022, 1, 3), date(2026, 12, 31))


def dialect(cases: Path, name: str, calendar: SessionCalendar, store: Path, **declared: Any) -> ImportReport:
    """The import of one of the dialects, by the mapping beside them and what it declares further."""
    mapping = "mapping_ymd" if name == "ymd_int" else "mapping"
    body = yaml.safe_load((cases / "csv_dialects" / f"{mapping}.yaml").read_text())
    body["tables"][0] |= declared
    folder = cases / "csv_dialects" / name
    return import_dataset(folder, ImportMapping.model_validate(body), StoreWriter(store), calendar)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("comment", {"comment": "#"}),
        ("datetime_text", {}),
        ("quoted_comma", {"decimal": ","}),
        ("semicolon", {"separator": ";"}),
        ("semicolon_comma", {"separator": ";", "decimal": ","}),
        ("tab", {"separator": "\t"}),
        ("utf16", {}),
        ("ymd_int", {}),
    ],
)
def test_a_dialect_is_read(
    cases: Path, calendar: SessionCalendar, tmp_path: Path, name: str, declared: dict[str, str]
) -> None:
    report = dialect(cases, name, calendar, tmp_path, **declared)
    assert (report.rows_written, report.refused.height) == (5, 0)
    assert StoreSource(tmp_path).bars(keys(("ZZA", LATER)), 9)["close"].to_list() == CLOSES


def test_a_share_called_true_is_one(cases: Path, calendar: SessionCalendar, tmp_path: Path) -> None:
    assert dialect(cases, "sym_true", calendar, tmp_path).rows_written == 5
    assert StoreSource(tmp_path).bars(keys(("TRUE", LATER)), 9).height == 5


@pytest.mark.parametrize(
    ("name", "reason", "example"),
    [
        ("one_na", "not a number", "N/A in bars.csv, line 4"),
        ("one_dash", "not a number", "- in bars.csv, line 4"),
        ("ragged", "not a number", "nothing in bars.csv, line 7"),
        ("dup_diff", "contradicted by a later row", "2026-07-10 in bars.csv, line 6"),
    ],
)
def test_a_row_is_refused_by_line_and_text(
    cases: Path, calendar: SessionCalendar, tmp_path: Path, name: str, reason: str, example: str
) -> None:
    report = dialect(cases, name, calendar, tmp_path)
    assert report.refused.select("reason", "rows", "example").rows() == [(reason, 1, example)]
    assert report.rows_written == report.rows_read - 1


@pytest.mark.parametrize(("name", "words"), [("semicolon", "separator: ';'"), ("comment", "comment: '#'")])
def test_a_dialect_that_is_not_declared_is_told(
    cases: Path, calendar: SessionCalendar, tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(SchemaError, match=rf"bars\.csv, column symbol: .*{words}"):
        dialect(cases, name, calendar, tmp_path)


def test_a_coin_has_a_bar_each_day_known_when_the_day_is_over(
    cases: Path, calendar: SessionCalendar, tmp_path: Path
) -> None:
    folder = cases / "crypto_daily"
    report = import_dataset(folder, load_mapping(str(folder / "mapping.yaml")), StoreWriter(tmp_path), calendar)
    assert (report.rows_read, report.rows_written) == (20, 20)
    bars = StoreSource(tmp_path).bars(keys(("BTC-USD", LATER)), 99)
    assert bars["timestamp"].diff().drop_nulls().unique().to_list() == [timedelta(days=1)]
    assert bars["known_at"].equals(bars["timestamp"])
    assert bars["timestamp"][0] == datetime(2026, 6, 23, tzinfo=UTC)


def test_older_exports_of_cboe_are_read(cases: Path, calendar: SessionCalendar, tmp_path: Path) -> None:
    """Its contracts are those of the Nasdaq 100, whatever the file is called."""
    shutil.copy(cases / "cboe_older_dates" / "spx_quotedata.csv", tmp_path / "ndx_quotedata.csv")
    report = import_dataset(tmp_path, load_mapping("cboe_quotes"), StoreWriter(tmp_path / "market"), calendar)
    assert (report.rows_read, report.rows_written) == (2, 2)
    made = datetime(2022, 2, 6, 1, 26, tzinfo=UTC)
    chain = StoreSource(tmp_path / "market").raw_chains(keys(("NDX", made)))
    assert chain.select("event_time", "strike", "type").rows() == [(made, 11_000.0, "C"), (made, 11_000.0, "P")]
