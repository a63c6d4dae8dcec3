"""What a file to import may hold: so many bytes when it is unpacked, so many rows, and plain text."""

from __future__ import annotations

import bz2
import gzip
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.data.importing import ImportMapping, ImportReport, import_dataset
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.errors import DataError, SchemaError
from gnosis_ray.market.calendar import SessionCalendar

MOST_MIB = 8
HEADER = b"symbol,timestamp,headline\n"
ROW = b"AAPL,2026-07-09T15:00:00Z,word\n"
BOMB = HEADER + (b" " * 1023 + b"\n") * (64 << 10)


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__DATA__FILES__MAX_MIB", str(MOST_MIB))
    monkeypatch.setenv("GNOSIS_RAY__DATA__FILES__MAX_ROWS", "1000")


def imported(folder: Path, name: str) -> ImportReport:
    columns = {"symbol": "symbol", "timestamp": "timestamp", "headline": "headline"}
    constants = {"body": None, "source": "wire"}
    table = {"file": name, "kind": "news", "known_at": "event", "columns": columns, "constants": constants}
    mapping = ImportMapping.model_validate({"name": "news", "about": "made up", "tables": [table]})
    calendar = SessionCalendar.build("XNYS", date(2026, 6, 1), date(2026, 12, 31))
    return import_dataset(folder, mapping, StoreWriter(folder / "market"), calendar)


def zipped(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("news.csv", content)


def zipped_with_a_lie(path: Path) -> None:
    """A zip whose directory says that it holds twenty bytes."""
    zipped(path, BOMB)
    body, size = path.read_bytes(), struct.pack("<I", len(BOMB))
    assert body.count(size) == 2
    path.write_bytes(body.replace(size, struct.pack("<I", 20)))


def parquet(path: Path, rows: int) -> None:
    news = pl.DataFrame({"symbol": ["AAPL"], "timestamp": ["2026-07-09T15:00:00Z"], "headline": ["word" * 1000]})
    pl.concat([news] * rows).write_parquet(path)


ROWS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "64 MiB, gzipped": ("news.csv.gz", lambda path: path.write_bytes(gzip.compress(BOMB)), r"data\.files\.max_mib"),
    "64 MiB, gzipped in two members": (
        "news.csv.gz",
        lambda path: path.write_bytes(gzip.compress(BOMB[: 6 << 20]) + gzip.compress(BOMB)),
        r"data\.files\.max_mib",
    ),
    "64 MiB, zipped": ("news.zip", lambda path: zipped(path, BOMB), r"data\.files\.max_mib"),
    "64 MiB, zipped, with a lie about it": ("news.zip", zipped_with_a_lie, r"data\.files\.max_mib|Cannot read"),
    "64 MiB, plain": ("news.csv", lambda path: path.write_bytes(BOMB), r"data\.files\.max_mib"),
    "a zip of bzip2": ("news.zip", lambda path: zipped(path, HEADER + ROW, zipfile.ZIP_BZIP2), "packed by deflate"),
    "bzip2 under the name of gzip": (
        "news.csv.gz",
        lambda path: path.write_bytes(bz2.compress(HEADER + ROW)),
        "Cannot read",
    ),
    "a line of 64 MiB": (
        "news.csv.gz",
        lambda path: path.write_bytes(gzip.compress(HEADER + b" " * (64 << 20))),
        "lines of at most 4,194,304 bytes",
    ),
    "a cell of 3 MiB": (
        "news.csv.gz",
        lambda path: path.write_bytes(gzip.compress(HEADER + b" " * (3 << 20))),
        "column symbol: Expected texts of up to 1,048,576 bytes, found 3,145,728",
    ),
    "rows, plain": ("news.csv", lambda path: path.write_bytes(HEADER + ROW * 1001), r"data\.files\.max_rows"),
    "rows, zipped": ("news.zip", lambda path: zipped(path, HEADER + ROW * 1001), r"data\.files\.max_rows"),
    "rows of Parquet": ("news.parquet", lambda path: parquet(path, 1001), r"data\.files\.max_rows"),
}
"""Name of the file, how it is made, what the error says."""


@pytest.mark.parametrize("row", ROWS)
def test_a_file_is_refused_by_the_name_of_what_it_exceeds(row: str, tmp_path: Path) -> None:
    name, make, said = ROWS[row]
    make(tmp_path / name)
    with pytest.raises(DataError, match=said) as told:
        imported(tmp_path, name)
    assert name in str(told.value)
    assert not (tmp_path / "market").exists()


def test_a_parquet_file_is_as_large_as_its_footer_says(tmp_path: Path) -> None:
    rows = 900
    news = pl.DataFrame(
        {"symbol": ["AAPL"] * rows, "timestamp": [f"2026-07-09T15:00:{i % 60:02d}Z" for i in range(rows)]}
    )
    texts = pl.Series("headline", [f"{i:06d}" * 3000 for i in range(rows)])
    news.with_columns(texts).write_parquet(tmp_path / "news.parquet", compression="zstd")
    assert (tmp_path / "news.parquet").stat().st_size < MOST_MIB << 20
    with pytest.raises(DataError, match=r"data\.files\.max_mib"):
        imported(tmp_path, "news.parquet")


def test_as_much_as_is_allowed_is_read(tmp_path: Path) -> None:
    (tmp_path / "news.csv.gz").write_bytes(gzip.compress(HEADER) + gzip.compress(ROW * 1000))
    assert imported(tmp_path, "news.csv.gz").rows_read == 1000


def test_texts_are_stored_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    rows = 'AAPL,2026-07-09T15:00:00Z,"\x1b]0;owned\x07up \x9b2J3%\r\nnow \u202egpj"\n'
    (tmp_path / "news.csv").write_bytes(HEADER + rows.encode())
    assert imported(tmp_path, "news.csv").rows_written == 1
    (stored,) = (tmp_path / "market").rglob("part-*.parquet")
    assert pl.read_parquet(stored)["headline"].to_list() == ["]0;ownedup 2J3% now gpj"]


def test_a_symbol_with_a_control_character_is_none(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_bytes(HEADER + ROW + b"AA\x1bPL,2026-07-09T15:00:01Z,word\n")
    report = imported(tmp_path, "news.csv")
    assert (report.rows_written, report.refused["rows"].sum()) == (1, 1)
    assert all(text.isprintable() for text in report.summary()["example"].to_list())


def test_errors_quote_no_control_characters(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_bytes(b"symbol,times\x1b[2Jtamp,headline\n" + ROW)
    with pytest.raises(SchemaError) as told:
        imported(tmp_path, "news.csv")
    assert "times[2Jtamp" in str(told.value)
