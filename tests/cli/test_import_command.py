"""``data import``: what is said of what was not imported, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.conftest import Call, Outcome
from tests.data.importing.sources import GOOD, HEADER, ROWS

MAPPING = """\
name: mine
about: bars
tables:
  - file: bars.csv
    kind: bars
    known_at: session_close
    columns: {symbol: symbol, timestamp: date, open: open, high: high, low: low, close: close, volume: volume}
"""


@pytest.fixture
def run(call: Call, tmp_path: Path) -> Any:
    """The import of one file of bars into ``tmp_path/market``."""
    folder = tmp_path / "in [1]"
    folder.mkdir()
    (folder / "mine.yaml").write_text(MAPPING)

    def imported(body: str, *more: str) -> Outcome:
        (folder / "bars.csv").write_text(body)
        root = tmp_path / "st [1]"
        return call("data", "import", folder, "--mapping", folder / "mine.yaml", "--data-dir", root, *more)

    return imported


def test_what_is_imported_invites_to_a_scan(run: Any) -> None:
    seen = run(GOOD)
    assert (seen.code, "2 written" in seen.err, "Scan it with" in seen.err) == (0, True, True)
    again = run(GOOD)
    assert (again.code, "2 known before" in again.err, "Scan it with" in again.err) == (0, True, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("\n".join([HEADER, *(row.replace("2026-07", "07/2026") for row in ROWS)]), "dates are read as 2026-07-10"),
        ("\n".join([HEADER, *(row.replace("100.", "100,") for row in ROWS[:1])]), "more cells than the header"),
        ("\n".join([HEADER, *(row.replace("ZZA", "^DJT") for row in ROWS)]), "Declared are DJI"),
        (f"{HEADER}\n", "bars.csv: no rows, a header at most"),
    ],
)
def test_where_nothing_is_imported_nothing_invites_and_the_code_is_4(run: Any, body: str, words: str) -> None:
    seen = run(body, "--format", "json")
    assert (seen.code, "Nothing was imported." in seen.err, "Scan it with" in seen.err) == (4, True, False)
    assert words in " ".join(seen.err.split())
    assert sum(row["rows"] for row in json.loads(seen.out)) == body.strip().count("\n")


def test_one_bad_row_of_two_is_named_and_the_other_is_stored(run: Any, call: Call, tmp_path: Path) -> None:
    seen = run(GOOD.replace("101.9", "N/A"), "--format", "json")
    assert seen.code == 0
    (row,) = json.loads(seen.out)
    assert (row["column"], row["reason"], row["example"]) == ("close", "not a number", "ZZA: N/A in bars.csv, line 3")


@pytest.mark.parametrize("body", ["", GOOD.replace(",", ";"), "\n".join(ROWS)])
def test_a_file_that_cannot_be_read_is_told_and_the_code_is_4(run: Any, body: str) -> None:
    seen = run(body)
    assert (seen.code, "bars.csv" in seen.err, "Traceback" in seen.err) == (4, True, False)


def test_a_store_in_a_folder_with_brackets_gives_back_what_it_took(run: Any, call: Call, tmp_path: Path) -> None:
    run(GOOD)
    root = tmp_path / "st [1]"
    held = json.loads(call("data", "list", "--data-dir", root, "--format", "json").out)
    assert [(row["kind"], row["rows"]) for row in held] == [("bars", 2)]
    verified = call("data", "verify", "--data-dir", root, "--format", "json")
    assert verified.code == 0
    upgraded = tmp_path / "co[p]y"
    (root / "format.json").unlink()  # as one of format 1
    assert call("data", "upgrade", "--data-dir", root, "--to", upgraded).code == 0
    (part,) = upgraded.rglob("part-*.parquet")
    assert pl.read_parquet(part, glob=False, hive_partitioning=False).height == 2


def test_a_ledger_in_a_folder_with_brackets_is_read_and_shown(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "led [1]"
    scan = ("scan", "--symbols", "SYN00,SYN01", "--granularity", "inline", "--out", out)
    assert call(*scan).code == 0
    shown = call("runs", "show", "--out", out, "--format", "json")
    assert (shown.code, len(json.loads(call("runs", "list", "--out", out, "--format", "json").out))) == (0, 1)
    assert call("explain", "SYN00", "--out", out).code == 0


def test_a_mapping_in_yaml_s_words_is_a_fault_of_usage(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "in [1]" / "mine.yaml"
    path.write_text(MAPPING.replace("{symbol: symbol, ", "{") + "    constants: {symbol: ON}\n")
    seen = run(GOOD)
    assert (seen.code, 'write "ON" in quotes' in " ".join(seen.err.split())) == (2, True)
