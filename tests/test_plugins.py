"""Plug-ins: found by name, refused aloud, pinned to their code, and the example's four at work."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from cluster.doctor import examine
from gnosis_ray.agents.base import PrimaryAgent
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter, build_source
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.cli.main import run
from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.sentiment.frame_processor import SENTIMENT_SOURCES
from gnosis_ray.errors import ConfigError, StageError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import BARS
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass
from gnosis_ray.plugins import (
    BUILT_IN,
    PluginMaker,
    configured_names,
    find_plugin,
    frozen,
    installed_plugins,
    missing_members,
    require_pinned,
)
from gnosis_ray.schemas.core_schemas import LedgerRecord
from tests.support.offered_plugins import offer
from tests.support.tapes import random_bars

EXAMPLE = Path(__file__).parents[1] / "examples" / "gnosis-ray-example"
NAMES = [f"PLANT{i:03d}" for i in range(40)]
WORDS = {"good": ["beats", "raises", "record", "upgraded", "wins"], "bad": ["misses", "cuts", "plunge", "fraud"]}
ALL: dict[str, Any] = {
    "agents": {"enabled": ["hedge", "volatility_premium"]},
    "engines": {"sentiment": {"processors": ["technical", "word_list"]}},
    "composer": {"weights": {"primary_hedge": 0.2, "volatility_premium": 0.8}},
    "trade": {"strategies": ["jade_lizard", "short_stock"], "equity_usd": 1e7, "max_risk_usd": 1e6},
    "plugins": {"volatility_premium": {"scale": 0.02, "min_premium": 0.001}, "word_list": WORDS},
}

BROKEN = """
NUMBER = 5

def raises(settings):
    raise ZeroDivisionError("no luck")

def wrong(settings):
    return 5
"""
ODD = """
class Odd:
    name = "odd"

    def compute(self, symbol, now):
        return 0.0, 0.0

def make(*_):
    return Odd()
"""
KEEPING = """
class Keeper:
    def __init__(self, settings):
        self.settings = settings

    def step(self, snapshot): ...

def make(settings):
    return Keeper(settings)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, as a user would, but without a network."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(EXAMPLE)], check=True, timeout=120)
    return target


