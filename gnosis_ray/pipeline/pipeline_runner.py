"""PipelineRunner: one symbol's pass from engines to ledger. The only pipeline there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar

from gnosis_ray.agents.base import (
    ComposerAgent,
    DecidingTradeAgent,
    PrimaryAgent,
    TradeAgent,
    TradeDecision,
    stable_id,
)
from gnosis_ray.config import Config
from gnosis_ray.engines.base import Engine, EngineFrames, FrameEngine
from gnosis_ray.errors import ClusterError, StageError
from gnosis_ray.market.keys import one_key
from gnosis_ray.schemas.core_schemas import (
    EngineKind,
    EngineOutput,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    to_utc,
)

P = ParamSpec("P")
T = TypeVar("T")


class RecordSink(Protocol):
    """Where a pass leaves its record: a ledger store, or a batch that is still being filled."""

    def append(self, record: LedgerRecord) -> None:
        """Keep one record."""
        ...


@dataclass(frozen=True)
class PipelineResult:
    """What one pass measured and decided."""

    snapshot: StandardSnapshot
    engine_outputs: dict[EngineKind, EngineOutput]
    primary_suggestions: list[Suggestion]
    composite_suggestion: Suggestion
    trade_ideas: list[TradeIdea]


class PipelineRunner:
    """Runs engines in the order of what they require, fuses, asks the agents, composes, trades, keeps the record.

    Works with any number of engines and agents from one up. A part that raises becomes a :class:`StageError` with
    the symbol and the stage; :class:`ClusterError`, of a part whose process is gone, is passed on as it is.
    """

    def __init__(
        self,
        symbol: str,
        engines: Sequence[Engine | FrameEngine],
        primary_agents: Sequence[PrimaryAgent],
        composer: ComposerAgent,
        trade_agent: TradeAgent,
        ledger_store: RecordSink,
        config: Config,
    ) -> None:
        self._symbol = symbol
        self._engines = in_order_of_need(engines)
        self._primary_agents = primary_agents
        self._composer = composer
        self._trade_agent = trade_agent
        self._ledger = ledger_store
        self._config_hash = config.decision_hash()

    def run_once(self, now: datetime) -> PipelineResult:
        """One pass as of ``now``; appends one record to the ledger. Raises :class:`StageError`."""
        now = to_utc(now)
        outputs = self._measure(now)
        snapshot = self._stage("snapshot", self._build_snapshot, now, outputs)
        primary = [
            self._stamp(self._stage(f"agent.{type(agent).__name__}", agent.step, snapshot), now)
            for agent in self._primary_agents
        ]
        composite = self._stamp(self._stage("composer", self._composer.compose, snapshot, primary), now)
        decision = self._stage("trade_agent", self._decide, composite)
        if decision.dropped is not None:
            composite = composite.model_copy(update={"tags": [*composite.tags, f"dropped:{decision.dropped}"]})
        record = LedgerRecord(
            timestamp=now,
            symbol=self._symbol,
            snapshot=snapshot,
            primary_suggestions=primary,
            composite_suggestion=composite,
            trade_ideas=decision.ideas,
        )
        self._stage("ledger", self._ledger.append, record)
        return PipelineResult(snapshot, outputs, primary, composite, decision.ideas)

    def _measure(self, now: datetime) -> dict[EngineKind, EngineOutput]:
        outputs: dict[EngineKind, EngineOutput] = {}
        frames: dict[EngineKind, EngineFrames] = {}
        for engine in self._engines:
            outputs[engine.kind] = self._stage(f"engine.{engine.kind}", self._run_engine, engine, now, frames)
        return outputs

    def _run_engine(
        self, engine: Engine | FrameEngine, now: datetime, frames: dict[EngineKind, EngineFrames]
    ) -> EngineOutput:
        if not isinstance(engine, FrameEngine):
            return engine.run(self._symbol, now)
        frames[engine.kind] = engine.frames(one_key(self._symbol, now), frames)
        return next(frames[engine.kind].outputs(engine.kind, engine.features))

    def _build_snapshot(self, now: datetime, outputs: Mapping[EngineKind, EngineOutput]) -> StandardSnapshot:
        """Features by engine; the regime of the most confident one; ``{kind}.{key}`` metadata."""
        metadata: dict[str, str] = {}
        for kind, output in outputs.items():
            metadata |= {f"{kind}.{key}": value for key, value in output.metadata.items()}
            metadata[f"{kind}.confidence"] = repr(output.confidence)
            if output.regime is not None:
                metadata[f"{kind}.regime"] = output.regime
        with_regime = [o for o in outputs.values() if o.regime is not None]
        # max() keeps the first of equals: engines stand in a fixed order
        regime = max(with_regime, key=lambda o: o.confidence).regime if with_regime else None
        sections = {kind: output.features for kind, output in outputs.items()}
        return StandardSnapshot(symbol=self._symbol, timestamp=now, regime=regime, metadata=metadata, **sections)

    def _decide(self, composite: Suggestion) -> TradeDecision:
        if isinstance(self._trade_agent, DecidingTradeAgent):
            return self._trade_agent.decide(composite)
        return TradeDecision(ideas=self._trade_agent.generate_trades(composite))

    def _stamp(self, suggestion: Suggestion, now: datetime) -> Suggestion:
        """The moment where the agent left it out, and the id that every route gives to this stance."""
        moment = suggestion.timestamp or now
        identity = stable_id(self._config_hash, suggestion.symbol, moment, suggestion.layer)
        return suggestion.model_copy(update={"timestamp": moment, "id": identity})

    def _stage(self, stage: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except ClusterError:
            raise  # a part's process is gone: no fault of the symbol
        except Exception as error:
            raise StageError.wrap(error, symbol=self._symbol, stage=stage) from error


def in_order_of_need(engines: Sequence[Engine | FrameEngine]) -> list[Engine | FrameEngine]:
    """Engines so that each comes after those it requires and that are present; the given order otherwise."""
    waiting, done, ordered = list(engines), set[EngineKind](), list[Engine | FrameEngine]()
    present = {engine.kind for engine in engines}
    while waiting:
        ready = next((e for e in waiting if (set(getattr(e, "requires", ())) & present) <= done), None)
        if ready is None:
            kinds = ", ".join(engine.kind for engine in waiting)
            raise StageError(f"Engines require each other in a circle: {kinds}", stage="engines")
        waiting.remove(ready)
        ordered.append(ready)
        done.add(ready.kind)
    return ordered
