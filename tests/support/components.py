"""Plain objects that satisfy the protocols: the smallest pipeline there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from gnosis_ray.agents.base import stable_id
from gnosis_ray.config import Config, load_config
from gnosis_ray.engines.base import Engine
from gnosis_ray.pipeline.pipeline_runner import PipelineRunner, RecordSink
from gnosis_ray.schemas.core_schemas import (
    Action,
    EngineKind,
    EngineOutput,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
)

T = TypeVar("T")


def settings(**flags: object) -> Config:
    """The default settings with some changed: ``trade__min_confidence=0.2``."""
    return load_config(flags={key.replace("__", "."): value for key, value in flags.items()}).config


@dataclass
class DummyEngine:
    """Says what it was told to say; ``calls`` may be shared with others to see who ran first."""

    kind: EngineKind = "hedge"
    requires: tuple[EngineKind, ...] = ()
    regime: str | None = "calm"
    confidence: float = 0.9
    metadata: dict[str, str] = field(default_factory=lambda: {"source": "dummy"})
    calls: list[str] = field(default_factory=list)

    def run(self, symbol: str, now: datetime) -> EngineOutput:
        """One feature, ``answer``."""
        self.calls.append(self.kind)
        return EngineOutput(
            kind=self.kind,
            symbol=symbol,
            timestamp=now,
            features={"answer": 42.0},
            confidence=self.confidence,
            regime=self.regime,
            metadata=self.metadata,
        )


@dataclass
class DummyAgent:
    """Takes one stance; leaves out the timestamp unless given one."""

    layer: str = "primary_hedge"
    action: Action = "long"
    timestamp: datetime | None = None

    def step(self, snapshot: StandardSnapshot) -> Suggestion:
        """The stance, with an id that the runner has to replace."""
        return Suggestion(
            id="whatever",
            layer=self.layer,
            symbol=snapshot.symbol,
            timestamp=self.timestamp,
            action=self.action,
            confidence=0.5,
            reasoning=f"the answer is {snapshot.hedge.get('answer')}",
        )


class FirstVoice:
    """The first suggestion decides."""

    def compose(self, snapshot: StandardSnapshot, suggestions: list[Suggestion]) -> Suggestion:
        """The first suggestion as the composite."""
        return suggestions[0].model_copy(update={"layer": "composer", "timestamp": None})


class OneShare:
    """Buys one share of everything; needs to know when."""

    def generate_trades(self, suggestion: Suggestion) -> list[TradeIdea]:
        """One idea."""
        if suggestion.timestamp is None:
            raise ValueError("when?")
        return [
            TradeIdea(
                id=stable_id(suggestion.id, suggestion.symbol, suggestion.timestamp, "one_share"),
                symbol=suggestion.symbol,
                strategy_type="one_share",
                side="long",
                legs=[TradeLeg(instrument_type="STOCK", direction="buy", qty=1)],
                cost_per_unit=10.0,
                max_loss=10.0,
                recommended_units=1,
                confidence=suggestion.confidence,
                rationale="because",
            )
        ]


class Records(list[LedgerRecord]):
    """A ledger in memory: a list."""


def raising(part: T, method: str) -> T:
    """The same part, whose ``method`` raises."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("no luck")

    setattr(part, method, fail)
    return part


def pipeline(
    ledger: RecordSink,
    *,
    symbol: str = "AAA",
    engines: Sequence[Engine] | None = None,
    agents: Sequence[DummyAgent] | None = None,
    composer: FirstVoice | None = None,
    trader: OneShare | None = None,
    config: Config | None = None,
) -> PipelineRunner:
    """One engine, one agent, unless told otherwise."""
    return PipelineRunner(
        symbol,
        [DummyEngine()] if engines is None else engines,
        [DummyAgent()] if agents is None else agents,
        composer or FirstVoice(),
        trader or OneShare(),
        ledger,
        config or settings(),
    )
