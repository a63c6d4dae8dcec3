"""``gnosis-ray data``: import into the market store, list what it holds, copy it."""

from __future__ import annotations

from pathlib import Path

import click

from gnosis_ray.app.sources import OLDEST_DATA, build_calendar
from gnosis_ray.app.sources import data_dir as market_store
from gnosis_ray.cli.backfill import command as backfill
from gnosis_ray.cli.console import OBSERVER, emit, stderr
from gnosis_ray.cli.data_verify import command as verify
from gnosis_ray.cli.fetch import command as fetch
from gnosis_ray.cli.options import Format, data_dir_option, format_option, load_settings
from gnosis_ray.cli.upgrade import data_upgrade
from gnosis_ray.clock import utc_now
from gnosis_ray.data.importing.importer import ImportReport, import_dataset
from gnosis_ray.data.importing.mapping_files import load_mapping, mapping_names
from gnosis_ray.data.store.catalog import coverage
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.storage.location import Location

MAPPING_HELP = f"How its files map to ours; default: the folder's name. Built in: {', '.join(mapping_names())}."


@click.group(name="data")
def command() -> None:
    """The market store: Parquet, point in time."""


for verb in (fetch, backfill, verify, data_upgrade):
    command.add_command(verb)


@command.command(name="import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mapping", metavar="NAME|FILE", help=MAPPING_HELP)
@data_dir_option()
@format_option
@click.pass_obj
def import_(profile: str | None, folder: Path, mapping: str | None, data_dir: Location | None, format_: Format) -> int:
    """Import the files of FOLDER. Bad rows are rejected or repaired, and counted by reason; it may be repeated.

    The exit code is 4 where no row of the files is in the store afterwards, 3 where none of one of the mapping's
    tables is.
    """
    config = load_settings(profile, data_dir)
    store = market_store(config)
    calendar = build_calendar(config, utc_now(), since=OLDEST_DATA)
    with OBSERVER.progress("importing", 1) as step:
        report = import_dataset(
            folder,
            load_mapping(mapping or folder.resolve().name),
            StoreWriter(store),
            calendar,
            lambda file, done, total: step(file, done, total),
            config.data.files,
        )
    emit(report.summary(), format_, f"Rows refused or noted in {folder}")
    stderr.print(
        f"Read {report.rows_read:,} rows: {report.rows_written:,} written, {report.rows_known:,} known before, "
        f"{report.refused['rows'].sum():,} refused. Store: {store}"
    )
    for text in (*_without_rows(report), *report.hints):
        stderr.print(text, markup=False, highlight=False)
    if report.rows_written + report.rows_known == 0:
        stderr.print("Nothing was imported.")
        return ExitCode.NO_DATA
    where = f" --data-dir {data_dir}" if data_dir else ""
    stderr.print(
        f"Scan it with: gnosis-ray scan --provider store{where} --universe sp500 (or --symbols A,B; --as-of T)"
    )
    return ExitCode.FINDINGS if report.refused_whole else ExitCode.DONE


def _without_rows(report: ImportReport) -> list[str]:
    empty = [f"{table}: no rows, a header at most." for table in report.empty]
    return empty + [f"{table}: all of its rows were refused." for table in report.refused_whole]


@command.command(name="list")
@data_dir_option()
@format_option
@click.pass_obj
def list_(profile: str | None, data_dir: Location | None, format_: Format) -> None:
    """What the store holds, by kind: symbols, days, sessions covered, rows, files, and when its last row was known.

    Read from the indexes of its files, so it is quick however large the store is.
    """
    config = load_settings(profile, data_dir)
    store = market_store(config)
    calendar = build_calendar(config, utc_now(), since=OLDEST_DATA)
    emit(coverage(store, calendar), format_, f"Market store {store}", spare=("last_known", "bytes", "parts"))
