"""The flow of a run of any kind, from settings to sealed ledger: what every front end does, told to none of them.

prepare, or prepare_resumed  ->  PreparedRun  ->  plan: a RunPlan, nothing started
                                              ->  execute: session, fetch, fan-out, seal; the receipt
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from importlib.metadata import version

from pydantic import ValidationError

from cluster.preflight import require_fit
from cluster.session import Session
from cluster.topology import HostPlan, Load, measure_budget, plan
from gnosis_ray import last_words
from gnosis_ray.api import live
from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.api.observer import RunObserver
from gnosis_ray.api.plan import RunPlan
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.sources import CALENDAR_START, build_calendar, build_source, require_market_data
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.clock import Stopwatch
from gnosis_ray.config import Config, as_of_text
from gnosis_ray.data.universe import Universe, load_universe
from gnosis_ray.errors import ClusterError, ConfigError, GnosisError
from gnosis_ray.fanout import Fanout, InlineFanout, Job
from gnosis_ray.ledger.default_ledger import ledger_to_read, ledger_to_write
from gnosis_ray.ledger.ledger_store import LedgerStore, resuming
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.market.adapters import EmptyAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.plugins import BUILT_IN, require_pinned
from gnosis_ray.runs.kinds import RunKind
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.core_schemas import to_utc
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, BatchReceipt, RunManifest, RunReceipt, new_run_id
from gnosis_ray.storage.location import Location, locate
from gnosis_ray.vendors.fetching import label, routes
from gnosis_ray.vendors.fetching import plan as vendor_plans
from gnosis_ray.vendors.gateway import FetchRequest


@dataclass(frozen=True)
class RunRecipe:
    """A kind of run as the flow needs it: what its batches do, and what its manifest says beyond a scan's."""

    kind: RunKind
    job: Callable[[PreparedRun, RunWriter], Job]
    parts: Callable[[Config], int]
    """The engines and agents of one symbol: the actors that granularity ``component`` takes."""
    complete: Callable[[RunManifest, Config, SessionCalendar], RunManifest] = lambda manifest, _config, _calendar: (
        manifest
    )
    """The manifest with what this kind adds to it, such as the moments of a panel."""
    before_seal: Callable[[PreparedRun, RunWriter], str | None] = lambda _run, _writer: None
    """See :func:`gnosis_ray.runs.life.execute_run`; returns what the user is told of it, if anything."""
    since: date = CALENDAR_START
    """The first day whose session the run needs; the calendar begins at the latest there."""


