"""A pass over a batch of symbols: engines once for the batch, then the one pipeline symbol by symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

import polars as pl

from gnosis_ray.agents.base import ComposerAgent, PrimaryAgent, TradeAgent
from gnosis_ray.clock import Stopwatch
from gnosis_ray.config import Config, as_of_text
from gnosis_ray.engines.base import EngineData, EngineFrames, FrameEngine
from gnosis_ray.errors import ClusterError, NoDataError, StageError
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.columns import DETAILS
from gnosis_ray.market.data_requirements import DataRequirements, merge_requirements
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.pipeline_runner import PipelineRunner, in_required_order
from gnosis_ray.pipeline.precomputed_engine import PrecomputedEngine
from gnosis_ray.pipeline.preloaded_adapter import PreloadedAdapter, ReferenceReader
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS, EngineKind, LedgerRecord
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
    """The result of a pass over a batch: records in order of symbol, profiles, and the symbols that failed."""

    records: list[LedgerRecord] = field(default_factory=list)
    details: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DETAILS))
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> seconds of work."""

    @classmethod
    def merged(cls, outcomes: Sequence[BatchOutcome]) -> BatchOutcome:
        """One outcome of several with different symbols: the same however the symbols were divided."""
        whole = cls(
            records=sorted((r for o in outcomes for r in o.records), key=lambda record: record.symbol),
            failures=sorted((f for o in outcomes for f in o.failures), key=lambda failure: failure.symbol),
        )
        if outcomes:
            details = pl.concat([outcome.details for outcome in outcomes])
            whole.details = details.sort("symbol", maintain_order=True)
        for outcome in outcomes:
            for stage, seconds in outcome.seconds.items():
                whole.seconds[stage] = whole.seconds.get(stage, 0.0) + seconds
        return whole

    def append(self, record: LedgerRecord) -> None:
        """Keep one record: the runner's sink."""
        self.records.append(record)

    def degraded(self) -> dict[str, tuple[str, ...]]:
        """Reason -> symbols, both sorted; a reason reads ``hedge:stale_quotes``."""
        found: dict[str, list[str]] = {}
        for record in self.records:
            for kind in ENGINE_KINDS:
                for reason in filter(None, record.snapshot.metadata.get(f"{kind}.degraded", "").split(",")):
                    found.setdefault(f"{kind}:{reason}", []).append(record.symbol)
        return {reason: tuple(sorted(found[reason])) for reason in sorted(found)}

    def quote_age_sessions(self) -> float | None:
        """Sessions that closed since the oldest quotes in use were made; None without quotes."""
        ages = (record.snapshot.hedge.get("quote_age_sessions") for record in self.records)
        return max((age for age in ages if age is not None), default=None)


class BatchPass:
    """Reads a batch's data once, computes each engine once, then drives :class:`PipelineRunner` symbol by symbol.

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
        return merge_requirements(engine.data_requirements for engine in engines if isinstance(engine, FrameEngine))

    def run(self, symbols: Sequence[str], now: datetime) -> BatchOutcome:
        """One pass as of ``now``. A symbol's failure becomes a row; only a failure to read the data is raised."""
        outcome, watch = BatchOutcome(), Stopwatch()
        outcome.seconds = watch.seconds
        with watch("load"):
            adapter = self._read(keys_at(list(symbols), now))
        known = adapter.known_symbols()
        outcome.failures += [_nothing_known(s, now) for s in sorted(set(symbols) - known)]
        computed = self._compute(adapter, keys_at(sorted(known), now), outcome, watch)
        failed = {failure.symbol for failure in outcome.failures}
        with watch("agents"):
            self._decide(sorted(known - failed), now, adapter, computed, outcome)
        outcome.failures.sort(key=lambda failure: failure.symbol)
        recorded = [record.symbol for record in outcome.records]
        outcome.details = outcome.details.filter(pl.col("symbol").is_in(recorded))
        return outcome

    def _read(self, keys: pl.DataFrame) -> PreloadedAdapter:
        """The data of the keys and of the reference symbols, as far back as the engines declare."""
        needs = self._requirements
        loaded = PreloadedAdapter.load(self._adapter, keys, needs.bar_lookback)
        if not needs.reference.symbols:
            return loaded
        return loaded.with_reference(self._reference.read(needs.reference.keys(keys), needs.reference_bar_lookback))

    def _compute(
        self, adapter: MarketAdapter, keys: pl.DataFrame, outcome: BatchOutcome, watch: Stopwatch
    ) -> list[PrecomputedEngine]:
        frames: dict[EngineKind, EngineFrames] = {}
        computed = []
        for _, engine in in_required_order([(e.kind, e) for e in self._components.engines(adapter)]):
            if not isinstance(engine, FrameEngine):
                raise StageError(f"Expected a FrameEngine in a batch, was {type(engine).__name__}")
            with watch(f"engine.{engine.kind}"):
                measured, failures = _isolated(engine, keys, engine.load(keys), frames)
            outcome.failures += failures
            frames[engine.kind] = measured.frames
            computed.append(measured)
            keys = keys.filter(~pl.col("symbol").is_in([f.symbol for f in failures]))
        details = [f.details for f in frames.values() if not f.details.is_empty()]
        if details:
            outcome.details = pl.concat(details)
        return computed

    def _decide(
        self,
        symbols: Sequence[str],
        now: datetime,
        adapter: MarketAdapter,
        engines: list[PrecomputedEngine],
        outcome: BatchOutcome,
    ) -> None:
        """Ask the agents symbol by symbol: built once, they are to keep no memory between two calls."""
        if not symbols:
            return
        components = self._components
        first = PipelineRunner(
            symbols[0],
            engines,
            components.primary_agents(),
            components.composer(),
            components.trade_agent(adapter),
            outcome,
            self._config,
        )
        for symbol in symbols:
            try:
                first.for_symbol(symbol).run_once(now)
            except StageError as error:
                outcome.failures.append(Failure.of(error, symbol=symbol, stage="pipeline"))


def _isolated(
    engine: FrameEngine, keys: pl.DataFrame, data: EngineData, upstream: dict[EngineKind, EngineFrames]
) -> tuple[PrecomputedEngine, list[Failure]]:
    """The engine over the batch; if that raises, symbol by symbol, so that only those at fault fail."""
    try:
        return PrecomputedEngine(engine, engine.compute(keys, data, upstream)), []
    except ClusterError:
        raise  # an engine's process is gone: no fault of a symbol
    except Exception as error:  # noqa: BLE001 - whatever a symbol raises becomes its failure row
        if len(keys) == 1:
            failure = Failure.of(error, symbol=keys["symbol"][0], stage=f"engine.{engine.kind}")
            return PrecomputedEngine(engine, engine.empty()), [failure]
    each = [keys[i : i + 1] for i in range(len(keys))]
    singles = [_isolated(engine, one, engine.load(one), upstream) for one in each]
    good = [measured.frames for measured, failures in singles if not failures] or [engine.empty()]
    merged = EngineFrames(
        pl.concat([frames.features for frames in good], how="diagonal"),
        pl.concat([frames.details for frames in good]),
    )
    return PrecomputedEngine(engine, merged), [failure for _, failures in singles for failure in failures]


def _nothing_known(symbol: str, now: datetime) -> Failure:
    error = NoDataError(f"No chain and no bars known at {as_of_text(now)}", symbol=symbol, stage="load")
    return Failure.of(error, symbol=symbol, stage="load")
