"""``gnosis-ray scan``: exit codes, streams, formats, and what is and is not written."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.cli.main import run
from gnosis_ray.config import home
from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.cli.conftest import MANY, Call
from tests.support.scans import assert_same, tables, unbatched

SCAN = ("scan", "--granularity", "inline")
FEW = ("--symbols", "AAPL,MSFT")


def test_a_scan_is_done(call: Call) -> None:
    done = call(*SCAN, *FEW)
    assert done.code == 0
    assert re.search(r"^  2 symbols: 2 done, \d ideas?, 0 failed$", done.err, re.MULTILINE)
    assert len(done.err.splitlines()) <= 6, "the universe, and five lines"
    assert LedgerStore("ledger-synthetic").read("snapshots")["symbol"].to_list() == ["AAPL", "MSFT"]


def test_synthetic_runs_have_a_ledger_of_their_own(call: Call, store: Path) -> None:
    assert call(*SCAN, *FEW).code == 0
    assert not Path("ledger").exists()
    for verb in (("runs", "list"), ("runs", "show"), ("explain", "AAPL")):
        read = call(*verb)
        assert (read.code, "Reading ./ledger-synthetic" in read.err) == (0, True)
    recorded = call(*SCAN, *FEW, "--provider", "store", "--data-dir", store)
    assert recorded.code == 0
    assert LedgerStore("ledger").receipt("latest").provider == "store"
    assert len(LedgerStore("ledger-synthetic").runs()) == 1
    assert "Reading ./ledger\n" in call("runs", "list").err
    synthetic = LedgerStore("ledger-synthetic").receipt("latest").run_id
    assert "Reading ./ledger-synthetic" in call("explain", "AAPL", "--run", synthetic).err
    resumed = call("scan", "--resume", synthetic, "--granularity", "inline")
    assert (resumed.code, "ledger-synthetic" in resumed.err) == (0, True)


def test_symbols_are_spelled_in_one_way_and_counted_once(call: Call) -> None:
    assert call(*SCAN, "--symbols", "brk-b,BRK/B,$AAPL").code == 0
    assert LedgerStore("ledger-synthetic").read("snapshots")["symbol"].to_list() == ["AAPL", "BRK.B"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--universe", "sp50"), "Unknown universe 'sp50'. Nearest: 'sp500'"),
        (("--symbols", "AA PL"), "was 'AA PL'"),
        (("--symbols", "../etc"), "was '../etc'"),
        (("--symbols", "AAPL", "--universe", "sp500"), "Expected --universe or --symbols, was both"),
        (("--resume", "x", "--symbols", "AAPL"), "drop --symbols"),
        (("--as-of", "yesterday"), "Expected a timestamp such as 2026-07-12T12:00:00Z, was 'yesterday'"),
        (("--provider", "bloomberg"), "unknown name 'bloomberg'. Nearest: 'cboe' (of synthetic, store, cboe"),
        (("--top", "-1"), "-1"),
        (("--strategy", "iron_condr"), "unknown strategy 'iron_condr'. Nearest: 'iron_condor'"),
        (("--data-dir", ""), "Expected a folder, was an empty text"),
        (("--nonsense",), "No such option"),
        (("--resume", "nope"), "No run 'nope'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    refused = call(*SCAN, *arguments)
    assert refused.code == 2
    assert refused.out == ""
    assert told in refused.err
    assert "Traceback" not in refused.err
    assert not list(tmp_path.glob("ledger*"))


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("GNOSIS_RAY__RUN__BATCHSIZE", "3", "Nearest: 'run.batch_size'"),
        (
            "GNOSIS_RAY__RUN__BATCH_SIZE",
            "none",
            "run.batch_size (from environment variable GNOSIS_RAY__RUN__B",
        ),
        ("GNOSIS_RAY__RUN__BATCH_SIZE", "0", "run.batch_size (from environment variable GNOSIS_RAY__RUN__B"),
    ],
)
def test_a_wrong_setting_in_the_environment_is_an_error(
    call: Call, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    refused = call(*SCAN, *FEW)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run: [1, 2", "Cannot read settings"),
        ("- a list", "was a list"),
        ("run: {batchsize: 3}", "Unknown setting 'run.batchsize'"),
        (None, "No profile 'mine.yaml'"),
    ],
)
def test_an_unreadable_profile_is_an_error(call: Call, tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "mine.yaml").write_text(text)
    refused = call("--profile", "mine.yaml", *SCAN, *FEW)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err


@pytest.mark.parametrize(("convention", "strategy"), [((1, -1), "long_stock"), ((-1, 1), "short_stock")])
def test_json_parses_and_is_all_there_is_on_stdout(
    convention: tuple[int, int], strategy: str, call: Call, tmp_path: Path
) -> None:
    """Dealers the other way round sell where they bought: an unbounded loss is a word, for JSON knows no infinity."""
    signs = "dealer_call_sign: {}, dealer_put_sign: {}".format(*convention)
    only_stock = "trade: {strategies: [long_stock, short_stock]}"
    (tmp_path / "dealers.yaml").write_text(f"engines: {{hedge: {{{signs}}}}}\n{only_stock}\n")
    done = call("--profile", "dealers.yaml", *SCAN, "--symbols", ",".join(MANY), "--format", "json", "--top", "0")
    rows = json.loads(done.out, parse_constant=pytest.fail)
    ideas = LedgerStore("ledger-synthetic").read("trade_ideas")
    assert len(rows) == ideas.height > 0
    assert {row["symbol"] for row in rows} == set(ideas["symbol"])
    assert strategy in {row["strategy_type"] for row in rows}
    assert all(row["synthetic"] is True and row["as_of"] == "2026-07-10T20:00:00Z" for row in rows)
    assert all((row["max_loss_usd"] == "Infinity") == (row["strategy_type"] == "short_stock") for row in rows)
    assert all(row["cost_usd"] == row["cost_per_unit"] * row["recommended_units"] for row in rows)
    ranks = [(row["score"] is not None, row["score"] or 0.0, row["confidence"]) for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    frame = pl.read_csv(io.StringIO(call("runs", "show", "--format", "csv", "--top", "0").out))
    assert frame["max_loss_usd"].is_infinite().to_list() == (frame["strategy_type"] == "short_stock").to_list()
    table = call("runs", "show", "--top", "0").out
    assert ("unbounded" in table) == (frame["strategy_type"] == "short_stock").any()


@pytest.mark.parametrize("top", [1, 2])
def test_top_keeps_the_surest(call: Call, ledger: Path, top: int) -> None:
    both = [
        json.loads(call("runs", "show", "--out", ledger, "--format", "json", "--top", n).out) for n in ("0", str(top))
    ]
    assert both[1] == both[0][:top]


def test_csv_parses(call: Call, ledger: Path) -> None:
    shown = call("runs", "show", "--out", ledger, "--format", "csv", "--top", "0")
    frame = pl.read_csv(io.StringIO(shown.out))
    assert frame.height == LedgerStore(ledger).read("trade_ideas").height


def test_parquet_reads(ledger: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    capsysbinary.readouterr()
    assert run(["runs", "show", "--out", str(ledger), "--format", "parquet", "--top", "0"]) == 0
    out, err = capsysbinary.readouterr()
    frame = pl.read_parquet(io.BytesIO(out))
    assert frame.height == LedgerStore(ledger).read("trade_ideas").height
    assert b"Run 2" in err


@pytest.mark.parametrize("format_", ["table", "json", "csv"])
def test_made_up_figures_say_so_wherever_they_show(call: Call, ledger: Path, format_: str) -> None:
    """In the table's title, as a column where machines read, and in the talk."""
    shown = call("runs", "show", "--out", ledger, "--format", format_)
    assert "SYNTHETIC" in shown.err
    labels = {"table": "SYNTHETIC market, not real prices", "json": '"synthetic": true', "csv": ",true,"}
    assert labels[format_] in shown.out


