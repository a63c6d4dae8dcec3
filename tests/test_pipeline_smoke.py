"""One engine, one agent and a ledger make a pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.engines.base import Engine
from gnosis_ray.errors import ConfigError, StageError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.pipeline.pipeline_runner import PipelineResult, PipelineRunner
from gnosis_ray.schemas.core_schemas import (
    EngineKind,
    EngineOutput,
    EngineSummary,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
)
from tests.support.components import DummyAgent, DummyEngine, FirstVoice, OneShare, Records, pipeline, raising, settings

NOW = datetime(2026, 7, 10, 20, tzinfo=UTC)


class OneEngine:
    def run(self, symbol: str, now: datetime) -> EngineOutput:
        return EngineOutput(kind="hedge", symbol=symbol, timestamp=now, features={"dummy": 1.0}, confidence=1.0)


class OneAgent:
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return _flat("primary_hedge", snapshot.symbol)


class OneComposer:
    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        return _flat("composer", snapshot.symbol)


class NoTrades:
    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        return []


def test_pipeline_runs_once_and_keeps_a_record(tmp_path: Path) -> None:
    store = LedgerStore(tmp_path / "ledger.jsonl")
    runner = PipelineRunner(
        symbol="SPY",
        engines={"hedge": OneEngine()},
        primary_agents={"primary_hedge": OneAgent()},
        composer=OneComposer(),
        trade_agent=NoTrades(),
        ledger_store=store,
        config={},
    )
    result = runner.run_once(NOW)
    assert result["snapshot"].hedge == {"dummy": 1.0}
    assert set(result["engine_outputs"]) == {"hedge"}
    assert [s.layer for s in result["primary_suggestions"]] == ["primary_hedge"]
    assert result["composite_suggestion"].action == "flat"
    assert result["trade_ideas"] == []
    assert [record.symbol for record in store.stream()] == ["SPY"]


def ids(result: PipelineResult) -> list[str]:
    stances = [*result.primary_suggestions, result.composite_suggestion]
    return [*(stance.id for stance in stances), *(idea.id for idea in result.trade_ideas)]


def test_one_pass_says_everything_and_leaves_one_record(tmp_path: Path) -> None:
    store = LedgerStore(tmp_path / "ledger.parquet")
    result = pipeline(store).run_once(NOW)
    assert result.engine_outputs["hedge"].features == result.snapshot.hedge == {"answer": 42.0}
    assert result.snapshot.liquidity == result.snapshot.sentiment == result.snapshot.elasticity == {}
    assert [s.reasoning for s in result.primary_suggestions] == ["the answer is 42.0"]
    assert result.composite_suggestion.layer == "composer"
    assert [idea.strategy_type for idea in result.trade_ideas] == ["one_share"]
    (record,) = store.stream()
    assert (record.symbol, record.timestamp) == ("AAA", NOW)
    assert record.snapshot == result.snapshot
    assert record.primary_suggestions == result.primary_suggestions
    assert record.composite_suggestion == result.composite_suggestion
    assert record.trade_ideas == result.trade_ideas


def test_every_pass_appends(tmp_path: Path) -> None:
    store = LedgerStore(tmp_path)
    for symbol, minutes in (("AAA", 0), ("BBB", 0), ("AAA", 5)):
        pipeline(store, symbol=symbol).run_once(NOW + timedelta(minutes=minutes))
    seen = [(record.symbol, record.timestamp) for record in LedgerStore(tmp_path).stream()]
    assert seen == [("AAA", NOW), ("BBB", NOW), ("AAA", NOW + timedelta(minutes=5))]


def test_the_snapshot_has_the_regime_of_the_most_confident_engine_and_metadata_by_kind() -> None:
    engines = [
        DummyEngine("hedge", regime="pin", confidence=0.4, metadata={"degraded": "stale_quotes,no_bars"}),
        DummyEngine("liquidity", regime="thin", confidence=0.7, metadata={}),
        DummyEngine("sentiment", regime=None, confidence=1.0, metadata={"items": "3", "absent": "no_news"}),
    ]
    snapshot = pipeline(Records(), engines=engines).run_once(NOW).snapshot
    assert snapshot.regime == "thin"
    assert snapshot.metadata == {
        "hedge.degraded": "stale_quotes,no_bars",
        "hedge.confidence": "0.4",
        "hedge.regime": "pin",
        "liquidity.confidence": "0.7",
        "liquidity.regime": "thin",
        "sentiment.items": "3",
        "sentiment.absent": "no_news",
        "sentiment.confidence": "1.0",
    }
    assert snapshot.engines == {
        "hedge": EngineSummary(confidence=0.4, regime="pin", degraded=("stale_quotes", "no_bars")),
        "liquidity": EngineSummary(confidence=0.7, regime="thin"),
        "sentiment": EngineSummary(confidence=1.0, absent=("no_news",)),
    }


def test_of_equally_confident_engines_the_first_gives_the_regime() -> None:
    engines = [DummyEngine("hedge", regime="pin"), DummyEngine("liquidity", regime="thin")]
    assert pipeline(Records(), engines=engines).run_once(NOW).snapshot.regime == "pin"
    assert pipeline(Records(), engines=[DummyEngine(regime=None)]).run_once(NOW).snapshot.regime is None


def test_the_runner_fills_in_the_moment_that_an_agent_leaves_out() -> None:
    agents = [DummyAgent(), DummyAgent("primary_liquidity", timestamp=NOW)]
    result = pipeline(Records(), agents=agents).run_once(NOW)
    assert [s.timestamp for s in result.primary_suggestions] == [NOW, NOW]
    assert result.composite_suggestion.timestamp == NOW


def test_a_naive_moment_is_read_as_utc() -> None:
    naive, aware = (pipeline(Records()).run_once(now) for now in (NOW.replace(tzinfo=None), NOW))
    assert naive == aware


def test_engines_run_after_what_they_require() -> None:
    calls: list[str] = []
    engines = [
        DummyEngine("elasticity", requires=("hedge", "liquidity"), calls=calls),
        DummyEngine("sentiment", calls=calls),
        DummyEngine("liquidity", calls=calls),
        DummyEngine("hedge", calls=calls),
    ]
    result = pipeline(Records(), engines=engines).run_once(NOW)
    assert calls == ["sentiment", "liquidity", "hedge", "elasticity"]
    assert list(result.engine_outputs) == calls
    assert result.snapshot.elasticity == {"answer": 42.0}


def test_what_an_engine_requires_may_be_absent() -> None:
    alone = DummyEngine("elasticity", requires=("hedge", "liquidity"))
    assert pipeline(Records(), engines=[alone]).run_once(NOW).snapshot.hedge == {}


def test_engines_that_require_each_other_are_refused() -> None:
    circle = [DummyEngine("hedge", requires=("liquidity",)), DummyEngine("liquidity", requires=("hedge",))]
    with pytest.raises(StageError, match="circle: hedge, liquidity"):
        pipeline(Records(), engines=circle)


@pytest.mark.parametrize(
    ("stage", "parts"),
    [
        ("engine.hedge", {"engines": [raising(DummyEngine(), "run")]}),
        ("agent.DummyAgent", {"agents": [raising(DummyAgent(), "step")]}),
        ("composer", {"composer": raising(FirstVoice(), "compose")}),
        ("trade_agent", {"trader": raising(OneShare(), "generate_trades")}),
        ("ledger", {"ledger": raising(Records(), "append")}),
    ],
)
def test_a_part_that_raises_is_named_with_its_symbol(stage: str, parts: dict[str, object]) -> None:
    kept = Records()
    with pytest.raises(StageError) as caught:
        pipeline(**{"ledger": kept, **parts}).run_once(NOW)  # type: ignore[arg-type]
    error = caught.value
    assert (error.symbol, error.stage, error.cause) == ("AAA", stage, "ZeroDivisionError")
    assert str(error) == "AAA: ZeroDivisionError: no luck"
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert kept == []


def test_an_engine_without_a_kind_is_placed_by_its_output() -> None:
    runner = PipelineRunner("SPY", [OneEngine()], [OneAgent()], OneComposer(), NoTrades(), Records(), settings())
    assert runner.run_once(NOW).snapshot.hedge == {"dummy": 1.0}
    named: dict[str, Engine] = {"anything": OneEngine(), "elasticity": DummyEngine("elasticity", requires=("hedge",))}
    result = PipelineRunner("SPY", named, [OneAgent()], OneComposer(), NoTrades(), Records(), {}).run_once(NOW)
    assert list(result.engine_outputs) == ["hedge", "elasticity"]


def test_two_engines_of_one_kind_are_refused() -> None:
    with pytest.raises(StageError, match="Expected one engine a kind, was a second one of hedge"):
        pipeline(Records(), engines=[DummyEngine("hedge"), OneEngine()]).run_once(NOW)


def test_a_result_is_a_mapping_of_its_fields() -> None:
    result = pipeline(Records()).run_once(NOW)
    assert list(result) == [field.name for field in dataclasses.fields(result)]
    assert all(value is getattr(result, name) for name, value in result.items())
    assert "symbol" not in result
    with pytest.raises(KeyError, match="symbol"):
        result["symbol"]


def test_ids_depend_on_all_of_a_mapping_of_settings() -> None:
    def of(config: Mapping[str, object]) -> list[str]:
        parts = ([OneEngine()], [OneAgent()], OneComposer(), NoTrades())
        return ids(PipelineRunner("SPY", *parts, Records(), config).run_once(NOW))

    assert of({}) == of({})
    assert of({"a": 1, "b": [2]}) == of({"b": [2], "a": 1})
    assert len({of(config)[0] for config in ({}, {"a": 1}, {"a": 2}, {"b": 1})}) == 4
    with pytest.raises(ConfigError, match="Expected what JSON can hold"):
        of({"a": object()})


def test_a_runner_for_another_symbol_shares_everything_but_the_symbol() -> None:
    kept = Records()
    first = pipeline(kept)
    assert first.for_symbol("BBB").run_once(NOW) == pipeline(Records(), symbol="BBB").run_once(NOW)
    assert first.run_once(NOW) == pipeline(Records()).run_once(NOW)
    assert [record.symbol for record in kept] == ["BBB", "AAA"]


def test_ids_are_stable_and_tell_symbols_moments_layers_and_settings_apart() -> None:
    def said(symbol: str = "AAA", now: datetime = NOW, **changes: object) -> list[str]:
        agents = [DummyAgent(), DummyAgent("primary_liquidity")]
        return ids(pipeline(Records(), symbol=symbol, agents=agents, config=settings(**changes)).run_once(now))

    first = said()
    assert first == said()
    assert first == said(run__batch_size=7, run__granularity="inline")
    others = [said("BBB"), said(now=NOW + timedelta(microseconds=1)), said(trade__min_confidence=0.2)]
    distinct = {one for many in (first, *others) for one in many}
    assert len(distinct) == 4 * len(first) == 16


def test_an_idea_that_was_dropped_leaves_its_reason_on_the_composite() -> None:
    class Shy(OneShare):
        def decide(self, suggestion: Suggestion) -> TradeDecision:
            return TradeDecision(dropped="too_shy")

    result = pipeline(Records(), trader=Shy()).run_once(NOW)
    assert result.trade_ideas == []
    assert result.composite_suggestion.tags == ["dropped:too_shy"]


@pytest.mark.parametrize("kind", get_args(EngineKind))
def test_any_single_engine_makes_a_pipeline(kind: EngineKind) -> None:
    snapshot = pipeline(Records(), engines=[DummyEngine(kind)]).run_once(NOW).snapshot
    sections = snapshot.model_dump(include=set(get_args(EngineKind)))
    assert {name for name, features in sections.items() if features} == {kind}


def _flat(layer: str, symbol: str) -> Suggestion:
    return Suggestion(
        id=layer, layer=layer, symbol=symbol, action="flat", confidence=0.5, forecast={}, reasoning="dummy"
    )
