"""Mappings are strict: what they do not say clearly they do not say."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnosis_ray.config import config_root
from gnosis_ray.data.importing import import_dataset, load_mapping, mapping_names
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.errors import ConfigError
from gnosis_ray.market.calendar import SessionCalendar


@pytest.fixture
def body() -> dict[str, Any]:
    text = (config_root() / "mappings" / "us_2026_07.yaml").read_text()
    return deepcopy(yaml.safe_load(text))


def _load(folder: Path, body: object) -> None:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(body))
    load_mapping(str(path))


def test_built_in() -> None:
    mapping = load_mapping("us_2026_07")
    assert "us_2026_07" in mapping_names()
    assert [table.kind for table in mapping.tables] == ["chains", "bars"]


def test_the_mapping_that_the_document_shows_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "store.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(block)
    folder = tmp_path / "in" / "BRK.B"
    folder.mkdir(parents=True)
    (folder / "bars.csv").write_text(
        "Date;Open;High;Low;Close;Volume\n10.07.2026;10,5;11;10;10,5;1.000\n13.07.26;9;9;9;9;-\n"
    )
    store = StoreWriter(tmp_path / "market")
    calendar = SessionCalendar.build("XNYS", date(2026, 7, 1), date(2026, 7, 31))
    report = import_dataset(tmp_path / "in", load_mapping(str(tmp_path / "mine.yaml")), store, calendar)
    assert (report.rows_written, report.refused.height, report.notes.height) == (2, 0, 0)


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Nearest: 'us_2026_07'.*path of a mapping file"):
        load_mapping("us_2026_7")


def test_unknown_keys_name_the_nearest(tmp_path: Path, body: dict[str, Any]) -> None:
    body["tables"][0]["constant"] = {}
    with pytest.raises(ConfigError, match="Nearest: 'constants'"):
        _load(tmp_path, body)
    del body["tables"][0]["constant"]
    body["tables"][0]["contract"]["am_root"] = []
    with pytest.raises(ConfigError, match="Nearest: 'am_roots'"):
        _load(tmp_path, body)
    del body["tables"][0]["contract"]["am_root"]
    body["title"] = "x"
    with pytest.raises(ConfigError, match=r"mine.yaml.*title: unknown key"):
        _load(tmp_path, body)


def test_targets_are_checked(tmp_path: Path, body: dict[str, Any]) -> None:
    bars = body["tables"][1]
    bars["columns"]["closing"] = bars["columns"].pop("close")
    with pytest.raises(ConfigError, match=r"unknown column 'closing' of bars. Nearest: 'close'"):
        _load(tmp_path, body)
    del bars["columns"]["closing"]
    with pytest.raises(ConfigError, match=r"not filled \['close'\]"):
        _load(tmp_path, body)
    bars["columns"] |= {"close": "close", "known_at": "date"}
    with pytest.raises(ConfigError, match=r"filled twice \['known_at'\]"):
        _load(tmp_path, body)


@pytest.mark.parametrize("text", ["[1, 2", "just text", "name: x\nabout: y\ntables: []\n"])
def test_unreadable_mappings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_mapping(str(path))
