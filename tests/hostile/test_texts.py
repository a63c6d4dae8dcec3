"""Texts of others on their way to terminals, CSV, JSON and ledgers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.api import live
from gnosis_ray.api.console_observer import ConsoleObserver, PlainConsole
from gnosis_ray.cli.console import emit
from gnosis_ray.cli.main import run
from gnosis_ray.config import Config
from gnosis_ray.errors import DataError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.plain_text import plain_lines, plain_text
from gnosis_ray.report.serialization import csv_text, json_text
from gnosis_ray.schemas.core_schemas import Suggestion
from gnosis_ray.schemas.run_schemas import Failure
from tests.support.clocks import SimulatedTime
from tests.support.replay import ReplayResponse, serving

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
EVIL = "\x1b]0;owned\x07=cmd|' /C calc'!A0 \\[/x] [/x] [bold]b[/bold] :smile: \x9b2J \u202egpj.exe\r\n@next"

Call = Callable[..., tuple[int, str, str]]

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\x1b\x9b\r\n\t\u202e[]/\\=+-@"))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def calling(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return calling


def test_an_error_of_a_vendor_reaches_every_output_as_plain_text(
    call: Call, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "TIME", SimulatedTime(config.data.synthetic.as_of + timedelta(minutes=15)))
    monkeypatch.setenv("GNOSIS_RAY__GATEWAY__ATTEMPTS", "1")
    with serving(lambda _: ReplayResponse(422, EVIL.encode(), "text/plain")) as vendor:
        monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__BASE_URL", vendor.url)
        code, _, err = call("scan", "--provider", "cboe", "--symbols", "AAPL", "--granularity", "inline")
    assert code != 1, err
    assert "calc" in err
    assert not OBEYED.search(err)
    for format_ in ("table", "csv", "json"):
        code, out, err = call("runs", "show", "--what", "failures", "--format", format_)
        assert code == 0, err
        assert r"\[/x]" in (out.replace("\\\\", "\\") if format_ == "json" else out)
        assert not OBEYED.search(out + err)
    failure = LedgerStore("ledger").receipt("latest").failures[0]
    assert failure.message == plain_text(failure.message)
    stored = pl.concat(pl.read_parquet(path) for path in Path("ledger").rglob("failures/**/*.parquet"))
    assert not any(OBEYED.search(text) for text in stored["message"])


@given(TEXTS)
def test_a_table_shows_a_text_as_it_is(text: str) -> None:
    console = PlainConsole(file=io.StringIO(), width=400, highlight=False, emoji=False, force_terminal=True)
    console.print(plain_text(text), markup=False)
    assert isinstance(console.file, io.StringIO)
    assert not OBEYED.search(console.file.getvalue())


@pytest.mark.parametrize("text", [r"\[/x]", "[/x]", "[bold]x", "x\\", ":smile:", "[link=http://x]y[/link]"])
def test_no_markup_of_a_text_is_obeyed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    emit(pl.DataFrame({"text": [text, "second"], "n": [1, 2]}), "table", title=text)
    shown = capsys.readouterr().out
    assert shown.count(text) == 2
    observer = ConsoleObserver(PlainConsole(file=io.StringIO(), force_terminal=True, markup=False, width=200))
    with observer.progress(text, 1) as step:
        step(text, 1, 1)


def test_a_console_writes_no_escape_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    emit(pl.DataFrame({"text": [EVIL]}), "table", title=EVIL)
    assert not OBEYED.search(capsys.readouterr().out)


@given(TEXTS)
def test_no_cell_of_csv_begins_a_formula(text: str) -> None:
    body = csv_text(pl.DataFrame({"a": [text, "x"], "l": [[text], ["x"]], "n": [-1.5, 2.0]}))
    first = next(iter(csv.DictReader(io.StringIO(body))))
    for cell in (first["a"], first["l"]):
        assert not OBEYED.search(cell)
        if cell.lstrip().startswith(tuple("=+-@")):
            float(cell)
    assert first["n"] == "-1.5"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("-5", "-5"),
        ("+1.5e3", "+1.5e3"),
        ("-0.25 of it", "'-0.25 of it"),
        ("plain = text", "plain = text"),
    ],
)
def test_numbers_stay_numbers_and_formulas_become_texts(text: str, cell: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_text(pl.DataFrame({"a": [text]}))))
    assert row["a"] == cell


@given(TEXTS)
def test_json_loses_nothing_and_obeys_nothing(text: str) -> None:
    body = json_text({"text": text})
    assert json.loads(body)["text"] == text
    assert not OBEYED.search(body)


@given(TEXTS)
def test_plain_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    plain = plain_text(text)
    assert plain_text(plain) == plain
    assert len(plain.splitlines()) <= 1
    assert not OBEYED.search(plain)
    assert plain_lines(text).count("\n") == text.count("\n")


def test_errors_failures_and_stances_hold_plain_text() -> None:
    assert DataError(EVIL).message == plain_lines(EVIL)
    failure = Failure.of(ValueError(EVIL), symbol="AAPL", stage="engine.hedge")
    assert failure.message == plain_text(EVIL)
    assert Failure.quarantined("AAPL", EVIL).message == plain_text(EVIL)
    stance = Suggestion(id="1", layer="mine", symbol="AAPL", action="flat", confidence=0.1, reasoning=EVIL, tags=[EVIL])
    assert (stance.reasoning, stance.tags) == (plain_text(EVIL), [plain_text(EVIL)])
