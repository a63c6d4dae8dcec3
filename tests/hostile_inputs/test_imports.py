"""Imported files, a grid: each column absent, empty, of another type or unit, huge, negative, NaN, and so on.

A row of the table is one file with a good row and a bad one. Whatever the fault, the good row is stored, every row is
accounted for, and what is wrong is said with file, line, column and value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gnosis_ray.data.importing import ImportReport
from gnosis_ray.errors import GnosisError
from gnosis_ray.exit_codes import ExitCode
from tests.data.importing.sources import CHAIN_HEADER, CHAIN_ROW, HEADER, ROWS, bars_of, chain_of

ABSENT = "absent"
"""Not a cell: the column is missing from the file."""

NO_SYMBOL = "no symbol or an impossible one"
NO_TIME, NO_DATE, NO_NUMBER, TOO_LARGE = "unreadable time", "unreadable date", "not a number", "impossibly large"
NO_POSITIVE, NO_SESSION, NO_SPOT = "not positive", "no session on that date", "no price of the underlying"
REFUSED, NOTED, STORED, ERROR = "refused", "noted", "stored", "error"

FILES = {"bars": ("bars.csv", HEADER, ROWS[0]), "chains": ("chain.csv", CHAIN_HEADER, CHAIN_ROW)}
TARGETS = {"date": "timestamp", "time": "event_time", "spot": "underlying_price", "interest": "open_interest"}
TARGETS |= {"iv": "vendor_iv"}


@dataclass(frozen=True)
class Case:
    """A cell of a column that is wrong in its way, and what has to be said of it (``words``: the reason, or of it)."""

    kind: str
    column: str
    fault: str
    cell: str
    verdict: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.column}-{self.fault}-{self.cell[:12]}"


def price(kind: str, column: str, empty: str = NO_NUMBER) -> list[Case]:
    """The faults of a price that a row cannot do without."""
    return [
        Case(kind, column, ABSENT, ABSENT, ERROR, f"column {column}: Expected the source"),
        Case(kind, column, "empty", "", REFUSED, empty),
        Case(kind, column, "wrong type", "dear", REFUSED, NO_NUMBER),
        Case(kind, column, "wrong type", "2026-07-06", REFUSED, NO_NUMBER),
        Case(kind, column, "wrong unit", "100.5 USD", REFUSED, NO_NUMBER),
        Case(kind, column, "wrong unit", "1e12", REFUSED, TOO_LARGE),
        Case(kind, column, "huge", "1e308", REFUSED, TOO_LARGE),
        Case(kind, column, "huge", "1e400", REFUSED, NO_NUMBER),
        Case(kind, column, "negative", "-100.5", REFUSED, NO_POSITIVE),
        Case(kind, column, "zero", "0", REFUSED, NO_POSITIVE),
        Case(kind, column, "NaN", "NaN", REFUSED, NO_NUMBER),
        Case(kind, column, "infinite", "-inf", REFUSED, NO_NUMBER),
        Case(kind, column, "unicode", "１００", REFUSED, NO_NUMBER),
        Case(kind, column, "hostile", "=1+1", REFUSED, NO_NUMBER),
    ]


def figure(kind: str, column: str, negative: str) -> list[Case]:
    """The faults of a figure that may be unknown."""
    return [
        Case(kind, column, ABSENT, ABSENT, ERROR, f"column {column}: Expected the source"),
        Case(kind, column, "empty", "", STORED, ""),
        Case(kind, column, "wrong type", "many", NOTED, NO_NUMBER),
        Case(kind, column, "wrong unit", "1.2M", NOTED, NO_NUMBER),
        Case(kind, column, "huge", "1e22", REFUSED, TOO_LARGE),
        Case(kind, column, "negative", "-1", negative, "negative"),
        Case(kind, column, "NaN", "nan", NOTED, NO_NUMBER),
        Case(kind, column, "infinite", "inf", NOTED, NO_NUMBER),
        Case(kind, column, "unicode", "∞", NOTED, NO_NUMBER),
        Case(kind, column, "hostile", "<b>1</b>", NOTED, NO_NUMBER),
    ]


def moment(kind: str, column: str, verdict: str, unreadable: str) -> list[Case]:
    """The faults of a date or time that a row cannot do without."""
    return [
        Case(kind, column, ABSENT, ABSENT, ERROR, f"column {column}: Expected the source"),
        Case(kind, column, "empty", "", verdict, unreadable),
        Case(kind, column, "wrong type", "Monday", verdict, unreadable),
        Case(kind, column, "wrong type", "09:30", verdict, unreadable),
        Case(kind, column, "wrong unit", "1783368000", verdict, unreadable),
        Case(kind, column, "huge", "99999-07-06", verdict, unreadable),
        Case(kind, column, "negative", "-2026-07-06", verdict, unreadable),
        Case(kind, column, "NaN", "NaT", verdict, unreadable),
        Case(kind, column, "unicode", "二〇二六年七月六日", verdict, unreadable),
        Case(kind, column, "contradictory", "07/06/2026", verdict, unreadable),
        Case(kind, column, "contradictory", "2026-02-30", verdict, unreadable),
        Case(kind, column, "hostile", "$(date)", verdict, unreadable),
    ]


def symbol(kind: str) -> list[Case]:
    """The faults of a symbol."""
    return [
        Case(kind, "symbol", ABSENT, ABSENT, ERROR, "column symbol: Expected the source"),
        Case(kind, "symbol", "empty", "", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "wrong type", "1.5.7", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "wrong unit", "ZZB US Equity", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "huge", "Z" * 40, REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "unicode", "ÄPFEL", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "contradictory", "^DJT", REFUSED, "an index that is not declared"),
        Case(kind, "symbol", "hostile", "../../etc", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "hostile", "\x1b[31mZZB", REFUSED, NO_SYMBOL),
        Case(kind, "symbol", "a word", "TRUE", STORED, ""),
    ]


CASES = [
    *symbol("bars"),
    *moment("bars", "date", REFUSED, NO_TIME),
    Case("bars", "date", "wrong day", "2026-07-04", REFUSED, NO_SESSION),
    *price("bars", "close"),
    Case("bars", "high", "contradictory", "1", REFUSED, "high below low"),
    Case("bars", "close", "contradictory", "500", NOTED, "outside low to high"),
    *figure("bars", "volume", REFUSED),
    *symbol("chains"),
    *moment("chains", "time", REFUSED, NO_TIME),
    Case("chains", "time", "wrong unit", "2026-07-06", REFUSED, "a date without a time of day"),
    Case("chains", "time", "wrong unit", "2026-07-06 15:00", NOTED, "naive time read as UTC"),
    *moment("chains", "expiry", REFUSED, NO_DATE),
    Case("chains", "expiry", "contradictory", "2026-06-19", REFUSED, "expired before the snapshot"),
    *price("chains", "spot", NO_SPOT),
    *price("chains", "strike"),
    Case("chains", "type", "empty", "", REFUSED, "unknown side"),
    Case("chains", "type", "wrong type", "1", REFUSED, "unknown side"),
    Case("chains", "type", "wrong unit", "call", REFUSED, "unknown side"),
    Case("chains", "type", "unicode", "С", REFUSED, "unknown side"),
    Case("chains", "settlement", "empty", "", REFUSED, "unknown settlement"),
    Case("chains", "settlement", "wrong unit", "morning", REFUSED, "unknown settlement"),
    *figure("chains", "bid", NOTED),
    Case("chains", "bid", "contradictory", "9", NOTED, "crossed: ask below bid"),
    *figure("chains", "interest", NOTED),
    *figure("chains", "iv", NOTED),
]


def imported(case: Case, folder: Path) -> ImportReport:
    """The import of a file with a good row, in line 2, and the bad one, in line 3."""
    _, header, row = FILES[case.kind]
    names, cells = header.split(","), dict(zip(header.split(","), row.split(","), strict=True))
    bad = cells | ({} if case.column == "symbol" else {"symbol": "BAD"}) | {case.column: case.cell}
    if case.cell == ABSENT:
        names = [name for name in names if name != case.column]
    quoted = [f'"{bad[name]}"' if "," in bad[name] else bad[name] for name in names]
    lines = [",".join(names), ",".join(cells[name] for name in names), ",".join(quoted)]
    if case.kind == "bars":
        return bars_of(folder, "\n".join(lines))
    return chain_of(folder, *lines[1:], header=lines[0])


def found(report: ImportReport, verdict: str) -> Iterator[tuple[str, str, str]]:
    findings = report.refused if verdict == REFUSED else report.notes
    yield from findings.select("column", "reason", "example").rows()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_is_said_and_nothing_else_is_lost(case: Case, tmp_path: Path) -> None:
    file = FILES[case.kind][0]
    if case.verdict == ERROR:
        with pytest.raises(GnosisError, match=rf"{file}, {case.words}") as caught:
            imported(case, tmp_path)
        assert caught.value.exit_code in (ExitCode.USAGE, ExitCode.NO_DATA)
        assert not list(tmp_path.rglob("part-*"))
        return
    report = imported(case, tmp_path)
    refused = 1 if case.verdict == REFUSED else 0
    assert (report.rows_read, report.rows_written, report.refused["rows"].sum()) == (2, 2 - refused, refused)
    if case.verdict == STORED:
        assert report.notes.is_empty()
        return
    target = TARGETS.get(case.column, case.column)
    shown = case.cell or "nothing"
    named = {(column, reason): example for column, reason, example in found(report, case.verdict)}
    column = "ask" if case.words.startswith("crossed") else target  # which of the two is wrong is not known
    example = named.get((column, case.words), str(named))
    assert example.endswith(f" in {file}, line 3")
    if column == target and "\x1b" not in shown:
        assert example.startswith(shown)


def test_the_grid_is_whole() -> None:
    """Every column of both files is in it, most in a dozen ways."""
    columns = {(case.kind, case.column) for case in CASES}
    assert {("bars", name) for name in ("symbol", "date", "close", "volume")} <= columns
    assert {("chains", name) for name in CHAIN_HEADER.split(",") if name not in ("ask", "last", "volume")} <= columns
    assert len(CASES) == len({str(case) + case.cell for case in CASES}) > 100
