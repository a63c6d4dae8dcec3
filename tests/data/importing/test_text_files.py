"""Text files as others write them: each cell is read, or its row refused by file, line, column and value."""

from __future__ import annotations

import codecs
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.data.store import StoreSource
from gnosis_ray.errors import DataError, NoDataError, SchemaError
from tests.data.importing.sources import (
    BARS,
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
from tests.data.store.frames import DAY, MONDAY, keys

CLOSES = [100.9, 101.9]
GERMAN = GOOD.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        (GOOD, {}),
        (GOOD.replace("\n", "\r\n"), {}),
        (GOOD.replace("\n", "\r"), {}),
        (GOOD.rstrip("\n"), {}),
        (f"{GOOD}\n\n", {}),
        (codecs.BOM_UTF8 + GOOD.encode(), {}),
        (GOOD.encode("utf-16"), {}),
        (codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"), {}),
        (GOOD.encode("utf-16-le"), {"encoding": "utf-16"}),
        (GOOD.replace("volume", "ö").encode("latin-1"), {"encoding": "latin-1", "columns": BARS | {"volume": "ö"}}),
        (GOOD.replace(",", ";"), {"separator": ";"}),
        (GOOD.replace(",", "\t"), {"separator": "\t"}),
        (GERMAN, {"separator": ";", "decimal": ","}),
        (GERMAN.replace("000\n", ".000\n"), {"separator": ";", "decimal": ",", "thousands": "."}),
        (GOOD.replace("1000", '"1,000"').replace("2000", '"2,000"'), {"thousands": ","}),
        (f"# one\n# two\n{GOOD}", {"comment": "#"}),
        (GOOD.replace(",100.9,", ", 100.9 ,"), {}),
        (GOOD.replace("100.9", '"100.9"'), {}),
        ("\n".join(ROWS), {"header": HEADER.split(",")}),
        (GOOD.replace(HEADER, HEADER + ",").replace("000\n", "000,\n"), {}),
    ],
)  # fmt: skip
def test_a_dialect_that_is_plain_or_declared_is_read(
    tmp_path: Path, body: str | bytes, declared: dict[str, Any]
) -> None:
    report = bars_of(tmp_path, body, **declared)
    assert (report.rows_read, report.rows_written, report.refused.height) == (2, 2, 0)
    found = stored_bars(tmp_path)
    assert (found["close"].to_list(), found["volume"].to_list()) == (CLOSES, [1000.0, 2000.0])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (GOOD.replace(",", ";"), r"bars\.csv, column symbol: .*among symbol;date.*separator: ';'"),
        (GOOD.replace(",", "\t"), r"bars\.csv, column symbol: .*separator: '\\t'"),
        (f"# downloaded\n{GOOD}", r"bars\.csv, column symbol: .*comment: '#'"),
        ("\n".join(ROWS), r"bars\.csv, column symbol: .*among ZZA, 2026-07-06"),
        (GOOD.replace("close", "Close"), r"bars\.csv, column close: .*Nearest: 'Close'"),
        ("", r"bars\.csv: Expected a line of column names and rows, found an empty file"),
        (f"\n{GOOD}", r"bars\.csv: Expected a line of column names and rows, found an empty line"),
        (
            GOOD.replace("ZZA,2026-07-07", "Z\xc4,2026-07-07").encode("latin-1"),
            r"bars\.csv, line 3: Expected UTF-8.*0xc4",
        ),
        (GOOD.replace("2000", '"2000'), r"bars\.csv, line 3: Expected quotes in pairs"),
        (b"\xff\xfeab\xd8", r"bars\.csv: Expected utf-16, found"),
        ("\n".join(["x,y", *ROWS]), r"bars\.csv, column symbol: .*among x, y"),
    ],
)
def test_a_dialect_that_is_not_declared_is_told_in_words_of_the_file(
    tmp_path: Path, body: str | bytes, message: str
) -> None:
    with pytest.raises((SchemaError, DataError), match=message):
        bars_of(tmp_path, body)
    assert not list(tmp_path.rglob("part-*"))


