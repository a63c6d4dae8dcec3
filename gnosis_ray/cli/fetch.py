"""``gnosis-ray data fetch``: store vendors' data. Run nightly, it builds the history that backtests need."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import click
import numpy as np
import polars as pl

from gnosis_ray.api import live
from gnosis_ray.api.run_flow import report_universe
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.app.worker_config import resolved_for_workers
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import OBSERVER, emit, stderr
from gnosis_ray.cli.options import (
    Format,
    data_dir_option,
    format_option,
    load_settings,
    requested_universe,
    universe_options,
)
from gnosis_ray.cli.vendor_texts import describe_traffic
from gnosis_ray.config import VENDORS, Config, as_of_text
from gnosis_ray.data.universe import load_universe
from gnosis_ray.errors import ConfigError
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind
from gnosis_ray.schemas.run_schemas import Failure
from gnosis_ray.storage.location import Location
from gnosis_ray.vendors.fetching import Fetched, routes
from gnosis_ray.vendors.providers.frames import SETTLING

NAMED_FAILURES = 6


@click.command(name="fetch")
@universe_options
@click.option("--provider", metavar="NAME", help=f"Which vendor: {', '.join(VENDORS)}.")
@click.option("--kinds", metavar="A,B", help=f"Of {', '.join(DATA_KINDS)}; default: data.fetch of the settings.")
@click.option(
    "--again", is_flag=True, help="Fetch everything again; default: only what this session does not have yet."
)
@data_dir_option()
@format_option
@click.pass_obj
def command(
    profile: str | None,
    universe: str | None,
    symbols: str | None,
    provider: str | None,
    kinds: str | None,
    again: bool,
    data_dir: Location | None,
    format_: Format,
) -> int:
    """Fetch market data from vendors into the store, with the indices and sectors that engines also read.

    Data fetched since the last session closed is not fetched again, so an interrupted fetch continues where it
    stopped. Failed symbols are listed and do not stop the others.
    """
    flags = {"data.provider": provider, "data.fetch": kinds.split(",") if kinds else None}
    config = resolved_for_workers(load_settings(profile, data_dir, flags))
    if kinds is not None:
        config = _only(config, config.data.fetch)
    if not routes(config):
        wanted = f"data.provider: Expected a vendor ({', '.join(VENDORS)}), was {config.data.provider}"
        raise ConfigError(f"{wanted}: give --provider VENDOR")
    now = live.TIME.now()
    members = load_universe(requested_universe(universe, symbols))
    report_universe(members, OBSERVER)
    calendar = build_calendar(config, now)
    requests = live.requests_for(config, members.symbols)
    with live.gateway_to(config, None, "fetch") as gateway:
        done = live.fetch(config, requests, gateway, OBSERVER, now if again else _session_began(calendar, now))
    emit(_table(done), format_, f"Fetched into {config.data.dir} as of {as_of_text(done.as_of)}")
    return _print_outcome(done, members.symbols, config, again)


def _only(config: Config, kinds: Collection[DataKind]) -> Config:
    """The settings with vendors of their own for ``kinds`` alone."""
    named = {kind: vendor for kind, vendor in config.data.kinds.items() if kind in kinds}
    return config.replaced(data={"kinds": named})


def _session_began(calendar: SessionCalendar, now: datetime) -> datetime:
    """When all that the last session left could be had: what was fetched since then tells of it, or of the next one.

    That is a while after its close: until then its bar is not whole, and delayed quotes are those of before its end.
    """
    close = calendar.last_close(np.array([now.replace(tzinfo=None)], dtype="datetime64[us]"))[0]
    moment: datetime = close.item()
    closed = moment.replace(tzinfo=UTC)
    return closed if now < closed + SETTLING else closed + SETTLING


def _table(done: Fetched) -> pl.DataFrame:
    """One row for each kind and vendor."""
    rows = []
    for vendor, kind in sorted({(each.request.vendor, each.request.kind) for each in done.results}):
        mine = [each for each in done.results if (each.request.vendor, each.request.kind) == (vendor, kind)]
        failed = sum(each.failure is not None for each in mine)
        reused = sum(each.reused for each in mine)
        rows.append((kind, vendor, len(mine), len(mine) - failed - reused, reused, failed, done.rows.get(kind, 0)))
    columns = ("kind", "vendor", "symbols", "fetched", "cached", "failed", "new_rows")
    return pl.DataFrame(rows, schema=columns, orient="row")


def _print_outcome(done: Fetched, own: Iterable[str], config: Config, again: bool) -> int:
    failures = done.failures(own)
    if done.reused and not again:
        stderr.print(f"{plural(done.reused, 'answer')} of this session already cached: --again fetches them again.")
    for failure in failures[:NAMED_FAILURES]:
        stderr.print(f"failed {failure.symbol} at {failure.stage}: {failure.message}")
    if len(failures) > NAMED_FAILURES:
        stderr.print(f"... and {len(failures) - NAMED_FAILURES} more: {_named(failures[NAMED_FAILURES:])}")
    for vendor in done.traffic:
        stderr.print(describe_traffic(vendor), style="dim")
    if all(result.failure is not None for result in done.results):
        return ExitCode.NO_DATA
    moment = as_of_text(done.as_of)
    stderr.print(f"Scan it with: gnosis-ray scan --provider store --data-dir {config.data.dir} --as-of {moment}")
    return ExitCode.FINDINGS if failures else ExitCode.DONE


def _named(failures: Iterable[Failure]) -> str:
    return ", ".join(sorted({failure.symbol for failure in failures}))
