"""A pass over a batch of symbols: engines once for the batch, then the one pipeline symbol by symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol

import polars as pl

from gnosis_ray.agents.base import ComposerAgent, PrimaryAgent, TradeAgent
from gnosis_ray.clock import Stopwatch, summed_by_stage
from gnosis_ray.config import Config, as_of_text
from gnosis_ray.engines.base import EngineFrames, FrameEngine
from gnosis_ray.errors import ClusterError, NoDataError, StageError, require_no_fault_of_machine
from gnosis_ray.interrupts import reraise_since, signals_noted, signals_seen
from gnosis_ray.ledger.evidence import no_evidence
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.columns import DETAILS, HEADLINES, KEYS
from gnosis_ray.market.data_requirements import DataRequirements, merge_requirements
from gnosis_ray.pipeline.entry_checks import checked_frames
from gnosis_ray.pipeline.evidence import (
    BARS_KEPT,
    Outcomes,
    bars_frame,
    considered_frame,
    leg_quotes_frame,
    payoffs_frame,
)
from gnosis_ray.pipeline.pipeline_runner import PipelineRunner, in_required_order
from gnosis_ray.pipeline.precomputed_engine import PrecomputedEngine
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter, ReferenceReader
from gnosis_ray.schemas.core_schemas import EngineKind, LedgerRecord
from gnosis_ray.schemas.run_schemas import Failure


class PipelineComponents(Protocol):
    """Builds the components of a pipeline over any adapter."""

    def engines(self, adapter: MarketAdapter) -> list[FrameEngine]:
        """The configured engines."""
        ...

    def primary_agents(self) -> list[PrimaryAgent]:
        """The configured primary agents."""
        ...

    def composer(self) -> ComposerAgent:
        """The composer."""
        ...

    def trade_agent(self, adapter: MarketAdapter) -> TradeAgent:
        """The trade agent."""
        ...


@dataclass
class BatchOutcome:
    """The result of a pass over a batch: records by symbol and timestamp, profiles, the evidence behind them, and the
    symbols that failed."""

    records: list[LedgerRecord] = field(default_factory=list)
    details: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DETAILS))
    evidence: dict[str, pl.DataFrame] = field(default_factory=no_evidence)
    """By table of the ledger: see :data:`gnosis_ray.ledger.evidence.EVIDENCE`."""
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> seconds of work."""

    @classmethod
    def merged(cls, outcomes: Sequence[BatchOutcome]) -> BatchOutcome:
        """One outcome of several with different symbols: the same however the symbols were divided."""
        whole = cls(
            records=sorted(
                (r for o in outcomes for r in o.records), key=lambda record: (record.symbol, record.timestamp)
            ),
            failures=sorted((f for o in outcomes for f in o.failures), key=lambda failure: failure.symbol),
        )
        if outcomes:
            details = pl.concat([outcome.details for outcome in outcomes])
            whole.details = details.sort("symbol", maintain_order=True)
            whole.evidence = {
                table: pl.concat([outcome.evidence[table] for outcome in outcomes]) for table in whole.evidence
            }
        whole.seconds = summed_by_stage(outcome.seconds for outcome in outcomes)
        return whole

    def append(self, record: LedgerRecord) -> None:
        """Keep one record: the runner's sink."""
        self.records.append(record)

    def degraded(self) -> dict[str, tuple[str, ...]]:
        """Reason -> symbols, both sorted; a reason reads ``hedge:stale_quotes``."""
        found: dict[str, list[str]] = {}
        for record in self.records:
            for kind, summary in record.snapshot.engines.items():
                for reason in summary.degraded:
                    found.setdefault(f"{kind}:{reason}", []).append(record.symbol)
        return {reason: tuple(sorted(found[reason])) for reason in sorted(found)}

    def quote_age_sessions(self) -> float | None:
        """Sessions that closed since the oldest quotes in use were made; None without quotes."""
        ages = (record.snapshot.hedge.get("quote_age_sessions") for record in self.records)
        return max((age for age in ages if age is not None), default=None)


