"""``gnosis-ray runs upgrade`` and ``data upgrade``: copies of what older versions wrote, in today's format."""

from __future__ import annotations

import click
import polars as pl

from gnosis_ray.app.sources import data_dir as market_store
from gnosis_ray.cli.console import OBSERVER, emit, print_error, stderr
from gnosis_ray.cli.ledgers import ledger_named_or_found
from gnosis_ray.cli.options import Format, LocationParam, data_dir_option, format_option, load_settings, out_option
from gnosis_ray.data.store.store_format import STORE_FORMAT
from gnosis_ray.data.store.upgrade import upgrade_store
from gnosis_ray.errors import ConfigError, FormatError, IntegrityError, LedgerError
from gnosis_ray.exit_codes import ExitCode, worst
from gnosis_ray.ledger.overview import RunOverview
from gnosis_ray.ledger.run_finder import LATEST
from gnosis_ray.ledger.upgrade import LedgerUpgrade, UpgradedRun
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT
from gnosis_ray.storage.location import Location

UPGRADED, UPGRADED_CUT_OFF = "upgraded", "upgraded, cut off"
HELD, CURRENT, REFUSED = "held already", "today's format", "refused"

COLUMNS = {"run": pl.String, "status": pl.String, "from_format": pl.Int64, "batches": pl.Int64, "rows": pl.Int64}

to_option = click.option("--to", "target", type=LocationParam(), required=True, help="Where the copy is made.")


@click.command(name="upgrade")
@click.argument("run", required=False)
@click.option("--all", "all_", is_flag=True, help="Every run of an older format.")
@out_option
@to_option
@format_option
def runs_upgrade(run: str | None, all_: bool, out: Location | None, target: Location, format_: Format) -> int:
    """Copy RUN, or --all, of older formats into the ledger --to, in today's format. The source is only read.

    Every value is read back and compared; the copy of a run is sealed last. The same command again finishes what was
    interrupted. The exit code is 2 if a run was refused, 6 if one is not as it was written.
    """
    if (run is None) != all_:
        raise ConfigError("Expected a RUN or --all, not both: give one of them")
    out = ledger_named_or_found(out, run or LATEST)
    upgrade = LedgerUpgrade(out, target)
    runs = upgrade.source.overview()[::-1]
    codes: list[ExitCode] = []
    if run is not None:
        wanted = upgrade.source.find(run)
        rows = [_row(_upgraded(upgrade, found)) for found in runs if found.run_id == wanted]
    else:
        rows, codes = _upgrade_all(upgrade, runs)
    emit(pl.DataFrame(rows, schema=COLUMNS, orient="row"), format_, f"Copied from {out} to {target}")
    if all_ and upgrade.has_records_without_run():
        stderr.print(f"Records that were appended one by one belong to no run: they stay in {out} alone.")
    return worst(codes)


@click.command(name="upgrade")
@data_dir_option("The market store to copy; default: the setting data.dir.")
@to_option
@format_option
@click.pass_obj
def data_upgrade(profile: str | None, data_dir: Location | None, target: Location, format_: Format) -> None:
    """Copy a market store of an older format to --to, in today's format. The source is only read.

    Every value is read back and compared; rows keep the times when they were known and fetched. The copy can be read
    once it is finished; the same command again finishes what was interrupted.
    """
    store = market_store(load_settings(profile, data_dir))
    with OBSERVER.progress("copying", 1) as step:
        copied = upgrade_store(store, target, lambda text, done, total: step(text, done, total))
    emit(copied, format_, f"Copied from {store} to {target}")
    stderr.print(f"{target} has format {STORE_FORMAT}. Use it with --data-dir {target}, or as the setting data.dir.")


def _upgrade_all(upgrade: LedgerUpgrade, runs: list[RunOverview]) -> tuple[list[tuple[object, ...]], list[ExitCode]]:
    """The rows of the table, and the exit codes of the runs that were refused: they stop no other."""
    rows: list[tuple[object, ...]] = []
    codes: list[ExitCode] = []
    for run in runs:
        try:
            rows.append(_left_alone(upgrade, run) or _row(_upgraded(upgrade, run)))
        except (FormatError, IntegrityError, LedgerError) as error:
            print_error(f"{run.run_id}: {error}")
            rows.append((run.run_id, REFUSED, *[None] * (len(COLUMNS) - 2)))
            codes.append(error.exit_code)
    return rows, codes


def _left_alone(upgrade: LedgerUpgrade, run: RunOverview) -> tuple[object, ...] | None:
    """The row of a run that needs no copy; None where it does, or where it cannot be read."""
    if run.manifest is None or run.error is not None:
        return None
    if run.manifest.format >= MANIFEST_FORMAT:
        return (run.run_id, CURRENT, run.manifest.format, None, None)
    return (run.run_id, HELD, run.manifest.format, None, None) if upgrade.is_held(run) else None


def _upgraded(upgrade: LedgerUpgrade, run: RunOverview) -> UpgradedRun:
    with OBSERVER.progress(f"copying {run.run_id}", 1) as step:
        return upgrade.upgrade(run, lambda done, total: step(f"batch {done} of {total}", done, total))


def _row(run: UpgradedRun) -> tuple[object, ...]:
    status = UPGRADED if run.sealed else UPGRADED_CUT_OFF
    return (run.run_id, status, run.from_format, run.batches, sum(run.rows.values()))
