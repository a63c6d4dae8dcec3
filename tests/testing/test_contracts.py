"""The contract tests: our own plug-ins pass them, and one that breaks a contract fails the check about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.agents.base import PrimaryAgent
from gnosis_ray.agents.hedge_agent_v3 import HedgeAgentV3
from gnosis_ray.agents.liquidity_agent_v1 import LiquidityAgentV1
from gnosis_ray.agents.sentiment_agent_v1 import SentimentAgentV1
from gnosis_ray.agents.strategies.builtin_strategies import BUILTIN_STRATEGIES
from gnosis_ray.agents.strategies.strategy_spec import AtDelta, LegRule, StrategySpec
from gnosis_ray.config import Config
from gnosis_ray.data.store.source import StoreSource
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.engines.sentiment.processors import (
    FlowSentimentProcessor,
    FrameProcessor,
    NewsSentimentProcessor,
    TechnicalSentimentProcessor,
)
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.market.source import MarketSource
from gnosis_ray.schemas.core_schemas import StandardSnapshot, Suggestion, TradeIdea
from gnosis_ray.testing import (
    SAMPLE_MOMENTS,
    SAMPLE_SYMBOLS,
    AgentContract,
    ProcessorContract,
    ProviderContract,
    StrategyContract,
    agents,
    processors,
    providers,
    sample_snapshots,
    strategies,
    synthetic_source,
)
from gnosis_ray.testing.samples import sample_config
from tests.support.markets import bars_of, chains_of, stored


class TestSyntheticMarket(ProviderContract):
    symbols = SAMPLE_SYMBOLS
    moments = SAMPLE_MOMENTS

    def make_source(self) -> MarketSource:
        return synthetic_source()


class TestStore(ProviderContract):
    symbols = SAMPLE_SYMBOLS[:2]
    moments = (datetime(2026, 7, 9, 20, tzinfo=UTC), datetime(2026, 7, 10, 20, tzinfo=UTC))

    @pytest.fixture(autouse=True)
    def _filled(self, config: Config, market_calendar: SessionCalendar, tmp_path: Path) -> None:
        market = SyntheticSource(market_calendar, config.data.synthetic, config.market)
        chains = chains_of(market, list(self.symbols), list(self.moments))
        self.root = stored(tmp_path, chains, bars_of(market, list(self.symbols), self.moments[-1]))

    def make_source(self) -> MarketSource:
        return StoreSource(self.root)


class TestHedgeAgent(AgentContract):
    def make_agent(self) -> PrimaryAgent:
        return HedgeAgentV3(sample_config().agents.hedge)


class TestLiquidityAgent(AgentContract):
    def make_agent(self) -> PrimaryAgent:
        return LiquidityAgentV1(sample_config().agents.liquidity)


class TestSentimentAgent(AgentContract):
    def make_agent(self) -> PrimaryAgent:
        return SentimentAgentV1(sample_config().agents.sentiment)


class TestNewsProcessor(ProcessorContract):
    def make_processor(self, market: MarketAdapter) -> FrameProcessor:
        return NewsSentimentProcessor(market, sample_config().engines.sentiment.news)


class TestFlowProcessor(ProcessorContract):
    def make_processor(self, market: MarketAdapter) -> FrameProcessor:
        return FlowSentimentProcessor(sample_config().engines.sentiment.flow, market)


class TestTechnicalProcessor(ProcessorContract):
    def make_processor(self, market: MarketAdapter) -> FrameProcessor:
        return TechnicalSentimentProcessor(market, sample_config().engines.sentiment.technical)


@pytest.mark.parametrize("spec", BUILTIN_STRATEGIES, ids=lambda spec: spec.name)
def test_built_in_strategies_pass_under_a_name_of_their_own(spec: StrategySpec) -> None:
    strategies.check_strategy(lambda: replace(spec, name=f"own_{spec.name}"))


Break = Callable[[pl.DataFrame], pl.DataFrame]
LATER = timedelta(hours=1)


class Bent:
    """The synthetic market with one table bent."""

    def __init__(self, table: str, bend: Break, **attributes: Any) -> None:
        self._market = synthetic_source()
        self._table, self._bend = table, bend
        self.name, self.synthetic = "bent", True
        vars(self).update(attributes)

    def _answer(self, table: str, *arguments: Any) -> pl.DataFrame:
        rows: pl.DataFrame = getattr(self._market, table)(*arguments)
        return self._bend(rows) if table == self._table else rows

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        return self._answer("raw_chains", keys)

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        return self._answer("bars", keys, lookback)

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        return self._answer("trades", keys, lookback_minutes)

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        return self._answer("quotes", keys, lookback_minutes)

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        return self._answer("news", keys, lookback_hours)

    def default_as_of(self, now: datetime) -> datetime:
        return now


def first_nan(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(float("nan")).otherwise("close").alias("close"))


def counted(calls: Iterator[int]) -> Break:
    return lambda rows: rows.with_columns(volume=pl.col("volume") + next(calls))


def nothing(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.clear()


class Nothing(Bent):
    """Knows nothing of anything."""

    def _answer(self, table: str, *arguments: Any) -> pl.DataFrame:
        rows: pl.DataFrame = getattr(self._market, table)(*arguments)
        return rows.clear()


class Averaged(Bent):
    """Adds to each volume the mean over whatever else is asked for."""

    def __init__(self) -> None:
        super().__init__("bars", lambda rows: rows.with_columns(volume=pl.col("volume") + pl.col("volume").mean()))


BENT: list[tuple[str, Callable[[], MarketSource]]] = [
    ("check_description", lambda: Bent("bars", nothing, name="")),
    ("check_description", lambda: Bent("bars", nothing, synthetic="yes")),
    ("check_columns", lambda: Bent("bars", lambda rows: rows.drop("adjusted_close"))),
    ("check_columns", lambda: Bent("news", lambda rows: rows.with_columns(mood=pl.lit(1.0)))),
    ("check_columns", lambda: Bent("trades", lambda rows: rows.cast({"size": pl.Int64}))),
    ("check_rows", lambda: Nothing("", nothing)),
    ("check_order", lambda: Bent("quotes", lambda rows: rows.reverse())),
    ("check_point_in_time", lambda: Bent("bars", lambda rows: rows.with_columns(pl.col("known_at") + LATER))),
    ("check_point_in_time", lambda: Bent("trades", lambda rows: rows.with_columns(pl.col("timestamp") + LATER))),
    ("check_point_in_time", lambda: Bent("news", lambda rows: rows.with_columns(pl.col("timestamp") - 99 * LATER))),
    ("check_point_in_time", lambda: Bent("raw_chains", lambda rows: rows.with_columns(pl.col("known_at") - LATER))),
    ("check_finite", lambda: Bent("bars", first_nan)),
    ("check_deterministic", lambda: Bent("bars", counted(iter(range(10_000))))),
    ("check_batches", Averaged),
]


@pytest.mark.parametrize(("check", "make"), BENT)
def test_a_bent_provider_fails_the_check(check: str, make: Callable[[], MarketSource]) -> None:
    arguments: tuple[Sequence[Any], ...] = (SAMPLE_MOMENTS,)
    if check != "check_description":
        arguments = (SAMPLE_SYMBOLS, SAMPLE_MOMENTS)
    with pytest.raises(AssertionError, match="Expected"):
        getattr(providers, check)(make(), *arguments)
    with pytest.raises(AssertionError, match="Expected"):
        providers.check_provider(make(), SAMPLE_SYMBOLS, SAMPLE_MOMENTS)


class Bullish:
    """Stands long; each broken agent changes one thing about it."""

    layer = "bullish"

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        known = "hedge" in snapshot.engines
        return Suggestion(
            id=self.layer,
            layer=self.layer,
            symbol=snapshot.symbol,
            action="long" if known else "flat",
            confidence=0.5 if known else 0.0,
            reasoning="it rises",
        )


class ManyLayers(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        self.layer = snapshot.symbol
        return super().step(snapshot)


class OtherSymbol(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"symbol": "SPY"})


class OtherMoment(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"timestamp": snapshot.timestamp + LATER})


class Endless(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"forecast": {"exp_return_1d": math.inf}})


class Overconfident(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"confidence": 1.5})


class SureOfNothing(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"confidence": 0.5})


class Remembering(Bullish):
    calls = 0

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        self.calls += 1
        return super().step(snapshot).model_copy(update={"reasoning": f"it rises, {self.calls} times"})


class Meddling(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        snapshot.hedge["mine"] = 1.0
        return super().step(snapshot)


class Unpicklable(Bullish):
    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        return super().step(snapshot).model_copy(update={"tags": [lambda: None]})


def test_what_the_broken_ones_are_made_of_is_whole() -> None:
    agents.check_agent(Bullish, sample_snapshots())
    processors.check_processor(Headlines)
    strategies.check_strategy(lambda: OWN)
    providers.check_provider(Bent("", nothing), SAMPLE_SYMBOLS, SAMPLE_MOMENTS)


@pytest.mark.parametrize(
    ("check", "make"),
    [
        ("check_answers", ManyLayers),
        ("check_answers", OtherSymbol),
        ("check_answers", OtherMoment),
        ("check_finite_answers", Endless),
        ("check_finite_answers", Overconfident),
        ("check_ignorance", SureOfNothing),
        ("check_pure", Remembering),
        ("check_snapshots_kept", Meddling),
        ("check_picklable_answers", Unpicklable),
    ],
)
def test_a_broken_agent_fails_the_check(check: str, make: Callable[[], PrimaryAgent]) -> None:
    with pytest.raises(AssertionError, match="Expected"):
        getattr(agents, check)(make, [snapshot.model_copy(deep=True) for snapshot in sample_snapshots()])


class Headlines:
    """Counts headlines; each broken processor changes one thing about it."""

    name = "news"

    def __init__(self, market: MarketAdapter) -> None:
        self.market = market

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        count = self.market.fetch_news(symbol, 72, now).height
        return (0.5, min(1.0, count / 10)) if count else (0.0, 0.0)


class Unnamed(Headlines):
    name = "weather"


class Unbounded(Headlines):
    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return 2.0, super().compute(symbol, now)[1]


class NotANumber(Headlines):
    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return math.nan, super().compute(symbol, now)[1]


class TooSure(Headlines):
    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return 0.0, super().compute(symbol, now)[1] * 20


class Loud(Headlines):
    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return 0.1, 0.5


class Counting(Headlines):
    calls = 0

    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        self.calls += 1
        return self.calls / 100, 0.5


class Clairvoyant(Headlines):
    def compute(self, symbol: str, now: datetime) -> tuple[float, float]:
        return super().compute(symbol, now + timedelta(days=1))


class SortedRows(NewsSentimentProcessor):
    """Answers in an order of its own."""

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        return super().score(keys, table).sort("symbol", "timestamp")


class Relative(NewsSentimentProcessor):
    """Scores a symbol against the others of its batch."""

    def score(self, keys: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
        return super().score(keys, table).with_columns(pl.col("confidence") / pl.len())


@pytest.mark.parametrize(
    ("check", "make"),
    [
        ("check_source", Unnamed),
        ("check_scores", Unbounded),
        ("check_scores", NotANumber),
        ("check_scores", TooSure),
        ("check_silence", Loud),
        ("check_pure", Counting),
        ("check_point_in_time", Clairvoyant),
        ("check_batches", lambda market: SortedRows(market, sample_config().engines.sentiment.news)),
        ("check_batches", lambda market: Relative(market, sample_config().engines.sentiment.news)),
    ],
)
def test_a_broken_processor_fails_the_check(check: str, make: processors.MakeProcessor) -> None:
    with pytest.raises(AssertionError, match="Expected"):
        getattr(processors, check)(make)


LONG_CALL = next(spec for spec in BUILTIN_STRATEGIES if spec.name == "long_call")
OWN = replace(LONG_CALL, name="own")
CALLS = count(1)


class Renamed:
    """A declaration that differs each time."""

    count = 0

    def __call__(self) -> StrategySpec:
        self.count += 1
        return replace(OWN, min_reward=self.count / 1000)


class Unsendable(StrategySpec):
    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("it stays here")


def unsendable() -> StrategySpec:
    return Unsendable(**vars(OWN))


def untradable() -> StrategySpec:
    nowhere = AtDelta(target=0.001, low=0.0009, high=0.0011)
    return replace(OWN, legs=(LegRule("C", "buy", nowhere),))


@pytest.mark.parametrize(
    ("check", "make"),
    [
        ("check_declaration", lambda: 5),
        ("check_declaration", lambda: replace(OWN, name="two words")),
        ("check_declaration", lambda: LONG_CALL),
        ("check_declaration", Renamed()),
        ("check_picklable", unsendable),
        ("check_trades", untradable),
    ],
)
def test_a_broken_strategy_fails_the_check(check: str, make: strategies.MakeStrategy) -> None:
    with pytest.raises(AssertionError, match="Expected"):
        getattr(strategies, check)(make)


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (strategies.check_pure, lambda idea: {"confidence": 1 / next(CALLS)}),
        (strategies.check_ideas, lambda idea: {"legs": idea.legs * 2}),
        (strategies.check_ideas, lambda idea: {"cost_per_unit": math.nan}),
        (strategies.check_ideas, lambda idea: {"max_loss": 0.0}),
        (strategies.check_ideas, lambda idea: {"recommended_units": 0}),
    ],
)
def test_trades_that_differ_each_time_or_from_their_declaration_fail(
    check: Callable[[strategies.MakeStrategy], None],
    change: Callable[[TradeIdea], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No declaration can do that: the agent that trades it is broken here."""
    true = strategies._traded

    def changed(spec: StrategySpec, stance: Suggestion) -> tuple[list[TradeIdea], str]:
        ideas, reason = true(spec, stance)
        return [idea.model_copy(update=change(idea)) for idea in ideas], reason

    monkeypatch.setattr(strategies, "_traded", changed)
    with pytest.raises(AssertionError, match="Expected"):
        check(lambda: OWN)


class TestOwnStrategy(StrategyContract):
    def make_strategy(self) -> StrategySpec:
        return OWN


@pytest.mark.parametrize(
    ("contract", "checks"),
    [
        (AgentContract, agents.CHECKS),
        (ProcessorContract, processors.CHECKS),
        (ProviderContract, (providers.check_description, *providers.CHECKS)),
        (StrategyContract, strategies.CHECKS),
    ],
)
def test_a_class_has_one_test_for_each_check(contract: type, checks: Sequence[object]) -> None:
    assert len([name for name in vars(contract) if name.startswith("test_")]) == len(checks)


def test_the_samples_are_the_synthetic_market_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__DATA__PROVIDER", "store")
    assert synthetic_source().bars(keys_at(["AAPL"], SAMPLE_MOMENTS[-1]), 5).height == 5