def test_a_dry_run_writes_nothing(call: Call, tmp_path: Path) -> None:
    told = call("scan", "--symbols", ",".join(MANY), "--dry-run")
    assert told.code == 0
    assert "SYNTHETIC" in told.out
    assert "30 of list" in told.out
    assert list(tmp_path.iterdir()) == []


def test_a_table_fits_no_more_than_the_ideas_asked_for(call: Call, ledger: Path) -> None:
    shown = call("runs", "show", "--out", ledger, "--top", "2")
    first_cells = [line.split("│")[1].strip() for line in shown.out.splitlines() if line.startswith("│")]
    assert len(first_cells) == 2
    assert set(first_cells) <= set(MANY)


def test_without_a_store_there_is_no_data_and_a_way_to_it(call: Call, tmp_path: Path) -> None:
    missing = call(*SCAN, *FEW, "--provider", "store", "--data-dir", tmp_path / "nowhere")
    assert (missing.code, missing.out) == (4, "")
    assert "gnosis-ray data import" in missing.err
    assert str(tmp_path / "nowhere") in missing.err
    assert call(*SCAN, *FEW, "--provider", "store").code == 4
    assert str(home() / "market") in call(*SCAN, *FEW, "--provider", "store").err


def test_some_failed_symbols_are_exit_code_3(call: Call, store: Path) -> None:
    done = call(*SCAN, "--symbols", "AAPL,MSFT,NOPE", "--provider", "store", "--data-dir", store)
    assert done.code == 3
    assert "3 symbols: 2 done" in done.err
    assert "1 failed (NOPE at load: No chain and no bars known at 2026-07-10T20:00:00Z)" in done.err
    assert "SYNTHETIC" not in done.out + done.err
    failures = call("runs", "show", "--what", "failures", "--format", "json")
    assert json.loads(failures.out) == [
        {
            "symbol": "NOPE",
            "stage": "load",
            "error": "NoDataError",
            "message": "No chain and no bars known at 2026-07-10T20:00:00Z",
            "kind": "no_data",
        }
    ]