@pytest.mark.parametrize("cell", ["N/A", "-", "100,9", "hundred", "1_0", "0x1", "٣", "#REF!", "=1+1", "12:30"])
def test_one_cell_refuses_one_row_by_name(tmp_path: Path, cell: str) -> None:
    report = bars_of(tmp_path, GOOD.replace(",101.9,", f',"{cell}",'))
    assert (report.rows_read, report.rows_written) == (2, 1)
    assert refusals(report) == [("close", "not a number", f"{cell} in bars.csv, line 3")]
    assert stored_bars(tmp_path)["close"].to_list() == CLOSES[:1]


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.sampled_from(["good", "text", "short", "long", "empty"]), min_size=1, max_size=12))
def test_every_line_is_a_row_or_named(tmp_path_factory: pytest.TempPathFactory, rows: list[str]) -> None:
    """However many lines are wrong: those that are right are stored, and the first wrong one is named by its line."""
    spoilt = {"text": "ZZA,2026-07-06,x,2,1,1,1", "short": "ZZA,2026-07-06,1", "long": ",".join([ROWS[0], "9"])}
    spoilt |= {"empty": ""}
    lines = [f"S{n},2026-07-06,1,2,1,1,1" if kind == "good" else spoilt[kind] for n, kind in enumerate(rows)]
    folder = tmp_path_factory.mktemp("lines")
    report = bars_of(folder, "\n".join([HEADER, *lines]) + "\n")
    assert report.rows_written == rows.count("good")
    assert report.rows_read == len(rows) - rows.count("empty") == report.rows_written + report.refused["rows"].sum()
    named = {row["reason"]: row["example"] for row in report.refused.iter_rows(named=True)}
    if "long" in rows:
        first = rows.index("long") + 2
        assert named["more cells than the header has columns"] == f"nothing in bars.csv, line {first}"


def test_a_cell_of_several_lines_is_named_by_row(tmp_path: Path) -> None:
    body = f'{HEADER},note\n{ROWS[0]},"two\nlines"\n{ROWS[1].replace("101.9", "x")},\n'
    assert refusals(bars_of(tmp_path, body)) == [("close", "not a number", "x in bars.csv, row 2")]


def test_null_values_are_no_numbers_and_no_faults(tmp_path: Path) -> None:
    body = GOOD.replace(",1000\n", ",N/A\n").replace(",2000\n", ",-\n")
    report = bars_of(tmp_path, body, null_values=["N/A", "-"])
    assert (report.rows_written, report.refused.height, report.notes.height) == (2, 0, 0)
    assert stored_bars(tmp_path)["volume"].to_list() == [None, None]


def test_a_text_in_an_optional_figure_is_noted_by_name_and_its_row_kept(tmp_path: Path) -> None:
    report = chain_of(tmp_path, CHAIN_ROW.replace(",1.1,", ",n/a,"))
    assert report.rows_written == 1
    assert report.notes.select("column", "reason", "example").rows() == [
        ("ask", "not a number", "n/a in chain.csv, line 2")
    ]


def test_thousands_are_groups_of_three(tmp_path: Path) -> None:
    body = GOOD.replace("1000", '"1,00"').replace("2000", '"2,000,000"')
    report = bars_of(tmp_path, body, thousands=",")
    assert stored_bars(tmp_path)["volume"].to_list() == [None, 2_000_000.0]
    assert report.notes["example"].to_list() == ["1,00 in bars.csv, line 2"]


def test_a_header_alone_is_no_row_and_said(tmp_path: Path) -> None:
    report = bars_of(tmp_path, f"{HEADER}\n")
    assert (report.rows_read, report.empty) == (0, ("bars.csv",))


OBJECTS = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in ROWS]
NUMBERS = [{**row, **{name: float(row[name]) for name in HEADER.split(",")[2:]}} for row in OBJECTS]


