"""What commands say where they end early, and what tables keep on a narrow terminal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import gnosis_ray as gr
from gnosis_ray.cli.console import emit
from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError, UniverseError
from tests.cli.conftest import MANY, Call

INLINE = ("--granularity", "inline", "--symbols", "AAPL")


def test_a_misspelt_command_is_told_the_nearest(call: Call) -> None:
    done = call("scna")
    assert (done.code, done.out) == (2, "")
    assert "Unknown command 'scna'. Nearest: 'scan'" in done.err


def test_a_moment_before_option_markets_is_told_the_years(call: Call) -> None:
    done = call("scan", *INLINE, "--as-of", "1900-01-01")
    assert (done.code, done.out) == (2, "")
    assert "--as-of': Expected a timestamp of the years 1990 to 2100, was '1900-01-01'" in done.err


def test_a_cluster_that_nothing_would_run_on_is_refused(call: Call) -> None:
    done = call("scan", *INLINE, "--address", "10.0.0.1:6379")
    assert (done.code, done.out) == (2, "")
    assert "Granularity inline works without Ray: drop --address 10.0.0.1:6379, or inline" in done.err


def test_an_unknown_calendar_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    from gnosis_ray.app.sources import build_calendar

    monkeypatch.setattr("gnosis_ray.api.run_flow.build_calendar", build_calendar)
    monkeypatch.setenv("GNOSIS_RAY__MARKET__CALENDAR", "XNYC")
    done = call("scan", *INLINE)
    assert (done.code, done.out) == (2, "")
    assert "market.calendar: Expected the name of an exchange's calendar, was 'XNYC'. Nearest: 'XNYS'" in done.err


def test_a_page_is_written_into_a_folder_that_was_not_there(call: Call, ledger: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "of" / "today.html"
    assert call("explain", MANY[0], "--out", ledger, "--html", page).code == 0
    assert "<html" in page.read_text(encoding="utf-8")


def test_eighty_columns_break_no_word_and_keep_the_maximum_loss(
    call: Call, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = call("runs", "show", "--top", "5", "--out", ledger, "--format", "json")
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (("runs", "list"), ("runs", "show", "--top", "5")):
        lines = call(*arguments, "--out", ledger).out.splitlines()
        assert max(map(len, lines)) <= 80
        assert not any("…" in line for line in lines)
    shown = call("runs", "show", "--top", "5", "--out", ledger).out
    assert "max loss $" in shown
    words = set(shown.split())
    for idea in json.loads(wide.out):
        assert set(idea["trade"].split()) <= words
        assert f"{idea['max_loss_usd']:,.0f}" in words


def test_a_text_is_wrapped_between_words_and_a_figure_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    frame = pl.DataFrame({"why": ["a reason of many words that is far too long"], "figure": [1234567.0]})
    emit(frame, "table", "Reasons")
    shown = capsys.readouterr().out
    assert set(frame["why"][0].split()) <= set(shown.split())
    assert "1,234,567.00" in shown
    assert max(map(len, shown.splitlines())) <= 40


def test_a_backfill_counts_its_rows_and_says_when_it_added_nothing(call: Call) -> None:
    days = ("--start", "2026-07-01", "--end", "2026-07-02")
    first = call("data", "backfill", *INLINE, *days, "--out", "ledger")
    assert first.code == 0, first.err
    assert "values added to the history; it had 0 of them already." in first.err
    again = call("data", "backfill", *INLINE, *days, "--out", "ledger")
    assert "already: nothing was added." in again.err
    listed = json.loads(call("runs", "list", "--out", "ledger", "--format", "json").out)
    assert [(run["kind"], run["rows"], run["snapshots"]) for run in listed] == [("backfill", 2, 0)] * 2


def test_a_manifest_whose_format_is_none_is_damaged_not_newer(call: Call, ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ledger, copy)
    (manifest,) = copy.glob("manifests/**/manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": "two"}))
    done = call("runs", "list", "--out", copy, "--format", "json")
    assert (done.code, json.loads(done.out)[0]["status"]) == (6, "unreadable")
    assert "Expected a format, a whole number such as 1, was 'two'" in done.err


@pytest.mark.parametrize("body", ["", "{", "[2]", '{"format": "2"}'])
def test_a_store_whose_format_is_damaged_is_6(call: Call, store: Path, tmp_path: Path, body: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    (copy / "format.json").write_text(body)
    done = call("scan", *INLINE, "--provider", "store", "--data-dir", copy)
    assert (done.code, done.out) == (6, "")
    assert "Expected" in done.err


def test_changed_settings_name_only_what_there_is(config: Config) -> None:
    for changes, nearest in (
        ({"data": {"provider": "stroe"}}, "'store'"),
        ({"agents": {"enabled": ["hegde"]}}, "'hedge'"),
        ({"trade": {"strategies": ["iron_condr"]}}, "'iron_condor'"),
    ):
        with pytest.raises(ConfigError, match=f"unknown name '.*'. Nearest: {nearest}"):
            config.replaced(**changes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": [1]}, "settings: Expected values by dotted key"),
        ({"settings": {1: 2}}, "settings: Expected values by dotted key"),
        ({"symbols": 5}, "symbols: Expected symbols as text, such as"),
        ({"symbols": [5]}, "symbols: Expected symbols as text, such as"),
        ({"as_of": 5}, "as_of: Expected a timestamp such as"),
        ({"as_of": "1900-01-01"}, "as_of: Expected a moment of the years 1990 to 2100"),
        ({"out": 5}, "Expected a folder or s3://bucket/prefix, was 5"),
        ({"address": "10.0.0.1:6379"}, "Granularity inline works without Ray"),
    ],
)
def test_python_is_told_the_same(arguments: dict[str, object], message: str) -> None:
    given = {"symbols": "AAPL", "granularity": "inline", "out": "new", **arguments}
    with pytest.raises(ConfigError, match=message):
        gr.scan(**given)  # type: ignore[arg-type]
    assert not Path("new").exists()


def test_what_is_no_name_of_a_universe_is_refused_in_python() -> None:
    with pytest.raises(UniverseError, match="a file, or a list such as AAPL,MSFT, was 5"):
        gr.universe(5)  # type: ignore[arg-type]
    for call in (lambda: gr.load_config(settings=[1]), lambda: gr.open_ledger(5)):  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="Expected"):
            call()
