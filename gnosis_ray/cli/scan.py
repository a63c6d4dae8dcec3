"""``gnosis-ray scan``: the main job."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from importlib.metadata import version

import click
import polars as pl
from pydantic import ValidationError

from cluster.preflight import require_fit
from cluster.session import Session
from cluster.topology import HostPlan, Load, measure_budget, plan
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.scan import ScanJob, failed_fetches, roles_of
from gnosis_ray.app.sources import build_calendar, build_source
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import emit, stderr
from gnosis_ray.cli.ideas import IdeaFilter, emit_ideas, filter_options, require_strategies
from gnosis_ray.api.live import describe_plans, fetched, historical_config, requests_for
from gnosis_ray.cli.options import (
    Format,
    TimestampParam,
    data_dir_option,
    format_option,
    load_settings,
    out_option,
    requested_universe,
    universe_options,
)
from gnosis_ray.cli.progress import bar
from gnosis_ray.cli.report import print_summary, title_of
from gnosis_ray.cli.universe import print_universe
from gnosis_ray.clock import Stopwatch, utc_now
from gnosis_ray.config import VENDORS, Config, as_of_text
from gnosis_ray.data.universe import load_universe
from gnosis_ray.errors import ConfigError
from gnosis_ray.fanout import Fanout, InlineFanout
from gnosis_ray.ledger.ledger_store import LedgerStore, resuming
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.plugins import require_pinned
from gnosis_ray.runs.kinds import SCAN
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.core_schemas import to_utc
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, BatchReceipt, RunManifest, RunReceipt, RunStatus, new_run_id
from gnosis_ray.storage.location import Location, locate
from gnosis_ray.vendors.fetching import label, routes
from gnosis_ray.vendors.fetching import plan as plan_of
from gnosis_ray.vendors.gateway import FetchRequest

PROVIDER_HELP = f"Where market data comes from: synthetic, store, a plug-in, or a vendor: {', '.join(VENDORS)}."
EXIT_CODES: dict[RunStatus, int] = {"done": 0, "done_with_failures": 3, "no_data": 4}


@click.command(name="scan")
@universe_options
@click.option(
    "--as-of", type=TimestampParam(), help="Decide as of this time, UTC; a day is its start; default: the latest known."
)
@click.option("--provider", metavar="NAME", help=PROVIDER_HELP)
@data_dir_option()
@click.option(
    "--granularity",
    type=click.Choice(["auto", "component", "symbol", "shard", "inline"]),
    help="What one Ray actor runs: a component of a symbol, a symbol, many symbols; inline: no Ray.",
)
@click.option("--address", metavar="HOST:PORT", help="The Ray cluster to join; default: a new local Ray.")
@click.option("--ray-dashboard", is_flag=True, help="Show the scan on Ray's own dashboard, on this machine only.")
@out_option
@filter_options
@click.option("--resume", metavar="RUN", help="Finish an interrupted run, with its own symbols and settings.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@format_option
@click.pass_obj
def command(
    profile: str | None,
    universe: str | None,
    symbols: str | None,
    as_of: datetime | None,
    provider: str | None,
    data_dir: Location | None,
    granularity: str | None,
    address: str | None,
    ray_dashboard: bool,
    out: Location,
    top: int,
    strategies: tuple[str, ...],
    sides: tuple[str, ...],
    min_confidence: float,
    resume: str | None,
    dry_run: bool,
    format_: Format,
) -> int:
    """Measure every symbol of a universe, take stances, propose costed trades, write everything to a ledger."""
    started, watch = utc_now(), Stopwatch()
    require_strategies(strategies)
    flags = {"data.provider": provider, "run.granularity": granularity}
    config = resolved_for_workers(load_settings(profile, data_dir, flags))
    cluster = ClusterOptions(address, ray_dashboard)
    cluster.check(config.run.granularity)
    if data_dir is not None and resume is None and not config.data.reads_store:
        raise ConfigError("--data-dir is the folder of the store: add --provider store")
    requests: list[FetchRequest] = []
    if resume is not None:
        _refuse_with_resume(universe=universe, symbols=symbols, as_of=as_of, provider=provider)
        manifest = LedgerStore(out).manifest(resume)
        config = _resumed(manifest, config, data_dir)
        calendar = _calendar(config, manifest.as_of, watch)
    else:
        config = historical_config(config, as_of)
        calendar = _calendar(config, as_of or started, watch)
        manifest = _prepare(requested_universe(universe, symbols), as_of, config, calendar, started, watch)
        requests = requests_for(config, manifest.symbols)
    if dry_run:
        _explain(manifest, config, cluster, out, format_, requests)
        return 0
    store = LedgerStore(out, feature_specs(config))
    with ExitStack() as stack:
        session = None
        if requests:
            session = _session(manifest, config, cluster, watch, stack)
            manifest = fetched(manifest, config, requests, session, watch)
        writer = store.begin(manifest) if resume is None else store.resume(manifest.run_id)
        receipt = writer.receipt()  # of a run that was finished before: there is nothing to resume
        if receipt is None or receipt.status == "interrupted":
            job = ScanJob(config, calendar, writer, failed_fetches(manifest))
            receipt = _run(job, manifest, cluster, session, started, watch)
    wanted = IdeaFilter(top, strategies, sides, min_confidence)
    emit_ideas(store, receipt, wanted, format_, title_of(receipt, "ideas"))
    print_summary(receipt, store)
    return EXIT_CODES[receipt.status]


def _refuse_with_resume(**given: object) -> None:
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if named:
        raise ConfigError(f"A resumed run keeps its own: drop {', '.join(named)}")


def _resumed(manifest: RunManifest, today: Config, data_dir: Location | None) -> Config:
    """The run's own settings, but for where it runs and where the store is now."""
    try:
        config = Config.model_validate_json(manifest.config_json).replaced(run=today.run)
    except ValidationError as error:
        made_by = f"gnosis-ray {manifest.version} made run {manifest.run_id} with settings that this one does not have"
        raise ConfigError(f"{made_by}: scan anew, or resume with the version that began it") from error
    require_pinned(config)
    if data_dir is None:
        return config
    return config.replaced(data={"dir": today.data.dir})


