"""``gnosis-ray scan``: the main job."""

from __future__ import annotations

from datetime import datetime

import click

from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.api.recipes import SCAN_RUN
from gnosis_ray.api.run_flow import prepare, prepare_resumed
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.cli.console import OBSERVER
from gnosis_ray.cli.ideas import IdeaFilter, emit_ideas, filter_options, require_strategies
from gnosis_ray.cli.options import (
    Format,
    TimestampParam,
    data_dir_option,
    format_option,
    load_settings,
    out_option,
    requested_universe,
    universe_options,
    verbose_option,
)
from gnosis_ray.cli.plan import emit_plan
from gnosis_ray.cli.report import title_of
from gnosis_ray.cli.run_summary import print_history, print_summary
from gnosis_ray.config import VENDORS
from gnosis_ray.errors import ConfigError
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.storage.location import Location

PROVIDER_HELP = f"Where market data comes from: synthetic, store, a plug-in, or a vendor: {', '.join(VENDORS)}."


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
@verbose_option
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
    out: Location | None,
    top: int,
    strategies: tuple[str, ...],
    sides: tuple[str, ...],
    min_confidence: float,
    resume: str | None,
    dry_run: bool,
    verbose: bool,
    format_: Format,
) -> int:
    """Measure every symbol of a universe, take stances, propose costed trades, write everything to a ledger."""
    require_strategies(strategies)
    flags = {"data.provider": provider, "run.granularity": granularity}
    config = resolved_for_workers(load_settings(profile, data_dir, flags))
    cluster = ClusterOptions(address, ray_dashboard)
    cluster.check(config.run.granularity)
    if data_dir is not None and resume is None and not config.data.reads_store:
        raise ConfigError("--data-dir is the folder of the store: add --provider store")
    if resume is None:
        prepared = prepare(SCAN_RUN, requested_universe(universe, symbols), config, out, cluster, OBSERVER, as_of)
    else:
        _refuse_with_resume(universe=universe, symbols=symbols, as_of=as_of, provider=provider)
        prepared = prepare_resumed(SCAN_RUN, resume, config, out, cluster, store_moved=data_dir is not None)
    if dry_run:
        emit_plan(prepared.plan(OBSERVER), format_)
        return ExitCode.DONE
    receipt = prepared.execute(OBSERVER)
    wanted = IdeaFilter(top, strategies, sides, min_confidence)
    emit_ideas(prepared.store, receipt, wanted, format_, title_of(receipt, "ideas"))
    print_summary(receipt, prepared.store, verbose=verbose)
    if verbose:
        print_history(prepared)
    return receipt.exit_code


def _refuse_with_resume(**given: object) -> None:
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if named:
        raise ConfigError(f"A resumed run keeps its own: drop {', '.join(named)}")
