"""What a component returns is validated where the pipeline takes it, and a wrong answer fails its symbol by name."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import polars as pl
import pytest

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.errors import DataError, StageError
from gnosis_ray.market.columns import DETAILS, UTC_TIME
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.entry_checks import checked_frames
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter
from gnosis_ray.schemas.core_schemas import (
    EngineKind,
    EngineOutput,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
)
from gnosis_ray.schemas.feature_spec import FeatureSpec
from tests.support.books import NOW, FixedAdapter, bars, book
from tests.support.components import DummyAgent, DummyEngine, FirstVoice, OneShare, Records, pipeline

NAN, INF = math.nan, math.inf


def unchecked(model: Any, **changes: Any) -> Any:
    """The same model with fields that nobody validated."""
    return type(model).model_construct(**{**vars(model), **changes})


STANCE = DummyAgent().step(StandardSnapshot(symbol="AAA", timestamp=NOW))
OUTPUT = DummyEngine().run("AAA", NOW)
IDEA = OneShare().generate_trades(STANCE.model_copy(update={"timestamp": NOW}))[0]
CALL = TradeLeg(instrument_type="C", direction="buy", qty=1, strike=320.0, expiry="2026-08-21", price=9.5)

STANCES: dict[str, tuple[Any, str]] = {
    "no suggestion": (None, "Expected a Suggestion, was None"),
    "a mapping": ({"action": "long"}, "Expected a Suggestion, was {'action': 'long'}"),
    "NaN confidence": (
        unchecked(STANCE, confidence=NAN),
        "Suggestion.confidence: Expected a number up to 1, was nan",
    ),
    "confidence above 1": (
        unchecked(STANCE, confidence=7.0),
        "Suggestion.confidence: Expected a number up to 1, was 7.0",
    ),
    "confidence below 0": (
        unchecked(STANCE, confidence=-0.5),
        "Suggestion.confidence: Expected a number from 0, was -0.5",
    ),
    "confidence as text": (
        unchecked(STANCE, confidence="1"),
        "Suggestion.confidence: Expected a number, was '1'",
    ),
    "unknown action": (
        unchecked(STANCE, action="buy"),
        "Suggestion.action: Expected one of 'long', 'short', 'flat', 'spread', 'complex', was 'buy'",
    ),
    "infinite forecast": (
        unchecked(STANCE, forecast={"horizon_days": INF}),
        "Suggestion.forecast.horizon_days: Expected a finite number, was inf",
    ),
    "forecast of text": (
        unchecked(STANCE, forecast={"horizon_days": "one"}),
        "Suggestion.forecast.horizon_days: Expected a number, was 'one'",
    ),
    "another symbol": (unchecked(STANCE, symbol="BBB"), "Expected an answer about AAA, was one about BBB"),
    "another moment": (
        unchecked(STANCE, timestamp=NOW - timedelta(hours=1)),
        f"Expected an answer as of {NOW}, was one as of {NOW - timedelta(hours=1)}",
    ),
    "no reasoning": (unchecked(STANCE, reasoning=None), "Suggestion.reasoning: Expected a text, was None"),
    "an empty layer": (unchecked(STANCE, layer=""), "Expected a Suggestion with a layer, was ''"),
    "tags that are numbers": (unchecked(STANCE, tags=[1]), "Suggestion.tags.0: Expected a text, was 1"),
}


class Answering:
    """An agent, composer, trade agent or engine that returns what it was given."""

    kind: EngineKind = "hedge"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def _answered(self, *_: Any) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    step = compose = generate_trades = run = _answered


class Deciding(Answering):
    """A trade agent that says why."""

    decide = Answering._answered


def failing(stage: str, **parts: Any) -> str:
    """The message of a pass that fails at ``stage`` and keeps no record."""
    kept = Records()
    with pytest.raises(StageError) as caught:
        pipeline(kept, **parts).run_once(NOW)
    assert (caught.value.stage, caught.value.symbol, kept) == (stage, "AAA", [])
    return caught.value.message


@pytest.mark.parametrize("name", STANCES)
def test_a_stance_that_is_none_fails_its_agent_and_its_composer(name: str) -> None:
    answer, message = STANCES[name]
    assert failing("agent.Answering", agents=[Answering(answer)]) == message
    assert failing("composer", composer=Answering(answer)) == message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "Expected a EngineOutput, was None"),
        (unchecked(OUTPUT, confidence=NAN), "EngineOutput.confidence: Expected a number up to 1, was nan"),
        (unchecked(OUTPUT, features={"x": -INF}), "EngineOutput.features.x: Expected a finite number, was -inf"),
        (
            unchecked(OUTPUT, kind="mood"),
            "EngineOutput.kind: Expected one of 'hedge', 'liquidity', 'sentiment', 'elast",
        ),
        (unchecked(OUTPUT, symbol="BBB"), "Expected an answer about AAA, was one about BBB"),
        (unchecked(OUTPUT, timestamp=NOW + timedelta(1)), f"Expected an answer as of {NOW}, was one as of"),
    ],
)
def test_an_engines_output_that_is_none_fails_its_engine(answer: Any, message: str) -> None:
    assert failing("engine.hedge", engines=[Answering(answer)]).startswith(message)


IDEAS: dict[str, tuple[Any, str]] = {
    "no list": (IDEA, "Expected a list of TradeIdea, was TradeIdea("),
    "no idea": ([None], "Expected a TradeIdea with a list of legs, was None"),
    "no legs": ([unchecked(IDEA, legs=[])], "Expected a TradeIdea with a list of legs, was []"),
    "NaN loss": ([unchecked(IDEA, max_loss=NAN)], "TradeIdea.max_loss: Expected a number from 0, was nan"),
    "negative loss": ([unchecked(IDEA, max_loss=-1.0)], "TradeIdea.max_loss: Expected a number from 0, was -1.0"),
    "NaN cost": ([unchecked(IDEA, cost_per_unit=NAN)], "TradeIdea.cost_per_unit: Expected a finite number, was nan"),
    "infinite profit": ([unchecked(IDEA, max_profit=INF)], "TradeIdea.max_profit: Expected a finite number, was inf"),
    "half a unit": ([unchecked(IDEA, recommended_units=0.5)], "TradeIdea.recommended_units: Expected a whole number"),
    "another symbol": ([unchecked(IDEA, symbol="BBB")], "Expected a TradeIdea of AAA, was one of BBB"),
    "twice the same": ([IDEA, IDEA], "Expected an id of its own for each TradeIdea, was "),
    "a leg that is none": ([unchecked(IDEA, legs=["call"])], "Expected a TradeLeg, was 'call'"),
    "no strike": ([unchecked(IDEA, legs=[unchecked(CALL, strike=None)])], "Expected strike and expiry for an option"),
    "NaN strike": ([unchecked(IDEA, legs=[unchecked(CALL, strike=NAN)])], "TradeLeg.strike: Expected a finite number"),
    "a stock with a strike": (
        [unchecked(IDEA, legs=[unchecked(CALL, instrument_type="STOCK")])],
        "Expected strike and expiry for an option, and neither for stock",
    ),
    "no such day": (
        [unchecked(IDEA, legs=[unchecked(CALL, expiry="2026-02-30")])],
        "Expected an expiry such as 2026-08-21, was 2026-02-30",
    ),
    "expired": (
        [unchecked(IDEA, legs=[unchecked(CALL, expiry="2026-07-02")])],
        "Expected an expiry from 2026-07-10 on, was 2026-07-02",
    ),
    "no contract": ([unchecked(IDEA, legs=[unchecked(CALL, qty=0)])], "TradeLeg.qty: Expected a number above 0, was 0"),
}


@pytest.mark.parametrize("name", IDEAS)
def test_an_idea_that_is_none_fails_the_trade_agent(name: str) -> None:
    answer, message = IDEAS[name]
    assert failing("trade_agent", trader=Answering(answer)).startswith(message)
    assert failing("trade_agent", trader=Deciding(TradeDecision(ideas=answer))).startswith(message)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([IDEA], "Expected a TradeDecision, was [TradeIdea("),
        (TradeDecision(dropped=5), "Expected a reason as text in TradeDecision.dropped, was 5"),  # type: ignore[arg-type]
        (TradeDecision(considered={"long_call": 5}), "Expected outcomes by strategy in TradeDecision.considered, was"),  # type: ignore[dict-item]
    ],
)
def test_a_decision_that_is_none_fails_the_trade_agent(answer: Any, message: str) -> None:
    assert failing("trade_agent", trader=Deciding(answer)).startswith(message)


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize(
    ("stage", "part"),
    [("engine.hedge", "engines"), ("agent.Answering", "agents"), ("composer", "composer"), ("trade_agent", "trader")],
)
def test_an_exit_of_a_component_is_its_failure(raised: BaseException, stage: str, part: str) -> None:
    component = Answering(raised)
    parts = {part: [component] if part in ("engines", "agents") else component}
    assert failing(stage, **parts).startswith(type(raised).__name__)


def test_an_interrupt_of_the_user_ends_the_pass() -> None:
    class Interrupted(DummyAgent):
        def step(self, snapshot: StandardSnapshot) -> Suggestion:
            signal.raise_signal(signal.SIGINT)
            return super().step(snapshot)

    with pytest.raises(KeyboardInterrupt):
        pipeline(Records(), agents=[Interrupted()]).run_once(NOW)


def test_a_component_may_not_change_what_others_read() -> None:
    class Meddling(DummyAgent):
        def step(self, snapshot: StandardSnapshot) -> Suggestion:
            snapshot.hedge["answer"] = NAN
            return super().step(snapshot)

    class MeddlingComposer(FirstVoice):
        def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
            suggestions[0].forecast["horizon_days"] = NAN
            return super().compose(snapshot, suggestions)

    said = failing("agent.Meddling", agents=[Meddling()])
    assert said == "Expected the StandardSnapshot to be left as it is, was changed in hedge"
    said = failing("composer", composer=MeddlingComposer())
    assert said.startswith("Suggestion.forecast.horizon_days: Expected a finite number")


class Measuring(FrameEngine):
    """An engine of one feature, whose rows a test bends."""

    kind: ClassVar[EngineKind] = "hedge"
    features: ClassVar[tuple[FeatureSpec, ...]] = (FeatureSpec("answer", "count", "To everything"),)

    def __init__(self, bend: Callable[[EngineFrames], Any] = lambda frames: frames, known_at: Any = NOW) -> None:
        self._bend, self._known_at = bend, known_at

    def load(self, keys: pl.DataFrame) -> EngineData:
        rows = pl.DataFrame({"known_at": [self._known_at]}, schema={"known_at": UTC_TIME})
        return {"bars": rows}

    def compute(
        self, keys: pl.DataFrame, data: EngineData, upstream: Mapping[EngineKind, EngineFrames]
    ) -> EngineFrames:
        rows = keys.with_columns(answer=42.0, confidence=0.9, regime=pl.lit("calm"), meta__degraded=pl.lit("none"))
        bent: EngineFrames = self._bend(self.assemble(rows))
        return bent


Bend = Callable[[pl.DataFrame], pl.DataFrame]
ROWS: dict[str, tuple[Bend, str]] = {
    "a key too few": (lambda f: f[:-1], "Expected one row a key, was no row for CCC"),
    "a key twice": (lambda f: pl.concat([f, f[:1]]), "Expected one row a key, was more than one for AAA"),
    "another key": (
        lambda f: f.with_columns(symbol=pl.col("symbol").replace("BBB", "XXX")),
        "Expected one row a key, was no row for BBB",
    ),
    "a key too many": (
        lambda f: pl.concat([f, f[:1].with_columns(symbol=pl.lit("XXX"))]),
        "Expected one row a key, was a row nobody asked for for XXX",
    ),
    "another order": (lambda f: f.reverse(), "Expected rows in the order of the keys, was CCC"),
    "no such feature": (lambda f: f.drop("answer"), "Expected a column answer of numbers (f64), was symbol, timestamp"),
    "a feature of text": (
        lambda f: f.with_columns(answer=pl.lit("x")),
        "Expected column answer to hold numbers (f64), was text",
    ),
    "an infinite feature": (
        lambda f: f.with_columns(answer=pl.lit(INF)),
        "Expected a finite number or null in answer, was inf for AAA",
    ),
    "NaN confidence": (
        lambda f: f.with_columns(confidence=pl.lit(NAN)),
        "Expected a finite number or null in confidence, was nan for AAA",
    ),
    "confidence above 1": (
        lambda f: f.with_columns(confidence=pl.lit(1.5)),
        "Expected a number from 0 to 1 in confidence, was 1.5 for AAA",
    ),
    "no confidence": (
        lambda f: f.with_columns(confidence=pl.lit(None, pl.Float64)),
        "Expected a confidence for every key, was null for AAA",
    ),
    "a regime of numbers": (lambda f: f.with_columns(regime=pl.lit(1)), "Expected column regime to hold text, was i"),
    "naive times": (
        lambda f: f.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
        "Expected column timestamp to hold UTC times in microseconds, was times in us, without a time zone",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_an_engine_that_are_none_are_refused(name: str) -> None:
    bend, message = ROWS[name]
    keys = keys_at(["AAA", "BBB", "CCC"], NOW)
    engine = Measuring()
    frames = engine.frames(keys)
    assert checked_frames(frames, engine, keys) is frames
    with pytest.raises(StageError) as caught:
        checked_frames(replace(frames, features=bend(frames.features)), engine, keys)
    assert caught.value.message.startswith(message)


def test_profiles_of_an_engine_are_of_its_keys_and_finite() -> None:
    keys, engine = keys_at(["AAA"], NOW), Measuring()
    row = {"symbol": "AAA", "timestamp": NOW, "name": "curve", "x": 1.0, "value": NAN}
    for change, message in (
        ({}, "details: Expected a finite number or null in value, was nan for AAA"),
        ({"symbol": "BBB", "value": 1.0}, "details: Expected rows of the keys asked for, was one of BBB"),
    ):
        details = pl.DataFrame([{**row, **change}], schema=DETAILS)
        with pytest.raises(StageError) as caught:
            checked_frames(replace(engine.frames(keys), details=details), engine, keys)
        assert caught.value.message.startswith(message)


def test_an_engine_that_reads_the_future_is_refused() -> None:
    late = NOW + timedelta(minutes=1)
    said = failing("engine.hedge", engines=[Measuring(known_at=late)])
    assert said == f"Expected nothing known after {NOW} in bars, was known_at {late}: look-ahead"
    kept = Records()
    pipeline(kept, engines=[Measuring()]).run_once(NOW)
    assert len(kept) == 1


DAILY = bars(symbol="AAA")
LATE = NOW + timedelta(days=1)
BENT_BARS: dict[str, tuple[Callable[[pl.DataFrame], Any], str]] = {
    "known later": (
        lambda f: f.with_columns(known_at=pl.lit(LATE, UTC_TIME)),
        "bars: Expected nothing known after the moment asked for, was timestamp or known_at",
    ),
    "of another symbol": (
        lambda f: f.with_columns(symbol=pl.lit("ZZZ")),
        "bars: Expected rows of the symbols asked for, was one of ZZZ",
    ),
    "without a column": (lambda f: f.drop("close"), "bars: Expected a column close of numbers (f64), was symbol"),
    "of whole numbers": (
        lambda f: f.with_columns(pl.col("close").cast(pl.Int64)),
        "bars: Expected column close to hold numbers (f64), was whole numbers (i64)",
    ),
    "no frame": (lambda f: f.to_dicts(), "bars: Expected a Polars DataFrame, was list"),
    "without a symbol": (
        lambda f: f.with_columns(symbol=pl.lit(None, pl.String)),
        "bars: Expected a value in symbol, was null",
    ),
    "backwards": (lambda f: f.reverse(), "bars: Expected rows in the order of time, was AAA"),
}


@pytest.mark.parametrize("name", BENT_BARS)
def test_tables_of_an_adapter_that_no_key_may_see_are_refused(name: str) -> None:
    bend, message = BENT_BARS[name]
    adapter = FixedAdapter(book(lambda *_: 100.0, symbol="AAA"), DAILY)
    keys = keys_at(["AAA"], NOW)
    PreloadedAdapter.load(adapter, keys, 60)

    class Bent(FixedAdapter):
        def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
            bent: pl.DataFrame = bend(super().fetch_bars(keys, lookback))
            return bent

    with pytest.raises(DataError) as caught:
        PreloadedAdapter.load(Bent(book(lambda *_: 100.0, symbol="AAA"), DAILY), keys, 60)
    assert caught.value.message.startswith(message)


def test_a_valid_answer_is_kept_apart_from_its_original() -> None:
    forecast = {"horizon_days": 1.0}
    original = Suggestion(**{**vars(STANCE), "forecast": forecast})
    agents: Any = [Answering(original)]
    result = pipeline(Records(), agents=agents).run_once(NOW)
    original.forecast["horizon_days"] = NAN
    assert result.primary_suggestions[0].forecast == {"horizon_days": 1.0}
    assert isinstance(result.trade_ideas[0], TradeIdea)
    assert isinstance(result.engine_outputs["hedge"], EngineOutput)
