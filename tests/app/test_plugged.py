"""Plug-ins that break their contracts: found before a run where that can be, else the named failure of a symbol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.cli.main import run
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ProviderError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass
from tests.support.offered_plugins import install

NAMED: dict[str, dict[str, Any]] = {
    "agents": {"agents": {"enabled": ["hedge", "mine"]}, "composer": {"weights": {"primary_hedge": 1, "mine": 1}}},
    "processors": {"engines": {"sentiment": {"processors": ["flow", "mine"]}}},
    "providers": {"data": {"provider": "mine"}},
    "strategies": {"trade": {"strategies": ["long_call", "mine"]}},
}
SYMBOLS = ["AAA", "BBB", "CCC"]

FACTORIES: dict[str, tuple[str, str]] = {
    "exits when imported": ("raise SystemExit(7)", "cannot be imported: SystemExit: 7"),
    "interrupts when imported": ("raise KeyboardInterrupt", "cannot be imported: KeyboardInterrupt"),
    "is no Python": ("def make(:", "cannot be imported: SyntaxError"),
    "exits when called": ("def make(*_): raise SystemExit(7)", "cannot be made: SystemExit: 7"),
    "interrupts when called": ("def make(*_): raise KeyboardInterrupt", "cannot be made: KeyboardInterrupt"),
    "takes nothing": ("def make(): ...", "cannot be made: TypeError"),
    "returns nothing": ("def make(*_): ...", "Expected a "),
    "returns a class": ("class Mine: ...\ndef make(*_): return Mine", "Expected a "),
    "exits when looked at": (
        "class Mine:\n    def __getattr__(self, name): raise SystemExit(7)\ndef make(*_): return Mine()",
        "Expected a StrategySpec|cannot be made: SystemExit: 7",
    ),
}


def settings(folder: Path, kind: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(NAMED[kind]))
    return path


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("name", FACTORIES)
def test_a_factory_that_cannot_be_used_is_found_before_anything_runs(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    source, words = FACTORIES[name]
    named = install(tmp_path / "installed", kind, source, monkeypatch)
    out = tmp_path / "ledger"
    options = ["--symbols", "AAA", "--granularity", "inline", "--out", str(out)]
    assert run(["--profile", str(settings(tmp_path, kind)), "scan", *options]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert named in told
    assert any(word in told for word in words.split("|")), told
    assert not out.exists()


AGENT = """
import gnosis_ray as gr
class Mine:
    def step(self, snapshot):
        made = gr.Suggestion(id="1", layer="mine", symbol=snapshot.symbol, action="short", confidence=0.5, reasoning="")
        if snapshot.symbol == "BBB":
            {fault}
        return made
def make(*_):
    return Mine()
"""
PROCESSOR = """
class Mine:
    name = "news"
    def compute(self, symbol, now):
        if symbol == "BBB":
            {fault}
        return 0.5, 0.5
def make(*_):
    return Mine()
"""
FRAME_PROCESSOR = """
import polars as pl
import gnosis_ray as gr
class Mine(gr.FrameProcessor):
    name = "news"
    def load(self, keys):
        {load}
        return keys
    def score(self, keys, table):
        none = pl.lit(None, pl.String)
        score = pl.when(pl.col("symbol") == "BBB").then({score}).otherwise(0.5)
        return keys.with_columns(score=score, confidence=pl.lit(0.5), degraded=none, absent=none)
def make(*_):
    return Mine()
