"""``gnosis-ray data backfill``: measure earlier sessions, so that a symbol can be compared with its own past."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from gnosis_ray.api.cluster_options import ClusterOptions
from gnosis_ray.api.history import AFTER_CLOSE, BACKFILL_RUN, backfill_run, coverage
from gnosis_ray.api.run_flow import prepare, prepare_resumed
from gnosis_ray.app.feature_history import history_dir
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import OBSERVER, emit, stderr
from gnosis_ray.cli.options import (
    Format,
    NumberParam,
    TimestampParam,
    data_dir_option,
    format_option,
    load_settings,
    out_option,
    requested_universe,
    universe_options,
)
from gnosis_ray.cli.plan import emit_plan
from gnosis_ray.cli.report import title_of
from gnosis_ray.errors import ConfigError
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.storage.location import Location

HOUR = timedelta(hours=1)


@click.command(name="backfill")
@click.option("--start", type=TimestampParam(), help="The first day, such as 2026-01-02.")
@click.option("--end", type=TimestampParam(), help="The last day, included.")
@click.option(
    "--hours-after-close",
    type=NumberParam(0, 17),
    default=AFTER_CLOSE / HOUR,
    show_default=True,
    help="When each session is looked at: what was known by then is measured.",
)
@universe_options
@click.option("--provider", metavar="NAME", help="Whose past to measure: store, synthetic, or a plug-in.")
@data_dir_option()
@click.option(
    "--granularity", type=click.Choice(["auto", "symbol", "shard", "inline"]), help="What one Ray actor runs."
)
@click.option("--address", metavar="HOST:PORT", help="The Ray cluster to join; default: a new local Ray.")
@out_option
@click.option("--resume", metavar="RUN", help="Finish an interrupted backfill.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@format_option
@click.pass_obj
def command(
    profile: str | None,
    start: datetime | None,
    end: datetime | None,
    hours_after_close: float,
    universe: str | None,
    symbols: str | None,
    provider: str | None,
    data_dir: Location | None,
    granularity: str | None,
    address: str | None,
    out: Location | None,
    resume: str | None,
    dry_run: bool,
    format_: Format,
) -> int:
    """Run the engines over earlier sessions and add what they measure to the history of features.

    Each session is measured on what was known a few hours after its close. Agents take no part. It can be repeated:
    what the history has is not added again.
    """
    flags = {"data.provider": provider, "run.granularity": granularity}
    config = resolved_for_workers(load_settings(profile, data_dir, flags))
    cluster = ClusterOptions(address, False)
    cluster.check(config.run.granularity)
    if resume is not None:
        if start or end or universe or symbols or provider:
            raise ConfigError("A resumed backfill keeps its own days, symbols and provider: give --resume alone")
        prepared = prepare_resumed(BACKFILL_RUN, resume, config, out, cluster, store_moved=data_dir is not None)
    elif start is None or end is None:
        raise ConfigError("Expected --start DAY and --end DAY: give both")
    else:
        recipe = backfill_run(start.date(), end.date(), hours_after_close * HOUR)
        wanted = requested_universe(universe, symbols)
        prepared = prepare(recipe, wanted, config, out, cluster, OBSERVER, end + timedelta(days=1))
    if dry_run:
        emit_plan(prepared.plan(OBSERVER), format_)
        return ExitCode.DONE
    receipt = prepared.execute(OBSERVER)
    emit(coverage(prepared), format_, title_of(receipt, "features"))
    stderr.print(
        f"Run {receipt.run_id}: {plural(receipt.rows['features'], 'row')} of features, "
        f"{plural(len(receipt.failures), 'failure')}, {receipt.wall_seconds:.1f} seconds. "
        f"History: {history_dir(prepared.config, synthetic=receipt.synthetic)}. Ledger: {prepared.store.root}"
    )
    for failure in receipt.failures[:6]:
        stderr.print(f"  failed {failure.symbol} at {failure.stage}: {failure.message}")
    return receipt.exit_code