@dataclass
class MeasuredBatch:
    """What the engines made of a batch of keys (``columns.KEYS``)."""

    adapter: PreloadedAdapter
    """Over the data that was read for the keys."""
    engines: list[PrecomputedEngine]
    """In the order of what they require."""
    keys: pl.DataFrame
    """Those that every engine measured, sorted."""
    unknown: pl.DataFrame
    """Those of which neither a chain nor a bar was known, sorted."""
    failures: list[Failure]
    """Of the other keys that are missing."""

    @property
    def details(self) -> pl.DataFrame:
        """The profiles of the measured keys: ``columns.DETAILS``."""
        details = [engine.frames.details for engine in self.engines if not engine.frames.details.is_empty()]
        return pl.concat(details) if details else pl.DataFrame(schema=DETAILS)

    @property
    def headlines(self) -> pl.DataFrame:
        """The news of the measured keys as they were scored: ``columns.HEADLINES``."""
        return pl.concat([pl.DataFrame(schema=HEADLINES), *(engine.frames.headlines for engine in self.engines)])

    def curves(self) -> pl.DataFrame:
        """The curves behind the features of the measured keys: ``columns.DETAILS``."""
        frames = {engine.kind: engine.frames for engine in self.engines}
        return pl.concat([pl.DataFrame(schema=DETAILS), *(engine.curves(frames) for engine in self.engines)])


class BatchPass:
    """Reads a batch's data once, computes each engine once, then drives :class:`PipelineRunner` key by key.

    One object serves any number of batches: what their engines declare to read is asked once, and the reference
    symbols are read once for all batches of the same timestamps.
    """

    def __init__(self, components: PipelineComponents, adapter: MarketAdapter, config: Config) -> None:
        self._components = components
        self._adapter = adapter
        self._config = config
        self._reference = ReferenceReader(adapter)

    @cached_property
    def _requirements(self) -> DataRequirements:
        engines = self._components.engines(self._adapter)
        needs = merge_requirements(engine.data_requirements for engine in engines if isinstance(engine, FrameEngine))
        return replace(needs, bar_lookback=max(needs.bar_lookback, BARS_KEPT))

    def run(self, keys: pl.DataFrame) -> BatchOutcome:
        """One pass over ``keys`` (``columns.KEYS``): some symbols at one moment, or a panel of moments.

        What fails becomes a row of the outcome's failures; only a failure to read the data is raised.
        """
        watch = Stopwatch()
        with signals_noted():
            return self._run(keys, watch)

    def _run(self, keys: pl.DataFrame, watch: Stopwatch) -> BatchOutcome:
        measured = self.measure(keys, watch)
        unknown = [_nothing_known(symbol, at) for symbol, at in measured.unknown.iter_rows()]
        outcome = BatchOutcome(failures=[*unknown, *measured.failures], seconds=watch.seconds)
        with watch("agents"):
            considered = self._decide(measured, outcome)
        outcome.failures.sort(key=lambda failure: failure.symbol)
        recorded = _keys([(record.symbol, record.timestamp) for record in outcome.records])
        outcome.details = measured.details.join(recorded, on=KEYS.names(), how="semi", maintain_order="left")
        with watch("evidence"):
            outcome.evidence = _evidence(measured, outcome.records, recorded, considered)
        return outcome

    def measure(self, keys: pl.DataFrame, watch: Stopwatch) -> MeasuredBatch:
        """The engines alone over ``keys``; ``watch`` counts the seconds by stage."""
        with watch("load"):
            adapter = self._read(keys.sort(KEYS.names()))
        known = adapter.known_keys()
        unknown = keys.join(known, on=KEYS.names(), how="anti").sort(KEYS.names())
        engines: list[PrecomputedEngine] = []
        failures: list[Failure] = []
        frames: dict[EngineKind, EngineFrames] = {}
        for _, engine in in_required_order([(e.kind, e) for e in self._components.engines(adapter)]):
            if not isinstance(engine, FrameEngine):
                raise StageError(f"Expected a FrameEngine in a batch, was {type(engine).__name__}")
            with watch(f"engine.{engine.kind}"):
                isolated = _isolated(engine, known, frames)
            frames[engine.kind] = isolated.engine.frames
            engines.append(isolated.engine)
            failures += [failure for _, failure in isolated.failures]
            known = known.join(_keys([key for key, _ in isolated.failures]), on=KEYS.names(), how="anti").sort(
                KEYS.names()
            )
        return MeasuredBatch(adapter, engines, known, unknown, failures)

    def _read(self, keys: pl.DataFrame) -> PreloadedAdapter:
        """The data of the keys and of the reference symbols, as far back as the engines declare."""
        needs = self._requirements
        loaded = PreloadedAdapter.load(self._adapter, keys, needs.bar_lookback)
        if not needs.reference.symbols:
            return loaded
        return loaded.with_reference(self._reference.read(needs.reference.keys(keys), needs.reference_bar_lookback))

    def _decide(self, measured: MeasuredBatch, outcome: BatchOutcome) -> Outcomes:
        """Ask the agents key by key: built once, they are to keep no memory between two calls."""
        keys = measured.keys.rows()
        considered: dict[tuple[str, datetime], Mapping[str, str]] = {}
        if not keys:
            return considered
        components = self._components
        first = PipelineRunner(
            keys[0][0],
            measured.engines,
            components.primary_agents(),
            components.composer(),
            components.trade_agent(measured.adapter),
            outcome,
            self._config,
        )
        for symbol, as_of in keys:
            try:
                considered[symbol, as_of] = first.for_symbol(symbol).run_once(as_of).considered
            except StageError as error:
                outcome.failures.append(Failure.of(error, symbol=symbol, stage="pipeline"))
        return considered