def _calendar(config: Config, moment: datetime, watch: Stopwatch) -> SessionCalendar:
    with watch("calendar"):
        return build_calendar(config, moment)


def _prepare(
    wanted: str,
    as_of: datetime | None,
    config: Config,
    calendar: SessionCalendar,
    started: datetime,
    watch: Stopwatch,
) -> RunManifest:
    """Everything that is fixed before a host starts: the as-of time, the members, the batches."""
    with watch("source"):
        source = build_source(config, calendar)
        moment = to_utc(started if routes(config) else as_of or source.default_as_of(started))
    with watch("universe"):
        past = moment.date() if moment.date() < started.date() else None
        members = load_universe(wanted, past)
    print_universe(members)
    if moment > started:
        stderr.print(f"{as_of_text(moment)} is in the future: only what is known today can be in it", style="dim")
    return RunManifest(
        format=MANIFEST_FORMAT,
        kind=SCAN.name,
        tables=SCAN.table_names,
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
    )


def _explain(
    manifest: RunManifest,
    config: Config,
    cluster: ClusterOptions,
    out: Location,
    format_: Format,
    requests: Sequence[FetchRequest],
) -> None:
    with ExitStack() as stack:
        hosts = _hosts(manifest, config, None if cluster.address is None else cluster.open(None, stack))
    rows = [
        ("symbols", f"{len(manifest.symbols)} of {manifest.universe}"),
        ("as of", "when all is fetched" if requests else as_of_text(manifest.as_of)),
        ("provider", f"{manifest.provider}{' (SYNTHETIC)' if manifest.synthetic else ''}"),
        *describe_plans(plan_of(config, requests)),
        ("batches", f"{len(manifest.batches())} of up to {manifest.batch_size} symbols"),
        ("hosts", hosts.note),
        ("granularity", hosts.granularity),
        ("actors", f"{hosts.actors} at once" + (f", {hosts.waves} waves" if hosts.waves > 1 else "")),
        ("memory", f"{hosts.total_memory_mb} MB at once"),
        ("ledger", str(locate(out))),
    ]
    emit(pl.DataFrame(rows, schema=["what", "plan"], orient="row"), format_, "Dry run: nothing was started")


def _run(
    job: ScanJob,
    manifest: RunManifest,
    cluster: ClusterOptions,
    session: Session | None,
    started: datetime,
    watch: Stopwatch,
) -> RunReceipt:
    done = len(job.writer.committed())
    total = len(manifest.batches())
    try:
        with ExitStack() as stack:
            fanout = _fanout(job, manifest, session or _session(manifest, job.config, cluster, watch, stack))
            step = stack.enter_context(bar("scanning", total))
            step("", done, total)

            def on_receipt(receipt: BatchReceipt) -> None:
                nonlocal done
                done += 1
                step(f"batch {receipt.batch}: {plural(receipt.rows.get('snapshots', 0), 'symbol')}", done, total)

            return execute_run(job, manifest, job.writer, fanout, utc_now, on_receipt, started, watch.seconds)
    except KeyboardInterrupt:
        stderr.print(f"Finished batches are kept. Resume with: {resuming(manifest.run_id, job.writer.root)}")
        raise


def _session(
    manifest: RunManifest, config: Config, cluster: ClusterOptions, watch: Stopwatch, stack: ExitStack
) -> Session | None:
    """The connection to Ray that a run needs, closed with ``stack``; None for one in this process."""
    if config.run.granularity == "inline":
        return None
    with watch("ray_start"):
        if cluster.address is not None:
            return cluster.open(None, stack)
        hosts = _hosts(manifest, config, None)
        return cluster.open(hosts.hosts if hosts.granularity == "shard" else None, stack)


def _fanout(job: ScanJob, manifest: RunManifest, session: Session | None) -> Fanout:
    config = job.config
    if session is None:
        return InlineFanout(config.run.max_attempts)
    from actors.fanout import RayFanout  # Ray takes most of a second to import: only where it is used

    if not session.local:
        require_fit(session, config, job.writer.root)
    hosts = _hosts(manifest, config, session)  # of what Ray offers: it keeps some memory for itself
    return RayFanout(session, hosts, config.run, manifest.run_id)


def _hosts(manifest: RunManifest, config: Config, session: Session | None) -> HostPlan:
    """The plan, before anything is launched: within what this machine, or the joined cluster, has to spare."""
    budget = measure_budget() if session is None else session.budget()
    load = Load(len(manifest.symbols), len(manifest.batches()), len(roles_of(config)))
    return plan(load, budget, config.run, config.run.granularity)