"""
ONE_SYMBOL: dict[str, tuple[str, str, str, str]] = {
    "an agent's NaN confidence": (
        "agents",
        AGENT.format(fault="made = type(made).model_construct(**{**vars(made), 'confidence': float('nan')})"),
        "agent.Mine",
        "Suggestion.confidence: Expected a number up to 1, was nan",
    ),
    "an agent's exit": ("agents", AGENT.format(fault="raise SystemExit('bye')"), "agent.Mine", "SystemExit: bye"),
    "an agent's interrupt": (
        "agents",
        AGENT.format(fault="raise KeyboardInterrupt"),
        "agent.Mine",
        "KeyboardInterrupt",
    ),
    "an agent's error": ("agents", AGENT.format(fault="1 / 0"), "agent.Mine", "ZeroDivisionError: division by zero"),
    "an agent's nothing": (
        "agents",
        AGENT.format(fault="return None"),
        "agent.Mine",
        "Expected a Suggestion, was None",
    ),
    "an agent's invalid model": (
        "agents",
        AGENT.format(fault="type(made)(**{**vars(made), 'confidence': float('nan')})"),
        "agent.Mine",
        "ValidationError: Suggestion.confidence: Expected a number up to 1, was nan",
    ),
    "a processor's NaN": (
        "processors",
        PROCESSOR.format(fault="return float('nan'), 0.5"),
        "engine.sentiment",
        "Expected a score from -1 to 1 and a confidence from 0 to 1 for BBB, was nan and 0.5",
    ),
    "a processor's confidence": (
        "processors",
        PROCESSOR.format(fault="return 0.5, 7"),
        "engine.sentiment",
        "Expected a score from -1 to 1 and a confidence from 0 to 1 for BBB, was 0.5 and 7",
    ),
    "a processor's nothing": (
        "processors",
        PROCESSOR.format(fault="return None"),
        "engine.sentiment",
        "Expected a score and a confidence for BBB, was None",
    ),
    "a processor's exit": (
        "processors",
        PROCESSOR.format(fault="raise SystemExit(3)"),
        "engine.sentiment",
        "SystemExit: 3",
    ),
    "a batch processor's infinity": (
        "processors",
        FRAME_PROCESSOR.format(load="", score="float('inf')"),
        "engine.sentiment",
        "Expected a number from -1 to 1 in score, was inf for BBB",
    ),
    "a batch processor's exit on reading": (
        "processors",
        FRAME_PROCESSOR.format(load="if 'BBB' in keys['symbol']: raise SystemExit(3)", score="0.1"),
        "engine.sentiment",
        "SystemExit: 3",
    ),
}


def passed(tmp_path: Path, kind: str, calendar: SessionCalendar) -> BatchOutcome:
    config = resolved_for_workers(load_config(str(settings(tmp_path, kind))).config)
    adapter = build_adapter(config, calendar)
    return BatchPass(ConfiguredComponents(config), adapter, config).run(keys_at(SYMBOLS, config.data.synthetic.as_of))


@pytest.mark.parametrize("name", ONE_SYMBOL)
def test_what_a_plug_in_returns_or_raises_fails_its_symbol_and_names_the_plug_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, market_calendar: SessionCalendar
) -> None:
    kind, source, stage, words = ONE_SYMBOL[name]
    named = install(tmp_path / "installed", kind, source, monkeypatch)
    outcome = passed(tmp_path, kind, market_calendar)
    assert [record.symbol for record in outcome.records] == ["AAA", "CCC"]
    (failure,) = outcome.failures
    assert (failure.symbol, failure.stage, failure.kind) == ("BBB", stage, "component")
    assert failure.message.startswith(f"{named}: ")
    assert words in failure.message


def test_a_run_goes_on_past_a_plug_in_that_exits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    install(tmp_path / "installed", "agents", AGENT.format(fault="raise SystemExit(0)"), monkeypatch)
    options = ["--symbols", ",".join(SYMBOLS), "--granularity", "inline", "--out", str(tmp_path / "ledger")]
    assert run(["--profile", str(settings(tmp_path, "agents")), "scan", *options]) == 3, capsys.readouterr().err
    ledger = LedgerStore(tmp_path / "ledger")
    assert ledger.read("snapshots")["symbol"].to_list() == ["AAA", "CCC"]
    assert ledger.read("failures")["symbol"].to_list() == ["BBB"]


@pytest.mark.parametrize(
    "fault",
    [
        "import signal; signal.raise_signal(signal.SIGINT)",
        "import signal, contextlib as c\n            with c.suppress(BaseException): signal.raise_signal(2)",
    ],
)
def test_an_interrupt_of_the_user_inside_a_plug_in_ends_the_run(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    install(tmp_path / "installed", "agents", AGENT.format(fault=fault), monkeypatch)
    options = ["--symbols", "BBB", "--granularity", "inline", "--out", str(tmp_path / "ledger")]
    assert run(["--profile", str(settings(tmp_path, "agents")), "scan", *options]) == 130
    assert "Resume with: " in capsys.readouterr().err


def test_a_factory_that_no_longer_works_is_found_before_a_run_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    named = install(tmp_path / "installed", "agents", AGENT.format(fault="pass"), monkeypatch)
    profile = ["--profile", str(settings(tmp_path, "agents")), "scan"]
    place = ["--granularity", "inline", "--out", str(tmp_path / "ledger")]
    assert run([*profile, "--symbols", "AAA", *place]) == 0, capsys.readouterr().err
    (run_id,) = [receipt.run_id for receipt in LedgerStore(tmp_path / "ledger").runs()]
    monkeypatch.delitem(sys.modules, "hostile_plugin")
    (tmp_path / "installed" / "hostile_plugin.py").write_text("raise SystemExit(7)")
    capsys.readouterr()
    assert run([*profile, "--resume", run_id, *place]) == 2
    assert named in " ".join(capsys.readouterr().err.split())


PROVIDER = """
from datetime import timedelta
import polars as pl
import gnosis_ray as gr
class Mine:
    name = "mine"
    synthetic = True
    def __init__(self):
        self.market = gr.testing.synthetic_source()
    def __getattr__(self, name):
        return getattr(self.market, name)
    def default_as_of(self, now):
        {as_of}
        return self.market.default_as_of(now)
    def bars(self, keys, lookback):
        f = self.market.bars(keys, lookback)
        {fault}
        return f
    def _other(name):
        return lambda self, keys, *rest: getattr(self.market, name)(keys, *rest)
    raw_chains, trades, quotes, news = map(_other, ("raw_chains", "trades", "quotes", "news"))