@pytest.mark.parametrize("rows", [OBJECTS, NUMBERS])
@pytest.mark.parametrize(
    ("file", "written"),
    [
        ("bars.jsonl", lambda rows: "\n".join(map(json.dumps, rows)).encode()),
        ("bars.ndjson", lambda rows: ("\n".join(map(json.dumps, rows)) + "\n\n").encode()),
        ("bars.json", lambda rows: json.dumps(rows, indent=1).encode()),
        ("bars.json", lambda rows: json.dumps(rows).encode("utf-16")),
        ("bars.jsonl.gz", lambda rows: gzip.compress("\n".join(map(json.dumps, rows)).encode())),
    ],
)
def test_json_is_a_table(tmp_path: Path, file: str, written: Any, rows: list[dict[str, Any]]) -> None:
    report = bars_of(tmp_path, written(rows), file)
    assert (report.rows_read, report.rows_written) == (2, 2)
    assert stored_bars(tmp_path)["close"].to_list() == CLOSES


def test_json_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bars.zip", "w") as archive:
        archive.writestr("bars.json", json.dumps(NUMBERS))
    assert imported(tmp_path, bars_mapping("bars.zip")).rows_written == 2


def test_lines_that_are_no_objects_are_refused_by_line(tmp_path: Path) -> None:
    lines = [json.dumps(OBJECTS[0]), "{'single': 1}", "[1]", '{"close": 1, "close": 2}', '{"symbol": {"x": 1}}']
    report = bars_of(tmp_path, "\n".join(lines), "bars.jsonl")
    assert report.rows_written == 1
    assert refusals(report) == [
        ("row", "a key stands twice", "nothing in bars.jsonl, line 4"),
        ("row", "no JSON object", "nothing in bars.jsonl, line 2"),
        ("symbol", "no symbol or an impossible one", '{"x": "1"} in bars.jsonl, line 5'),
    ]


def test_an_array_that_is_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bars\.json: Expected a JSON array of objects"):
        bars_of(tmp_path, json.dumps(NUMBERS)[:-9], "bars.json")
    with pytest.raises(SchemaError, match=r"bars\.json, column volume: Expected the source"):
        bars_of(tmp_path, json.dumps([{k: v for k, v in row.items() if k != "volume"} for row in NUMBERS]), "bars.json")


def test_folders_in_folders_and_their_names_are_data(tmp_path: Path) -> None:
    body = GOOD.replace("symbol,", "").replace("ZZA,", "")
    for name in ("AAA", "BBB"):
        path = tmp_path / "in" / "us" / name / "2026" / "bars.csv"
        path.parent.mkdir(parents=True)
        path.write_text(body if name == "AAA" else body.replace("101.9", "?"))
    mapping = bars_mapping("**/bars.csv", file_path=r"(?P<country>\w+)/(?P<symbol>\w+)/\d+/bars[.]csv")
    report = imported(tmp_path / "in", mapping)
    assert refusals(report) == [("close", "not a number", "? in us/BBB/2026/bars.csv, line 3")]
    assert [stored_bars(tmp_path / "in", name).height for name in ("AAA", "BBB")] == [2, 1]
    with pytest.raises(SchemaError, match=r"bars\.csv: Expected a path like x, found us/AAA/2026/bars\.csv"):
        imported(tmp_path / "in", bars_mapping("**/bars.csv", file_path="x"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("bars[12].csv", "bars[12].csv"),
        ("bars?.csv", "bars?.csv"),
        ("a b [x]/bars2.csv", "a b [x]/b*2.csv"),
        ("bars[12].parquet", "bars[12].parquet"),
    ],
)
def test_a_bracket_is_a_bracket(tmp_path: Path, name: str, file: str) -> None:
    bars_of(tmp_path, GOOD.replace("ZZA", "OTHER"), "bars1.csv")
    bars_of(tmp_path, GOOD.replace("ZZA", "OTHER"), "a b x/bars2.csv")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith(".csv"):
        path.write_text(GOOD)
    else:
        pl.read_csv(GOOD.encode()).write_parquet(path)
    report = imported(tmp_path, bars_mapping(file))
    assert report.rows_read == 2
    assert stored_bars(tmp_path)["close"].to_list() == CLOSES