@pytest.fixture
def example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, among what Python finds."""
    monkeypatch.syspath_prepend(str(folder))
    return folder


def settings(tmp_path: Path, body: Mapping[str, Any]) -> Config:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(dict(body)))
    return load_config(str(path)).config


def scanned(config: Config, calendar: SessionCalendar) -> BatchOutcome:
    adapter = build_adapter(config, calendar)
    return BatchPass(ConfiguredComponents(config), adapter, config).run(keys_at(NAMES, config.data.synthetic.as_of))


def test_the_names_that_need_no_plug_in_are_those_that_are_made_here(config: Config) -> None:
    assert BUILT_IN["processors"] == SENTIMENT_SOURCES
    assert BUILT_IN["strategies"] == tuple(strategy.name for strategy in BUILTIN_STRATEGIES)
    for kind, names in configured_names(config).items():
        assert set(names) <= set(BUILT_IN[kind]), kind
    every = load_config(flags={"agents.enabled": list(BUILT_IN["agents"])}).config
    assert len(ConfiguredComponents(every).primary_agents()) == len(BUILT_IN["agents"])


def test_what_is_installed_is_listed_and_not_imported(example: Path) -> None:
    before = {name for name in sys.modules if name.startswith("gnosis_ray_example")}
    found = {plugin.key: plugin.code for plugin in installed_plugins()}
    keys = ("agents/volatility_premium", "processors/word_list", "providers/csv_bars", "strategies/jade_lizard")
    assert found == dict.fromkeys(keys, "gnosis-ray-example 0.1.0")
    assert {name for name in sys.modules if name.startswith("gnosis_ray_example")} == before


def test_agent_voice_and_strategy_work_in_one_scan(
    example: Path, tmp_path: Path, market_calendar: SessionCalendar
) -> None:
    config = resolved_for_workers(settings(tmp_path, ALL))
    outcome = scanned(config, market_calendar)
    assert outcome.failures == []
    assert {s.layer for r in outcome.records for s in r.primary_suggestions} == {"primary_hedge", "volatility_premium"}
    sided = [s for r in outcome.records for s in r.primary_suggestions if s.layer == "volatility_premium"]
    assert {"long"} < {s.action for s in sided}
    assert all("options charge" in s.reasoning for s in sided)
    heard = [r for r in outcome.records if "news_sentiment_score" in r.snapshot.sentiment]
    assert len(heard) > len(NAMES) / 3
    assert all("flow" not in r.snapshot.metadata["sentiment.voices"] for r in heard)
    _sells_a_put_and_a_call_spread(outcome.records)


def test_a_run_with_plug_ins_keeps_what_became_of_their_strategies(
    example: Path, tmp_path: Path, market_calendar: SessionCalendar
) -> None:
    outcome = scanned(resolved_for_workers(settings(tmp_path, ALL)), market_calendar)
    traded = next(record for record in outcome.records if record.trade_ideas)
    considered = outcome.evidence["considered"].filter(symbol=traded.symbol)
    assert {"jade_lizard", "short_stock"} <= set(considered["strategy_type"])


def _sells_a_put_and_a_call_spread(records: list[LedgerRecord]) -> None:
    lizards = [idea for r in records for idea in r.trade_ideas if idea.strategy_type == "jade_lizard"]
    assert lizards
    for idea in lizards:
        assert [(leg.instrument_type, leg.direction) for leg in idea.legs] == [
            ("P", "sell"),
            ("C", "sell"),
            ("C", "buy"),
        ]
        assert idea.cost_per_unit < 0
        assert idea.recommended_units > 0


def test_a_provider_of_ones_own_bars(example: Path, tmp_path: Path, market_calendar: SessionCalendar) -> None:
    now = datetime(2026, 7, 10, 21, tzinfo=UTC)
    bars = random_bars(3, count=150).with_columns(pl.col("timestamp").dt.date().alias("date"))
    bars.select("date", "open", "high", "low", "close", "volume").write_csv(tmp_path / "AAA.csv")
    body = {"data": {"provider": "csv_bars"}, "plugins": {"csv_bars": {"folder": str(tmp_path)}}}
    config = resolved_for_workers(settings(tmp_path, body))
    source = build_source(config, market_calendar)
    read = source.bars(keys_at(["AAA", "ZZZ"], now), 60)
    assert read.schema == BARS
    assert read["symbol"].unique().to_list() == ["AAA"]
    assert read.height == 60
    assert read["timestamp"].max() == datetime(2026, 7, 10, 20, tzinfo=UTC)
    adapter = build_adapter(config, market_calendar)
    outcome = BatchPass(ConfiguredComponents(config), adapter, config).run(keys_at(["AAA"], now))
    assert "adv_usd" in outcome.records[0].snapshot.liquidity
    assert outcome.records[0].snapshot.engines["hedge"].degraded[0] == "no_chain"


def test_the_command_line_takes_them_and_workers_on_ray_find_them(folder: Path, tmp_path: Path) -> None:
    """In a process of its own: PYTHONPATH reaches the workers of a local Ray."""
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(ALL | {"run": {"host_memory_mb": 400}}))
    here = {k: v for k, v in os.environ.items() if not k.startswith("GNOSIS_RAY__")}
    environment = here | {"PYTHONPATH": str(folder), "GNOSIS_RAY_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "gnosis_ray", "--profile", "mine.yaml", "scan"]
    wanted = ["--symbols", ",".join(NAMES[:4]), "--granularity", "shard", "--out", "ledger", "--format", "json"]
    done = subprocess.run(
        [*command, *wanted],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = LedgerStore(tmp_path / "ledger").read("suggestions")
    assert said.filter(pl.col("layer") == "volatility_premium").height == 4
    assert json.loads(done.stdout) is not None


def test_the_doctor_asks_for_no_store_where_a_plug_in_provides(tmp_path: Path) -> None:
    settings(tmp_path, {"data": {"provider": "csv_bars"}})
    checks = {check.name: check for check in examine(tmp_path, str(tmp_path / "mine.yaml"))}
    assert (checks["market data"].ok, "csv_bars" in checks["market data"].found) == (True, True)


def test_an_unknown_name_is_named_with_the_nearest(example: Path, tmp_path: Path) -> None:
    for body, words in (
        ({"agents": {"enabled": ["hegde"]}}, r"agents\.enabled: unknown name 'hegde'. Nearest: 'hedge'"),
        ({"agents": {"enabled": ["volatility_premia"]}}, "Nearest: 'volatility_premium'"),
        ({"data": {"provider": "csv"}}, r"data\.provider: unknown name 'csv'. Nearest: 'csv_bars'"),
        ({"engines": {"sentiment": {"processors": ["noise"]}}}, r"gnosis_ray\.processors add names"),
        ({"trade": {"strategies": ["jade_lizzard"]}}, "Nearest: 'jade_lizard'"),
        ({"plugins": {"word_lists": {}}}, r"plugins\.word_lists: no such plug-in is installed.*'word_list'"),
    ):
        with pytest.raises(ConfigError, match=words):
            resolved_for_workers(settings(tmp_path, body))


def test_the_command_line_says_so_with_exit_code_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    assert run(["scan", "--provider", "stroe", "--symbols", "A", "--out", str(tmp_path)]) == 2
    assert "Nearest: 'store'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("broken_plugin:absent", "cannot be imported: AttributeError"),
        ("no_such_module:make", "cannot be imported: ModuleNotFoundError"),
        ("broken_plugin:NUMBER", "Expected a factory, was int"),
        ("broken_plugin:raises", "cannot be made: ZeroDivisionError: no luck"),
        ("broken_plugin:wrong", "Expected a PrimaryAgent, was int without step"),
    ],
)
def test_a_broken_plug_in_names_its_distribution_and_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, words: str
) -> None:
    offer(tmp_path, "agents", "mine", target)
    (tmp_path / "broken_plugin.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = resolved_for_workers(settings(tmp_path, {"agents": {"enabled": ["mine"]}}))
    with pytest.raises(ConfigError) as caught:
        ConfiguredComponents(config).primary_agents()
    assert words in str(caught.value)
    assert f"'mine' (other 1.0, entry point {target} of gnosis_ray.agents)" in str(caught.value)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("PLUGIN_API = 2", "was written for PLUGIN_API 2, and this gnosis-ray offers 1: upgrade gnosis-ray"),
        ("PLUGIN_API = 0", "Expected PLUGIN_API 1, was 0"),
        ("PLUGIN_API = True", "Expected PLUGIN_API 1, was True"),
        ("PLUGIN_API = 'one'", "Expected PLUGIN_API 1, was 'one'"),
    ],
)
@pytest.mark.parametrize("place", ["module", "package"])
def test_a_plug_in_for_other_contracts_is_refused_before_anything_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stated: str,
    words: str,
    place: str,
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "plug_package", raising=False)
    monkeypatch.delitem(sys.modules, "plug_package.keeping", raising=False)
    offer(tmp_path, "agents", "mine", "plug_package.keeping:make")
    (tmp_path / "plug_package").mkdir()
    files = {"module": KEEPING, "package": ""}
    files[place] += f"\n{stated}\n"
    (tmp_path / "plug_package" / "keeping.py").write_text(files["module"])
    (tmp_path / "plug_package" / "__init__.py").write_text(files["package"])
    monkeypatch.syspath_prepend(str(tmp_path))
    settings(tmp_path, {"agents": {"enabled": ["mine"]}})
    profile = ("--profile", str(tmp_path / "mine.yaml"))
    out = tmp_path / "ledger"
    assert run([*profile, "scan", "--symbols", "AAPL", "--granularity", "inline", "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "'mine' (other 1.0, entry point plug_package.keeping:make of gnosis_ray.agents)" in told
    assert not out.exists()


@pytest.mark.parametrize("stated", ["", "PLUGIN_API = 1"])
def test_a_plug_in_that_states_nothing_was_written_for_the_first_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    offer(tmp_path, "agents", "mine", "keeping_plugin:make")
    monkeypatch.delitem(sys.modules, "keeping_plugin", raising=False)
    (tmp_path / "keeping_plugin.py").write_text(f"{KEEPING}\n{stated}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = resolved_for_workers(settings(tmp_path, {"agents": {"enabled": ["mine"]}}))
    assert len(ConfiguredComponents(config).primary_agents()) == 1


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (
            "processors",
            {"engines": {"sentiment": {"processors": ["mine"]}}},
            "a sentiment source named one of news, flow, technical",
        ),
        ("providers", {"data": {"provider": "mine"}}, "Expected a MarketSource, was Odd without bars"),
        ("strategies", {"trade": {"strategies": ["mine"]}}, "Expected a StrategySpec named 'mine'"),
    ],
)
def test_a_plug_in_that_makes_the_wrong_thing_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    market_calendar: SessionCalendar,
    kind: str,
    body: dict[str, Any],
    words: str,
) -> None:
    offer(tmp_path, kind, "mine", "odd_plugin:make")
    (tmp_path / "odd_plugin.py").write_text(ODD)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = resolved_for_workers(settings(tmp_path, body))

    def everything() -> None:
        adapter = build_adapter(config, market_calendar)
        ConfiguredComponents(config).engines(adapter)
        ConfiguredComponents(config).trade_agent(adapter)

    with pytest.raises(ConfigError, match=words):
        everything()


def test_a_clash_of_names_is_refused_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    offer(tmp_path, "agents", "hedge", "x:make")
    with pytest.raises(ConfigError, match=r"'hedge' is built in, and offered by other 1\.0 too"):
        resolved_for_workers(config)
    offer(tmp_path, "agents", "mine", "x:make", dist="first")
    offer(tmp_path, "agents", "mine", "x:make", dist="second", version="2.0")
    with pytest.raises(ConfigError, match=r"'mine' is offered twice, by first 1\.0 and second 2\.0"):
        find_plugin("agents", "mine", installed_plugins())


def test_a_plug_in_that_nobody_names_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    offer(tmp_path, "agents", "mine", "no_such_module:make")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolved_for_workers(config).plugin_versions == {}
    assert len(ConfiguredComponents(config).primary_agents()) == 3


def test_the_hash_tells_code_and_settings_of_plug_ins_apart(example: Path, tmp_path: Path) -> None:
    plain = settings(tmp_path, ALL)
    pinned = resolved_for_workers(plain)
    assert pinned.plugin_versions["agents/volatility_premium"] == "gnosis-ray-example 0.1.0"
    assert pinned.decision_hash() == resolved_for_workers(pinned).decision_hash() != plain.decision_hash()
    later = pinned.replaced(plugin_versions={"agents/volatility_premium": "gnosis-ray-example 0.2.0"})
    other = {**pinned.plugins, "volatility_premium": {"scale": 0.3}}
    unused = {**pinned.plugins, "csv_bars": {"folder": "/tmp"}}  # noqa: S108 - a name, not written to
    assert later.decision_hash() != pinned.decision_hash()
    assert pinned.replaced(plugins=other).decision_hash() != pinned.decision_hash()
    assert pinned.replaced(plugins=unused).decision_hash() == pinned.decision_hash()


def test_other_code_than_that_which_began_a_run_is_refused(example: Path, tmp_path: Path) -> None:
    plain = settings(tmp_path, ALL)
    pinned = resolved_for_workers(plain)
    require_pinned(pinned)
    older = pinned.replaced(plugin_versions=dict.fromkeys(pinned.plugin_versions, "gnosis-ray-example 0.0.9"))
    for refused, words in ((plain, "is not pinned"), (older, r"Expected gnosis-ray-example 0\.0\.9")):
        with pytest.raises(ConfigError, match=words):
            require_pinned(refused)
        with pytest.raises(ConfigError, match=words):
            ConfiguredComponents(refused).primary_agents()


def test_settings_reach_the_factory_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, "agents", "mine", "keeping_plugin:make")
    (tmp_path / "keeping_plugin.py").write_text(KEEPING)
    monkeypatch.syspath_prepend(str(tmp_path))
    body = {"agents": {"enabled": ["mine"]}, "plugins": {"mine": {"levels": [1, {"deep": [2]}]}}}
    config = resolved_for_workers(settings(tmp_path, body))
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own bytes
    made: Any = PluginMaker(config).make("agents", "mine", missing_members(PrimaryAgent))
    assert made.settings["levels"][1]["deep"] == (2,)
    with pytest.raises(TypeError, match="does not support item assignment"):
        made.settings["levels"] = ()
    assert frozen({"a": [1]}) == {"a": (1,)}


def test_a_layer_of_ones_own_needs_a_weight(example: Path, tmp_path: Path, market_calendar: SessionCalendar) -> None:
    config = resolved_for_workers(settings(tmp_path, {"agents": {"enabled": ["volatility_premium"]}}))
    outcome = scanned(config, market_calendar)
    assert not outcome.records
    assert {f.stage for f in outcome.failures} == {"composer"}
    assert "set composer.weights.volatility_premium" in outcome.failures[0].message
    assert issubclass(StageError, Exception)
