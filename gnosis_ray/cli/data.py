"""``gnosis-ray data``: fill the market store, see what it holds."""

from __future__ import annotations

from pathlib import Path

import click

from gnosis_ray.app.sources import OLDEST_DATA, build_calendar, data_dir
from gnosis_ray.cli.console import Format, data_dir_option, emit, format_option, stderr
from gnosis_ray.cli.data_list import command as list_
from gnosis_ray.cli.data_verify import command as verify
from gnosis_ray.cli.fetch import command as fetch
from gnosis_ray.cli.progress import bar
from gnosis_ray.clock import utc_now
from gnosis_ray.config import Config, load_config
from gnosis_ray.data.importing.importer import import_dataset
from gnosis_ray.data.importing.mapping import load_mapping, mapping_names
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.storage.location import Location, locate

MAPPING_HELP = f"How its files map to ours; default: the folder's name. Built in: {', '.join(mapping_names())}."


@click.group(name="data")
def command() -> None:
    """The market store: Parquet, point in time."""


for verb in (fetch, list_, verify):
    command.add_command(verb)

_dir_option = data_dir_option("The store; default: data.dir of the settings.")


@command.command(name="import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mapping", metavar="NAME|FILE", help=MAPPING_HELP)
@_dir_option
@format_option
@click.pass_obj
def import_(profile: str | None, folder: Path, mapping: str | None, data_dir: Location | None, format_: Format) -> None:
    """Import the foreign files of FOLDER. Bad rows are refused or repaired by name, and counted; again is harmless."""
    config = _config(profile, data_dir)
    store = _store(config)
    calendar = build_calendar(config, utc_now(), since=OLDEST_DATA)
    with bar("importing", 1) as step:
        report = import_dataset(
            folder,
            load_mapping(mapping or folder.resolve().name),
            StoreWriter(store),
            calendar,
            lambda file, done, total: step(file, done, total),
        )
    emit(report.summary(), format_, f"Rows refused or noted in {folder}")
    stderr.print(
        f"Read {report.rows_read:,} rows: {report.rows_written:,} written, {report.rows_known:,} known before, "
        f"{report.refused['rows'].sum():,} refused. Store: {store}"
    )
    where = f" --data-dir {data_dir}" if data_dir else ""
    stderr.print(
        f"Scan it with: gnosis-ray scan --provider store{where} --universe sp500 (or --symbols A,B; --as-of T)"
    )


def _config(profile: str | None, place: Location | None) -> Config:
    return load_config(profile, {"data.dir": str(locate(place)) if place else None}).config


def _store(config: Config) -> Location:
    return data_dir(config)
