"""A file of one symbol that does not name it, and rows that become known after their session's close."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnosis_ray.config import config_root
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.store.frames import keys

LINES = ["DATE,OPEN,HIGH,LOW,CLOSE", "2026-07-09,16.58,17.27,15.76,15.84", "2026-07-10,16.06,16.16,14.96,15.03"]


def _import(folder: Path, lines: list[str]) -> ImportReport:
    (folder / "vix_daily.csv").write_text("\n".join(lines))
    calendar = SessionCalendar.build("XNYS", date(2026, 6, 1), date(2026, 12, 31))
    return import_dataset(folder, load_mapping("vix_daily"), StoreWriter(folder / "market"), calendar)


def _bars_at(folder: Path, now: datetime) -> list[float]:
    return StoreSource(folder / "market").bars(keys(("VIX", now)), 5)["close"].to_list()


def test_the_symbol_is_the_constant_and_the_volume_unknown(tmp_path: Path) -> None:
    report = _import(tmp_path, LINES)
    assert (report.rows_written, report.refused.height, report.notes.height) == (2, 0, 0)
    bars = StoreSource(tmp_path / "market").bars(keys(("VIX", datetime(2026, 7, 11, tzinfo=UTC))), 5)
    assert bars["symbol"].to_list() == ["VIX", "VIX"]
    assert bars["volume"].null_count() == 2


def test_findings_name_the_constant_symbol(tmp_path: Path) -> None:
    report = _import(tmp_path, [*LINES, "2026-07-11,15,15,15,15"])
    assert report.refused.select("symbol", "reason").rows() == [("VIX", "no session on that date")]


def test_a_delayed_row_is_known_when_its_delay_is_over(tmp_path: Path) -> None:
    _import(tmp_path, LINES)
    assert _bars_at(tmp_path, datetime(2026, 7, 10, 20, 14, 59, tzinfo=UTC)) == [15.84]
    assert _bars_at(tmp_path, datetime(2026, 7, 10, 20, 15, tzinfo=UTC)) == [15.84, 15.03]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"known_delay_minutes": -1}, "greater than or equal to 0"),
        ({"known_at": "column"}, "known_delay_minutes beside known_at: column"),
    ],
)
def test_an_impossible_delay_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    body = yaml.safe_load((config_root() / "mappings" / "vix_daily.yaml").read_text())
    body["tables"][0] |= change
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(body))
    with pytest.raises(ConfigError, match=message):
        load_mapping(str(path))
