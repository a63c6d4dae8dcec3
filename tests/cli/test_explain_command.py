"""``gnosis-ray explain``: the story of a scanned symbol, in the terminal, for machines, as a page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gnosis_ray.app.features import ENGINE_FEATURES
from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.cli.conftest import MANY, Call

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = sorted({spec.name for specs in ENGINE_FEATURES.values() for spec in specs})


def test_the_terminal_tells_everything(call: Call, ledger: Path) -> None:
    told = call("explain", MANY[0].lower(), "--out", ledger)
    assert told.code == 0
    assert [name for name in NAMES if name not in told.out] == []
    for heading in (
        "SYNTHETIC",
        "Summary",
        "Confidence of each engine",
        "Volume by price",
        "Stances",
        "Trades",
    ):
        assert heading in told.out


def test_machines_get_the_same_story(call: Call, ledger: Path) -> None:
    told = call("explain", MANY[1], "--out", ledger, "--format", "json")
    report = json.loads(told.out)
    record = LedgerStore(ledger).entry("latest", MANY[1]).record
    assert record is not None
    assert (told.code, report["symbol"], report["synthetic"]) == (0, MANY[1], True)
    hedge = {r["name"]: r["value"] for r in report["engines"][0]["features"] if r["value"] is not None}
    assert hedge == record.snapshot.hedge
    assert report["composite"]["action"] == record.composite_suggestion.action


def test_the_page_is_whole_and_fetches_nothing(call: Call, ledger: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "story.html"
    page.parent.mkdir()
    page.write_text("of an earlier run")
    told = call("explain", MANY[0], "--out", ledger, "--html", page)
    body = page.read_text()
    assert told.code == 0
    assert [name for name in NAMES if f"<code>{name}</code>" not in body] == []
    assert "SYNTHETIC MARKET" in body
    assert "<script" not in body
    assert not re.search(r"https?:|(?:src|href)=\"(?!data:image/svg)", body)
    assert list(page.parent.iterdir()) == [page]


def test_the_terminal_does_not_import_the_libraries_of_the_page() -> None:
    script = "import gnosis_ray.cli.explain, sys; print(*{'jinja2', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_a_copied_ledger_explains_itself_without_the_market(
    call: Call, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traded = LedgerStore(ledger).read("trade_ideas", "latest")["symbol"][0]
    at_home = call("explain", traded, "--out", ledger, "--format", "json").out
    copy, page, bare = tmp_path / "elsewhere", tmp_path / "page.html", tmp_path / "bare"
    shutil.copytree(ledger, copy)
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(bare))
    explained = call("explain", traded, "--out", copy, "--format", "json", "--html", page)
    assert (explained.code, explained.out) == (0, at_home)
    report = json.loads(explained.out)
    assert (len(report["bars"]), report["missing"]) == (60, [])
    assert all(report[part] for part in ("headlines", "considered", "energy"))
    assert all(idea["payoff"]["lines"] for idea in report["ideas"])
    assert all(leg["quote"]["bid"] for idea in report["ideas"] for leg in idea["legs"] if leg["leg"]["expiry"])
    assert "Payoff of the" in page.read_text()
    assert not bare.exists()


def test_a_market_store_that_is_gone_is_not_missed(call: Call, store: Path, tmp_path: Path) -> None:
    market, out = tmp_path / "market", tmp_path / "ledger"
    shutil.copytree(store, market)
    scan = ("scan", "--symbols", "AAPL", "--granularity", "inline", "--provider", "store", "--data-dir", market)
    assert call(*scan, "--out", out).code == 0
    shutil.rmtree(market)
    explained = call("explain", "AAPL", "--out", out, "--format", "json", "--html", tmp_path / "page.html")
    report = json.loads(explained.out)
    assert (explained.code, len(report["bars"]), report["missing"]) == (0, 60, [])
    assert report["considered"]
    assert not market.exists()


def test_a_ledger_of_format_1_says_what_it_lacks(call: Call, tmp_path: Path) -> None:
    recorded = FIXTURES / "format_1" / "ledger"
    symbol = LedgerStore(recorded).read("trade_ideas")["symbol"][0]
    page = tmp_path / "page.html"
    explained = call("explain", symbol, "--out", recorded, "--html", page)
    assert explained.code == 0
    absent = (
        "the outcome of each strategy, the quotes of legs, payoffs before expiry, the curve of energies, daily bars"
    )
    assert f"did not write it: {absent} and headlines." in explained.err
    assert "Units and meanings of features are not in this ledger." in explained.err
    assert "gamma_pressure" in explained.out
    assert "Payoff of the" in page.read_text()
    assert "did not write it" in page.read_text()


def test_a_narrow_terminal_cuts_no_bar(call: Call, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = call("explain", MANY[0], "--out", ledger).out.splitlines()
    assert max(map(len, lines)) <= 80
    figures = [line for line in lines if "█" in line]
    assert figures
    assert all(re.search(r"[$%]|m$|k$", line) for line in figures)


def test_what_is_not_there_is_said(call: Call, ledger: Path) -> None:
    stranger = call("explain", "SYN99", "--out", ledger)
    assert stranger.code == 4
    assert f"Not among the {len(MANY)} symbols" in stranger.err
    assert "Nearest: 'SYN" in stranger.err
    nowhere = call("explain", "AAPL", "--out", "empty")
    assert nowhere.code == 2
    assert "gnosis-ray scan" in nowhere.err
    assert call("explain", "../etc", "--out", ledger).code == 2
    assert call("explain", MANY[0], "--out", ledger, "--run", "1999").code == 2


def test_a_page_needs_a_name(call: Call, ledger: Path) -> None:
    for nameless in ("", "."):
        refused = call("explain", MANY[0], "--out", ledger, "--html", nameless)
        assert (refused.code, refused.out) == (2, "")
        assert "--html" in refused.err


def test_a_symbol_of_an_earlier_run_is_found(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    for symbol in ("SYN00", "SYN01"):
        assert call("scan", "--symbols", symbol, "--granularity", "inline", "--out", out).code == 0
    latest, earlier = LedgerStore(out).runs()
    missed = call("explain", "SYN00", "--out", out)
    assert missed.code == 4
    assert f"Not among the 1 symbol of run {latest.run_id}" in missed.err
    assert f"add --run {earlier.run_id}" in missed.err
    assert call("explain", "SYN00", "--out", out, "--run", earlier.run_id).code == 0