@dataclass(frozen=True)
class PreparedRun:
    """Everything that is fixed before a host starts."""

    recipe: RunRecipe
    manifest: RunManifest
    config: Config
    calendar: SessionCalendar
    cluster: ClusterOptions
    out: Location
    started: datetime
    requests: tuple[FetchRequest, ...] = ()
    """What is to be fetched before the batches are worked; a resumed run fetches nothing."""
    resumed: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def store(self) -> LedgerStore:
        """The ledger that the run is written to."""
        return LedgerStore(self.out, feature_specs(self.config))

    def plan(self, observer: RunObserver) -> RunPlan:
        """What :meth:`execute` would do. Starts nothing; joins the cluster, if one is named, to measure it."""
        with ExitStack() as stack:
            joined = None if self.cluster.address is None else self.cluster.open(None, stack, observer)
            hosts = self._hosts(joined)
        manifest = self.manifest
        return RunPlan(
            kind=manifest.kind,
            timestamps=max(1, len(manifest.timestamps)),
            symbols=manifest.symbols,
            universe=manifest.universe,
            as_of=None if self.requests else manifest.as_of,
            provider=manifest.provider,
            synthetic=manifest.synthetic,
            vendors=tuple(vendor_plans(self.config, self.requests)),
            batches=len(manifest.batches()),
            batch_size=manifest.batch_size,
            granularity=hosts.granularity,
            hosts=hosts.hosts,
            actors=hosts.actors,
            waves=hosts.waves,
            memory_mb=hosts.total_memory_mb,
            placement=hosts.note,
            ledger=locate(self.out),
        )

    def execute(self, observer: RunObserver) -> RunReceipt:
        """Fetch, work every batch, seal; the receipt. A run that was sealed before is left as it is.

        Raises what :func:`gnosis_ray.runs.life.execute_run` raises, and ``KeyboardInterrupt``, what ends a run
        (:attr:`GnosisError.ends_run`) or, where Ray cannot be used, :class:`ClusterError` after reporting how to
        resume. A Ray that was started for the run is stopped.
        """
        with ExitStack() as stack:
            run, session = self, None
            if self.requests:
                session = self._session(stack, observer)
                manifest = live.fetched(self.manifest, self.config, self.requests, session, self.watch, observer)
                run = replace(self, manifest=manifest)
            manifest = run.manifest
            writer = run.store.resume(manifest.run_id) if self.resumed else run.store.begin(manifest)
            receipt = writer.finished()
            if receipt is not None:
                observer.message(f"Run {manifest.run_id} is finished: there is nothing to resume", "note")
                return receipt
            return run._work(writer, session, observer)

    def _work(self, writer: RunWriter, session: Session | None, observer: RunObserver) -> RunReceipt:
        done, total = len(writer.committed()), len(self.manifest.batches())
        job = self.recipe.job(self, writer)
        kept = f"Finished batches are kept. Resume with: {resuming(self.manifest, writer.root)}"
        try:
            with last_words.if_cut_off(kept), ExitStack() as stack:
                fanout = self._fanout(session or self._session(stack, observer), writer)
                step = stack.enter_context(observer.progress(self.recipe.kind.name, total))
                step("", done, total)

                def on_receipt(receipt: BatchReceipt) -> None:
                    nonlocal done
                    done += 1
                    worked = receipt.rows.get(self.recipe.kind.counted_by, 0)
                    step(f"batch {receipt.batch}: {plural(worked, 'row')}", done, total)

                return execute_run(
                    job,
                    self.manifest,
                    writer,
                    fanout,
                    live.TIME.now,
                    on_receipt,
                    self.started,
                    self.watch.seconds,
                    lambda: self._before_seal(writer, observer),
                )
        except (KeyboardInterrupt, GnosisError) as error:
            if isinstance(error, KeyboardInterrupt | ClusterError) or error.ends_run:
                observer.message(kept)
            raise

    def _before_seal(self, writer: RunWriter, observer: RunObserver) -> None:
        told = self.recipe.before_seal(self, writer)
        if told is not None:
            observer.message(told)

    def _session(self, stack: ExitStack, observer: RunObserver) -> Session | None:
        """The connection to Ray that the run needs, closed with ``stack``; None for a run in this process."""
        if self.config.run.granularity == "inline":
            return None
        with self.watch("ray_start"):
            if self.cluster.address is not None:
                return self.cluster.open(None, stack, observer)
            hosts = self._hosts(None)
            return self.cluster.open(hosts.hosts if hosts.granularity == "shard" else None, stack, observer)

    def _fanout(self, session: Session | None, writer: RunWriter) -> Fanout:
        if session is None:
            return InlineFanout(self.config.run.max_attempts)
        from actors.fanout import RayFanout  # Ray takes most of a second to import: only where it is used

        if not session.local:
            require_fit(session, self.config, writer.root)
        hosts = self._hosts(session)  # of what Ray offers: it keeps some memory for itself
        return RayFanout(session, hosts, self.config.run, self.manifest.run_id)

    def _hosts(self, session: Session | None) -> HostPlan:
        """The plan, before anything is launched: within what this machine, or the joined cluster, has to spare."""
        budget = measure_budget() if session is None else session.budget()
        load = Load(len(self.manifest.symbols), len(self.manifest.batches()), self.recipe.parts(self.config))
        return plan(load, budget, self.config.run, self.config.run.granularity)


def prepare(
    recipe: RunRecipe,
    universe: str,
    config: Config,
    out: Location | None,
    cluster: ClusterOptions,
    observer: RunObserver,
    as_of: datetime | None = None,
) -> PreparedRun:
    """Fix everything about a new run: the moment, the members, the batches, what is to be fetched.

    ``universe``: as :func:`gnosis_ray.data.universe.load_universe` takes it; ``config``: resolved for workers;
    ``out`` None: the default ledger, which synthetic runs have for themselves; ``as_of`` None: the latest moment at
    which the provider has data. Raises :class:`ConfigError`, :class:`UniverseError` and :class:`DataError` for what
    cannot be meant or is not there.
    """
    started, watch = live.TIME.now(), Stopwatch()
    config = live.historical_config(config, as_of)
    _require_components(config)
    with watch("calendar"):
        calendar = build_calendar(config, as_of or started, min(recipe.since, CALENDAR_START))
    manifest = _manifest(recipe, universe, config, calendar, as_of, started, watch, observer)
    requests = tuple(live.requests_for(config, manifest.symbols))
    ledger = ledger_to_write(synthetic=manifest.synthetic) if out is None else out
    return PreparedRun(recipe, manifest, config, calendar, cluster, ledger, started, requests, watch=watch)