def make(*_):
    return Mine()
"""
TABLES: dict[str, tuple[str, str]] = {
    "rows of the future": (
        "f = f.with_columns(pl.col('known_at') + timedelta(days=9))",
        "bars: Expected nothing known after the moment asked for",
    ),
    "rows of another symbol": (
        "f = f.with_columns(symbol=pl.lit('ZZZ'))",
        "bars: Expected rows of the symbols asked for, was one of ZZZ",
    ),
    "whole numbers": (
        "f = f.with_columns(pl.col('volume').cast(pl.Int64))",
        "bars: Expected column volume to hold numbers (f64), was whole numbers (i64)",
    ),
    "NaN": (
        "f = f.with_columns(close=pl.lit(float('nan')))",
        "bars: Expected a finite number or null in close, was nan for AAA",
    ),
    "no column": ("f = f.drop('open')", "bars: Expected a column open of numbers (f64), was symbol"),
    "no table": ("f = None", "bars: Expected a Polars DataFrame, was NoneType"),
    "an exit": ("raise SystemExit(2)", "SystemExit: 2"),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "an error": ("raise OSError('gone')", "OSError: gone"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_a_provider_that_no_key_may_see_are_refused_by_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, market_calendar: SessionCalendar
) -> None:
    fault, words = TABLES[name]
    named = install(tmp_path / "installed", "providers", PROVIDER.format(fault=fault, as_of=""), monkeypatch)
    with pytest.raises(ProviderError) as caught:
        passed(tmp_path, "providers", market_calendar)
    assert caught.value.message.startswith(f"{named}: ")
    assert words in caught.value.message


def test_a_provider_within_its_contract_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, market_calendar: SessionCalendar, config: Config
) -> None:
    install(tmp_path / "installed", "providers", PROVIDER.format(fault="", as_of=""), monkeypatch)
    outcome = passed(tmp_path, "providers", market_calendar)
    assert [record.symbol for record in outcome.records] == SYMBOLS


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("return '2026'", "default_as_of: Expected a moment with a time zone, was '2026'"),
        ("return now.replace(tzinfo=None)", "default_as_of: Expected a moment with a time zone, was datetime"),
        ("raise SystemExit(4)", "SystemExit: 4"),
    ],
)
def test_a_providers_latest_moment_is_one(
    as_of: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    named = install(tmp_path / "installed", "providers", PROVIDER.format(fault="", as_of=as_of), monkeypatch)
    options = ["--symbols", "AAA", "--granularity", "inline", "--out", str(tmp_path / "ledger")]
    assert run(["--profile", str(settings(tmp_path, "providers")), "scan", *options]) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert named in told
    assert words in told
