"""A scan: one pass over a universe at one moment, cut into batches, worked anywhere, sealed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.fanout import MethodCaller
from gnosis_ray.ledger.rows import scan_frames
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import feature_columns
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import panel_keys
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass, PipelineComponents
from gnosis_ray.pipeline.component_proxies import COMPOSER, TRADE_AGENT, ProxyComponents, agent_role
from gnosis_ray.runs.worker import BatchResult, RunWorker
from gnosis_ray.schemas.run_schemas import Batch, Failure, RunManifest


def roles_of(config: Config) -> tuple[str, ...]:
    """The components of a pass: engines by kind, agents as ``agent.<name>``, the composer and the trade agent."""
    agents = (agent_role(name) for name in config.agents.enabled)
    return (*config.engines.enabled, *agents, COMPOSER, TRADE_AGENT)


@dataclass(frozen=True)
class ScanJob:
    """A pass over a universe at one moment: small, picklable, opened once in each host."""

    config: Config
    calendar: SessionCalendar
    writer: RunWriter
    fetch_failures: Mapping[int, tuple[Failure, ...]] = field(default_factory=dict)
    """By batch: see :func:`failed_fetches`."""

    def open(self) -> RunWorker[BatchOutcome]:
        """Build the sources and the components. Raises :class:`DataError` where the data cannot be opened."""
        return self._worker(ConfiguredComponents(self.config))

    def roles(self) -> tuple[str, ...]:
        """See :func:`roles_of`."""
        return roles_of(self.config)

    def open_component(self, role: str) -> object:
        """The engine or agent of a role, over sources of its own. Raises :class:`DataError` as ``open`` does."""
        components, adapter = ConfiguredComponents(self.config), build_adapter(self.config, self.calendar)
        makers: dict[str, Callable[[], object]] = {COMPOSER: components.composer}
        makers[TRADE_AGENT] = lambda: components.trade_agent(adapter)
        named = {agent_role(name): index for index, name in enumerate(self.config.agents.enabled)}
        if role in makers:
            return makers[role]()
        if role in named:
            return components.primary_agents()[named[role]]
        return next(engine for engine in components.engines(adapter) if engine.kind == role)

    def open_runner(self, callers: Mapping[str, MethodCaller]) -> RunWorker[BatchOutcome]:
        """The same pass, over components in other processes."""
        return self._worker(
            ProxyComponents(ConfiguredComponents(self.config), tuple(self.config.agents.enabled), callers)
        )

    def _worker(self, components: PipelineComponents) -> RunWorker[BatchOutcome]:
        return RunWorker(ScanWork(self, components), self.writer, self.fetch_failures)


class ScanWork:
    """Works batches of a :class:`ScanJob`: one pass each."""

    def __init__(self, job: ScanJob, components: PipelineComponents) -> None:
        self._job = job
        self._pass = BatchPass(components, build_adapter(job.config, job.calendar), job.config)
        self._columns = feature_columns(feature_specs(job.config))

    def compute(self, batch: Batch) -> BatchOutcome:
        """One pass over the batch. A symbol's error is a failure in the outcome."""
        return self._pass.run(panel_keys(batch.symbols, batch.timestamps))

    def result(self, outcomes: Sequence[BatchOutcome], failures: Sequence[Failure]) -> BatchResult:
        """The tables of a scan."""
        whole = BatchOutcome.merged([*outcomes, BatchOutcome(failures=list(failures))])
        return BatchResult(
            frames=scan_frames(whole.records, whole.details, whole.failures, self._columns, whole.evidence),
            failures=tuple(whole.failures),
            degraded=whole.degraded(),
            seconds=whole.seconds,
            quote_age_sessions=whole.quote_age_sessions(),
        )


def failed_fetches(manifest: RunManifest) -> dict[int, tuple[Failure, ...]]:
    """What could not be fetched, by the batch to tell it with: that of its symbol, else the first."""
    batch_of = {symbol: batch.index for batch in manifest.batches() for symbol in batch.symbols}
    found: dict[int, tuple[Failure, ...]] = {}
    for failure in manifest.fetch_failures:
        index = batch_of.get(failure.symbol, 0)
        found[index] = (*found.get(index, ()), failure)
    return found
