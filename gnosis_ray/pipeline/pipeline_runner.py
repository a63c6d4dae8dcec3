"""PipelineRunner: one symbol's pass from engines to ledger. The only pipeline there is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ParamSpec, Protocol, TypeVar

from gnosis_ray.agents.base import (
    ComposerAgent,
    DecidingTradeAgent,
    PrimaryAgent,
    TradeAgent,
    TradeDecision,
    stable_id,
)
from gnosis_ray.config import Config, settings_hash
from gnosis_ray.engines.base import Engine, EngineFrames, FrameEngine
from gnosis_ray.errors import ClusterError, StageError, require_no_fault_of_machine
from gnosis_ray.interrupts import reraise_since, signals_noted, signals_seen
from gnosis_ray.market.keys import one_key
from gnosis_ray.pipeline.entry_checks import (
    checked_decision,
    checked_frames,
    checked_ideas,
    checked_output,
    checked_suggestion,
    contents,
    require_known,
    require_unchanged,
)
from gnosis_ray.pipeline.precomputed_engine import PrecomputedEngine
from gnosis_ray.schemas.core_schemas import (
    EngineKind,
    EngineOutput,
    EngineSummary,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    reason_names,
    to_utc,
)

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=Engine | FrameEngine)


class RecordSink(Protocol):
    """Where a pass appends its record: a ledger store, or the outcome of a batch."""

    def append(self, record: LedgerRecord) -> None:
        """Keep one record."""
        ...


@dataclass(frozen=True)
class PipelineResult(Mapping[str, Any]):
    """What one pass measured and decided: each field as an attribute, or by its name as a key."""

    snapshot: StandardSnapshot
    engine_outputs: dict[EngineKind, EngineOutput]
    primary_suggestions: list[Suggestion]
    composite_suggestion: Suggestion
    trade_ideas: list[TradeIdea]
    considered: Mapping[str, str] = field(default_factory=dict)
    """What the trade agent made of each of its strategies, by name; empty where it does not say."""

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return any(one.name == name for one in fields(self))

    def __iter__(self) -> Iterator[str]:
        return (one.name for one in fields(self))

    def __len__(self) -> int:
        return len(fields(self))


class PipelineRunner:
    """Runs engines in the order of what they require, fuses, asks the agents, composes, trades, keeps the record.

    Works with any number of engines and agents from one up. A component that raises, ``SystemExit`` included, becomes a
    :class:`StageError` with the symbol and the stage; so does one that returns anything but a finite answer about the
    symbol and the moment, or changes what it was given. :class:`ClusterError`, of a component whose process is gone,
    is passed on as it is, and so is an interrupt by a signal.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> config = gr.load_config()
    >>> market, now = gr.open_market(config), config.data.synthetic.as_of
    >>> runner = gr.PipelineRunner(
    ...     symbol="AAPL",
    ...     engines=[gr.LiquidityEngineV1(market, config.engines.liquidity)],
    ...     primary_agents=[gr.LiquidityAgentV1(config.agents.liquidity)],
    ...     composer=gr.ComposerAgentV1(config.composer.weights, config.composer),
    ...     trade_agent=gr.TradeAgentV1(market, config.trade),
    ...     ledger_store=gr.LedgerStore("ledger"),
    ...     config=config,
    ... )
    >>> result = runner.run_once(now)
    >>> [suggestion.layer for suggestion in result.primary_suggestions]
    ['primary_liquidity']
    >>> [record.symbol for record in gr.LedgerStore("ledger").stream()]
    ['AAPL']
    """

    def __init__(
        self,
        symbol: str,
        engines: Sequence[Engine | FrameEngine] | Mapping[str, Engine | FrameEngine],
        primary_agents: Sequence[PrimaryAgent] | Mapping[str, PrimaryAgent],
        composer: ComposerAgent,
        trade_agent: TradeAgent,
        ledger_store: RecordSink,
        config: Config | Mapping[str, object],
    ) -> None:
        """Wire a pipeline.

        Parameters
        ----------
        symbol
            What every call of :meth:`run_once` is about.
        engines, primary_agents
            In the order in which they are asked; the keys of a mapping name nothing but an engine without a ``kind``.
        ledger_store
            Receives one record a pass.
        config
            Settings that enter the ids: of a :class:`Config` those that change a decision, of a mapping all of it. The
            ids of an empty mapping are those of no settings, and differ from those of the default settings.

        Raises
        ------
        StageError
            Where engines require each other in a circle.
        ConfigError
            Where a mapping holds what JSON cannot.
        """
        self._symbol = symbol
        self._engines = in_required_order(_named(engines))
        self._primary_agents = list(primary_agents.values() if isinstance(primary_agents, Mapping) else primary_agents)
        self._composer = composer
        self._trade_agent = trade_agent
        self._ledger = ledger_store
        self._config_hash = settings_hash(config)

    def for_symbol(self, symbol: str) -> PipelineRunner:
        """The same pipeline for another symbol: engines, agents, their order and the settings' hash are shared."""
        other = copy.copy(self)
        other._symbol = symbol
        return other

    def run_once(self, now: datetime) -> PipelineResult:
        """One pass as of ``now``; appends one record to the ledger. Raises :class:`StageError`."""
        with signals_noted():
            return self._run(to_utc(now))

    def _run(self, now: datetime) -> PipelineResult:
        outputs = self._measure(now)
        snapshot = self._stage("snapshot", self._build_snapshot, now, outputs)
        primary = [
            self._stage(f"agent.{type(agent).__name__}", self._step, agent, snapshot, now)
            for agent in self._primary_agents
        ]
        composite = self._stage("composer", self._compose, snapshot, primary, now)
        decision = self._stage("trade_agent", self._decide, composite, now)
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
        return PipelineResult(snapshot, outputs, primary, composite, decision.ideas, decision.considered)

    def _measure(self, now: datetime) -> dict[EngineKind, EngineOutput]:
        outputs: dict[EngineKind, EngineOutput] = {}
        frames: dict[EngineKind, EngineFrames] = {}
        for name, engine in self._engines:
            output = self._stage(f"engine.{name}", self._run_engine, engine, now, frames)
            if output.kind in outputs:
                raise StageError(
                    f"Expected one engine a kind, was a second one of {output.kind}",
                    symbol=self._symbol,
                    stage=f"engine.{name}",
                )
            outputs[output.kind] = output
        return outputs

    def _run_engine(
        self, engine: Engine | FrameEngine, now: datetime, frames: dict[EngineKind, EngineFrames]
    ) -> EngineOutput:
        if isinstance(engine, PrecomputedEngine):
            return engine.run(self._symbol, now)  # checked with its batch
        if not isinstance(engine, FrameEngine):
            return checked_output(engine.run(self._symbol, now), self._symbol, now)
        keys = one_key(self._symbol, now)
        data = engine.load(keys)
        require_known(data, now)
        frames[engine.kind] = checked_frames(engine.compute(keys, data, frames), engine, keys)
        return next(frames[engine.kind].outputs(engine.kind, engine.features))

    def _build_snapshot(self, now: datetime, outputs: Mapping[EngineKind, EngineOutput]) -> StandardSnapshot:
        """Features and summary by engine; the regime of the most confident one; ``{kind}.{key}`` metadata."""
        metadata: dict[str, str] = {}
        for kind, output in outputs.items():
            metadata |= {f"{kind}.{key}": value for key, value in output.metadata.items()}
            metadata[f"{kind}.confidence"] = repr(output.confidence)
            if output.regime is not None:
                metadata[f"{kind}.regime"] = output.regime
        with_regime = [o for o in outputs.values() if o.regime is not None]
        # max() keeps the first of equals, and the engines' order is fixed
        regime = max(with_regime, key=lambda o: o.confidence).regime if with_regime else None
        sections = {kind: output.features for kind, output in outputs.items()}
        return StandardSnapshot(
            symbol=self._symbol,
            timestamp=now,
            regime=regime,
            metadata=metadata,
            engines={kind: _summary(output) for kind, output in outputs.items()},
            **sections,
        )

    def _step(self, agent: PrimaryAgent, snapshot: StandardSnapshot, now: datetime) -> Suggestion:
        before = contents(snapshot)
        stance = self._stamped(agent.step(snapshot), now)
        require_unchanged([snapshot], [before])
        return stance

    def _compose(self, snapshot: StandardSnapshot, primary: list[Suggestion], now: datetime) -> Suggestion:
        given = [snapshot, *primary]
        before = [contents(model) for model in given]
        composite = self._stamped(self._composer.compose(snapshot, list(primary)), now)
        require_unchanged(given, before)
        return composite

    def _decide(self, composite: Suggestion, now: datetime) -> TradeDecision:
        before = contents(composite)
        if isinstance(self._trade_agent, DecidingTradeAgent):
            decision = checked_decision(self._trade_agent.decide(composite), self._symbol, now)
        else:
            ideas = self._trade_agent.generate_trades(composite)
            decision = TradeDecision(ideas=checked_ideas(ideas, self._symbol, now))
        require_unchanged([composite], [before])
        return decision

    def _stamped(self, found: object, now: datetime) -> Suggestion:
        """A stance as it is kept: with the moment, and the id, which is the same on every route."""
        layer = str(getattr(found, "layer", ""))
        identity = stable_id(self._config_hash, self._symbol, now, layer)
        return checked_suggestion(found, self._symbol, now, id=identity)

    def _stage(self, stage: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        seen = signals_seen()
        try:
            done = work(*args, **kwargs)
        except ClusterError:
            raise  # a component's process is gone: no fault of the symbol
        except BaseException as error:
            reraise_since(seen)  # the user's own interrupt
            require_no_fault_of_machine(error)
            raise StageError.wrap(error, symbol=self._symbol, stage=stage) from error
        reraise_since(seen)
        return done


def in_required_order(engines: Sequence[tuple[str, E]]) -> list[tuple[str, E]]:
    """Engines by name so that each comes after those it requires and that are present; the given order otherwise.

    Raises :class:`StageError` where they require each other in a circle.
    """
    waiting, done, ordered = list(engines), set[str](), list[tuple[str, E]]()
    present = {name for name, _ in engines}
    while waiting:
        ready = next((e for e in waiting if (set(getattr(e[1], "requires", ())) & present) <= done), None)
        if ready is None:
            names = ", ".join(name for name, _ in waiting)
            raise StageError(f"Engines require each other in a circle: {names}", stage="engines")
        waiting.remove(ready)
        ordered.append(ready)
        done.add(ready[0])
    return ordered


def _summary(output: EngineOutput) -> EngineSummary:
    return EngineSummary(
        confidence=output.confidence,
        regime=output.regime,
        degraded=reason_names(output.metadata.get("degraded")),
        absent=reason_names(output.metadata.get("absent")),
    )


def _named(engines: Sequence[E] | Mapping[str, E]) -> list[tuple[str, E]]:
    """Each engine with its kind; without one its key, or its class's name: then only its output states the kind."""
    if isinstance(engines, Mapping):
        return [(getattr(engine, "kind", key), engine) for key, engine in engines.items()]
    return [(getattr(engine, "kind", type(engine).__name__), engine) for engine in engines]