def prepare_resumed(
    recipe: RunRecipe,
    run_id: str,
    today: Config,
    out: Location | None,
    cluster: ClusterOptions,
    *,
    store_moved: bool = False,
) -> PreparedRun:
    """An interrupted run, with its own settings but for where it runs and, if ``store_moved``, where the store is.

    ``out`` None: the default ledger that has the run.

    Raises :class:`LedgerError` for an unknown run, :class:`ConfigError` for one of another kind, or whose settings or
    plug-ins this version does not have.
    """
    started, watch = live.TIME.now(), Stopwatch()
    ledger = ledger_to_read(run_id) if out is None else out
    store = LedgerStore(ledger)
    manifest = store.manifest(store.find_to_resume(run_id))
    if manifest.kind != recipe.kind.name:
        raise ConfigError(f"Run {manifest.run_id} is of the kind {manifest.kind}, not {recipe.kind.name}")
    try:
        config = Config.model_validate_json(manifest.config_json).replaced(run=today.run)
    except ValidationError as error:
        made_by = f"gnosis-ray {manifest.version} made run {manifest.run_id} with settings that this one does not have"
        raise ConfigError(f"{made_by}: scan anew, or resume with the version that began it") from error
    require_pinned(config)
    if store_moved:
        config = config.replaced(data={"dir": today.data.dir})
    with watch("calendar"):
        first = min((*(moment.date() for moment in manifest.timestamps), CALENDAR_START))
        calendar = build_calendar(config, manifest.as_of, first)
    _require_components(config)
    if config.data.provider not in BUILT_IN["providers"]:
        build_source(config, calendar)
    return PreparedRun(recipe, manifest, config, calendar, cluster, ledger, started, resumed=True, watch=watch)


def _require_components(config: Config) -> None:
    """Make every configured component once, so that what cannot be made is refused before anything is written."""
    components, nothing = ConfiguredComponents(config), EmptyAdapter()
    components.engines(nothing)
    components.primary_agents()
    components.composer()
    components.trade_agent(nothing)


def report_universe(universe: Universe, observer: RunObserver) -> None:
    """Report the universe of a run, with what is doubtful about its members."""
    line = f"{universe.name}: {plural(len(universe.symbols), 'symbol')}, {universe.note}"
    observer.message(line, "note" if universe.whole else "warning")


def _manifest(
    recipe: RunRecipe,
    universe: str,
    config: Config,
    calendar: SessionCalendar,
    as_of: datetime | None,
    started: datetime,
    watch: Stopwatch,
    observer: RunObserver,
) -> RunManifest:
    with watch("source"):
        source = build_source(config, calendar)
        require_market_data(config)
        moment = to_utc(started if routes(config) else as_of or source.default_as_of(started))
    with watch("universe"):
        past = moment.date() if moment.date() < started.date() else None
        members = load_universe(universe, past)
    report_universe(members, observer)
    if moment > started:
        ahead = f"{as_of_text(moment)} is in the future: only what is known today can be in it"
        observer.message(ahead, "note")
    manifest = RunManifest(
        format=MANIFEST_FORMAT,
        kind=recipe.kind.name,
        tables=recipe.kind.table_names,
        run_id=new_run_id(started, secrets.token_hex(2)),
        run_date=moment.date(),
        as_of=moment,
        provider=label(config) if config.data.reads_store else source.name,
        synthetic=source.synthetic,
        universe=members.name,
        universe_note=members.note,
        symbols=members.symbols,
        batch_size=config.run.batch_size,
        config_hash=config.decision_hash(),
        config_json=config.model_dump_json(),
        version=version("gnosis-ray"),
        features=feature_specs(config),
    )
    return recipe.complete(manifest, config, calendar)
