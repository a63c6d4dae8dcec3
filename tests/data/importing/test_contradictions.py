"""Several rows of one thing known at one time: one rule, whoever told them, and a word for those that contradict."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.vendors.providers.frames import table
from tests.data.importing.sources import GOOD, HEADER, ROWS, bars_mapping, bars_of, imported, refusals, stored_bars
from tests.data.store.frames import MONDAY

OTHER = ROWS[1].replace("101.9", "55.0").replace("100.25", "50")


def test_the_last_of_different_rows_stands_and_the_others_are_named(tmp_path: Path) -> None:
    report = bars_of(tmp_path, "\n".join([HEADER, OTHER, ROWS[0], ROWS[1]]))
    assert refusals(report) == [("timestamp", "contradicted by a later row", "2026-07-07 in bars.csv, line 2")]
    assert stored_bars(tmp_path)["close"].to_list() == [100.9, 101.9]
    assert any("the last in the files is taken" in hint for hint in report.hints)


def test_equal_rows_are_duplicates(tmp_path: Path) -> None:
    report = bars_of(tmp_path, "\n".join([HEADER, *ROWS, ROWS[1]]))
    assert refusals(report) == [("timestamp", "duplicate of another row", "2026-07-07 in bars.csv, line 4")]


@settings(max_examples=25, deadline=None)
@given(closes=st.lists(st.integers(100, 103), min_size=1, max_size=8))
def test_files_and_vendors_take_the_same_row(tmp_path_factory: pytest.TempPathFactory, closes: list[int]) -> None:
    folder = tmp_path_factory.mktemp("same")
    report = bars_of(folder, "\n".join([HEADER, *(f"ZZA,2026-07-06,100,104,99,{close},1" for close in closes)]))
    answer = pl.DataFrame({"close": closes}).with_columns(timestamp=pl.lit(MONDAY))
    kept = stored_bars(folder)["close"].to_list()
    assert kept == table("bars", "ZZA", answer)["close"].to_list() == [closes[-1]]
    counts = dict(report.refused.select("reason", "rows").rows())
    assert counts.get("duplicate of another row", 0) == closes.count(closes[-1]) - 1
    assert counts.get("contradicted by a later row", 0) == len(closes) - closes.count(closes[-1])


def test_a_vendor_s_rows_that_contradict_each_other_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = pl.DataFrame({"close": [1.0, 2.0, 2.0]}).with_columns(timestamp=pl.lit(MONDAY))
    with caplog.at_level("WARNING"):
        table("bars", "ZZA", answer)
    assert "ZZA, bars: 1 row is contradicted by a later row" in caplog.text


def test_a_row_that_contradicts_the_store_is_refused_and_the_rest_is_stored(tmp_path: Path) -> None:
    bars_of(tmp_path, "\n".join([HEADER, ROWS[1]]))
    report = bars_of(tmp_path, "\n".join([HEADER, ROWS[0], OTHER]))
    assert (report.rows_read, report.rows_written, report.rows_known) == (2, 1, 0)
    assert refusals(report) == [("timestamp", "contradicts the store", "2026-07-07 in bars.csv, line 3")]
    assert stored_bars(tmp_path)["close"].to_list() == [100.9, 101.9]


def test_overlapping_files_store_each_row_once(tmp_path: Path) -> None:
    bars_of(tmp_path, "\n".join([HEADER, ROWS[0]]))
    report = bars_of(tmp_path, GOOD, "more.csv")
    assert (report.rows_read, report.rows_written, report.rows_known) == (2, 1, 1)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "all.csv").write_text(GOOD)
    report = imported(tmp_path, bars_mapping("**/*.csv"))
    assert (report.rows_written, report.rows_known, report.refused["rows"].sum()) == (0, 2, 3)
    parts = (tmp_path / "market").rglob("part-*")
    assert sum(pl.read_parquet(path, hive_partitioning=False).height for path in parts) == 2