def _evidence(
    measured: MeasuredBatch, records: Sequence[LedgerRecord], recorded: pl.DataFrame, considered: Outcomes
) -> dict[str, pl.DataFrame]:
    """The evidence behind the records, ``recorded`` being their keys."""
    if recorded.is_empty():
        return no_evidence()
    quotes = leg_quotes_frame(records, recorded, measured.adapter)
    frames = {
        "considered": considered_frame(considered),
        "leg_quotes": quotes,
        "payoffs": payoffs_frame(records, quotes),
        "curves": measured.curves(),
        "bars": bars_frame(recorded, measured.adapter),
        "headlines": measured.headlines,
    }
    return {name: frame.join(recorded, on=KEYS.names(), how="semi") for name, frame in frames.items()}


@dataclass
class _Isolated:
    """An engine over a batch, and the keys that it could not measure."""

    engine: PrecomputedEngine
    failures: list[tuple[tuple[str, datetime], Failure]]


def _isolated(engine: FrameEngine, keys: pl.DataFrame, upstream: dict[EngineKind, EngineFrames]) -> _Isolated:
    """The engine over the batch; if that raises, key by key, so that only those at fault fail."""
    computed = _computed(engine, keys, upstream)
    if isinstance(computed, PrecomputedEngine):
        return _Isolated(computed, [])
    if len(keys) == 1:
        symbol, as_of = keys.select(KEYS.names()).row(0)
        failure = Failure.of(computed, symbol=symbol, stage=f"engine.{engine.kind}", untyped="component")
        return _Isolated(PrecomputedEngine(engine, engine.empty()), [((symbol, as_of), failure)])
    each = [keys[i : i + 1] for i in range(len(keys))]
    singles = [_isolated(engine, one, upstream) for one in each]
    good = [single.engine.frames for single in singles if not single.failures] or [engine.empty()]
    merged = EngineFrames(
        pl.concat([frames.features for frames in good], how="diagonal"),
        pl.concat([frames.details for frames in good]),
        pl.concat([frames.headlines for frames in good]),
    )
    return _Isolated(PrecomputedEngine(engine, merged), [failure for single in singles for failure in single.failures])


def _computed(
    engine: FrameEngine, keys: pl.DataFrame, upstream: Mapping[EngineKind, EngineFrames]
) -> PrecomputedEngine | BaseException:
    """The engine over the keys, or what it raised. An error of reading the data is raised, as one of a process is."""
    seen = signals_seen()
    try:
        data = engine.load(keys)
    except StageError as error:  # of a component, such as a processor
        return error
    try:
        return PrecomputedEngine(engine, checked_frames(engine.compute(keys, data, upstream), engine, keys))
    except ClusterError:
        raise  # an engine's process is gone: no fault of a symbol
    except BaseException as error:  # noqa: BLE001 - whatever a symbol raises becomes its failure row
        reraise_since(seen)  # the user's own interrupt
        require_no_fault_of_machine(error)
        return error


def _keys(rows: Sequence[tuple[str, datetime]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=KEYS, orient="row")


def _nothing_known(symbol: str, now: datetime) -> Failure:
    error = NoDataError(f"No chain and no bars known at {as_of_text(now)}", symbol=symbol, stage="load")
    return Failure.of(error, symbol=symbol, stage="load")