def test_before_all_data_there_is_none(call: Call, store: Path) -> None:
    early = call(*SCAN, *FEW, "--provider", "store", "--data-dir", store, "--as-of", "2020-01-02")
    assert early.code == 4
    assert "2 failed" in early.err
    assert "gnosis-ray data list" in early.err
    assert call("runs", "list", "--format", "json").code == 0


def test_the_store_gives_what_the_market_in_it_gives(call: Call, store: Path) -> None:
    """More history than a pass looks back over does not matter."""
    stored_scan = call(*SCAN, *FEW, "--provider", "store", "--data-dir", store, "--out", "stored")
    assert stored_scan.code == 0
    assert call(*SCAN, *FEW, "--out", "direct").code == 0
    assert_same(tables(Path("stored")), tables(Path("direct")))


def test_an_interrupted_scan_is_finished_by_a_resume(call: Call, tmp_path: Path) -> None:
    names = [f"SYNTH{i:02d}" for i in range(36)]
    scan = ["--symbols", ",".join(names), "--granularity", "inline"]
    code = "import sys; from gnosis_ray.cli.main import run; sys.exit(run(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "scan", *scan, "--out", "cut"],
        env=os.environ | {"GNOSIS_RAY__RUN__BATCH_SIZE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("cut/commits/*/*/batch-?????")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    (run_id,) = [path.name.removeprefix("run_id=") for path in tmp_path.glob("cut/commits/*/run_id=*")]
    assert f"gnosis-ray scan --resume {run_id}" in err
    kept = LedgerStore("cut").read("snapshots").height
    assert 0 < kept < len(names)
    assert call("runs", "show", run_id, "--out", "cut").code == 2

    resumed = call(*SCAN, "--resume", run_id, "--out", "cut")
    assert resumed.code == 0
    assert f"Run {run_id}" in resumed.err
    assert call("runs", "show", run_id, "--out", "cut").code == 0
    assert call("scan", *scan, "--out", "whole").code == 0
    assert_same(unbatched(tables(Path("cut"))), unbatched(tables(Path("whole"))))


def test_brackets_in_a_path_or_a_message_are_brackets(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "[bold]odd[" / "[/x]"
    assert f"ledger: {out}" in call(*SCAN, *FEW, "--out", out).err
    assert f"No run in {out.parent}" in call("runs", "list", "--out", out.parent).err
    assert "Unknown run '[/x]'" in call("runs", "show", "[/x]", "--out", out).err
