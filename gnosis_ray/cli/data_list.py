"""``gnosis-ray data list``: what the market store holds."""

from __future__ import annotations

import click

from gnosis_ray.app.sources import OLDEST_DATA, build_calendar
from gnosis_ray.app.sources import data_dir as market_place
from gnosis_ray.cli.console import Format, data_dir_option, emit, format_option
from gnosis_ray.clock import utc_now
from gnosis_ray.config import load_config
from gnosis_ray.data.store.catalog import coverage
from gnosis_ray.storage.location import Location, locate


@click.command(name="list")
@data_dir_option("The store; default: data.dir of the settings.")
@format_option
@click.pass_obj
def command(profile: str | None, data_dir: Location | None, format_: Format) -> None:
    """What the store holds, by kind: symbols, days, sessions covered, rows, files, and when its last row was known.

    Read from the indexes of its files, so it is quick however large the store is.
    """
    config = load_config(profile, {"data.dir": str(locate(data_dir)) if data_dir else None}).config
    store = market_place(config)
    calendar = build_calendar(config, utc_now(), since=OLDEST_DATA)
    emit(coverage(store, calendar), format_, f"Market store {store}", spare=("last_known", "bytes", "parts"))