def test_a_file_of_words_of_yaml_and_digits_keeps_its_symbols(tmp_path: Path) -> None:
    names = ["TRUE", "ON", "NO", "20260710", "NULL", "NAN", "1E5"]
    body = "\n".join([HEADER, *(ROWS[0].replace("ZZA", name) for name in names)])
    assert bars_of(tmp_path, body).rows_written == len(names)
    assert [stored_bars(tmp_path, name).height for name in names] == [1] * len(names)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv.bz2", ".feather"])
def test_other_files_are_named_with_those_that_are_read(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SchemaError, match=r"Expected a file ending in \.parquet, \.csv.*found"):
        bars_of(tmp_path, GOOD, f"bars{suffix}")
    with pytest.raises(NoDataError, match=r"Expected a file none\.csv"):
        imported(tmp_path, bars_mapping("none.csv"))


SETTLEMENTS = [
    ("ZZA", "PM"),
    ("BRK.B", "PM"),
    ("VIX", "AM"),
    ("XSP", "PM"),
    ("DJX", "AM"),
    ("SPX", None),
    ("NDX", None),
]


@pytest.mark.parametrize(("symbol", "settlement"), SETTLEMENTS)
def test_settlement_that_no_column_says_is_the_symbol_s_or_refused(
    tmp_path: Path, symbol: str, settlement: str | None
) -> None:
    columns = {target: source for target, source in CHAIN.items() if target != "settlement"}
    report = chain_of(tmp_path, CHAIN_ROW.replace("ZZA", symbol), columns=columns)
    if settlement:
        found = StoreSource(tmp_path / "market").raw_chains(keys((symbol, MONDAY + DAY)))
        assert found["settlement"].to_list() == [settlement]
    else:
        assert [reason for _, reason, _ in refusals(report)] == ["unknown settlement"]
        assert any("an index has both" in hint for hint in report.hints)


def test_a_missing_spot_is_told(tmp_path: Path) -> None:
    report = chain_of(tmp_path, CHAIN_ROW, CHAIN_ROW.replace(",100,2026", ",,2026").replace("ZZA", "ZZB"))
    assert refusals(report) == [("underlying_price", "no price of the underlying", "nothing in chain.csv, line 3")]
    assert "spot" in CHAIN_HEADER
    columns = {target: source for target, source in CHAIN.items() if target != "underlying_price"}
    with pytest.raises(ValueError, match=r"not filled .*underlying_price.*without the price of its underlying"):
        chain_of(tmp_path, CHAIN_ROW, columns=columns)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:50],
        lambda _: b"",
        lambda _: b"PAR1" + bytes(40),
        lambda body: body[:-30] + bytes(22) + body[-8:],
        lambda body: bytes(20) + body[20:],
    ],
    ids=["cut off", "empty", "zeros", "footer", "first page"],
)
def test_a_damaged_parquet_file_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "bars.parquet"
    pl.read_csv(GOOD.encode()).write_parquet(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises((DataError, SchemaError), match=r"bars\.parquet"):
        imported(tmp_path, bars_mapping("bars.parquet"))


def test_a_zip_of_parquet_is_told(tmp_path: Path) -> None:
    pl.read_csv(GOOD.encode()).write_parquet(tmp_path / "x.parquet")
    with zipfile.ZipFile(tmp_path / "bars.zip", "w") as archive:
        archive.write(tmp_path / "x.parquet", "x.parquet")
    with pytest.raises(SchemaError, match=r"bars\.zip: Expected text in the zip, CSV or JSON, found x\.parquet"):
        imported(tmp_path, bars_mapping("bars.zip"))
