"""``gnosis-ray data verify``: checks of the market data in the store."""

from __future__ import annotations

from datetime import date, datetime

import click
import polars as pl

from gnosis_ray.app.sources import OLDEST_DATA, build_calendar
from gnosis_ray.app.sources import data_dir as market_store
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import OBSERVER, emit, print_error, stderr
from gnosis_ray.cli.options import DayParam, Format, data_dir_option, format_option, load_settings, symbols_option
from gnosis_ray.clock import utc_now
from gnosis_ray.config import Config
from gnosis_ray.data.quality import all_checks, has_errors, verify
from gnosis_ray.data.store.verify import damaged_parts
from gnosis_ray.errors import ConfigError
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.market.datasets import STORE_DATASETS, data_kind
from gnosis_ray.market.symbols import canonical
from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind
from gnosis_ray.storage.location import Location

_DAY = DayParam()


@click.command(name="verify")
@click.option("--kind", "kinds", metavar="A,B", help=f"Of {', '.join(DATA_KINDS)}; default: all.")
@symbols_option
@click.option("--from", "first", type=_DAY, help="The first day, of the events' time in UTC.")
@click.option("--to", "last", type=_DAY, help="The last day.")
@click.option("--checks", "explain", is_flag=True, help="List the checks and what each looks for; verify nothing.")
@data_dir_option()
@format_option
@click.pass_obj
def command(
    profile: str | None,
    kinds: str | None,
    symbols: str | None,
    first: datetime | None,
    last: datetime | None,
    explain: bool,
    data_dir: Location | None,
    format_: Format,
) -> int:
    """Check the market store: damaged files, impossible quotes, gaps, splits, outliers, contradictions.

    It changes nothing. Every file is read and compared with the hashes in its name; where one is not what was written,
    the rows are not checked: what is in them could be anything.

    Findings are errors (results computed from the data would be wrong), warnings (worth a look) or notes. Thresholds
    are the settings in `quality`. The exit code is 3 if there is an error, 4 if the store is empty or cannot be read,
    6 if a file is not as the store wrote it, else 0.
    """
    config = load_settings(profile, data_dir)
    if explain:
        emit(_explained(config), format_, "Checks")
        return ExitCode.DONE
    store = market_store(config)
    chosen = _kinds(kinds)
    with OBSERVER.progress("reading files", 1) as step:
        damaged = damaged_parts(store, chosen if kinds else tuple(STORE_DATASETS), step)
    if damaged:
        for error in damaged:
            print_error(str(error))
        stderr.print(
            f"{plural(len(damaged), 'damaged file')} in {store}. Move them out of it; then restore them, "
            "or import or fetch anew what they held."
        )
        return ExitCode.INTEGRITY
    with OBSERVER.progress("verifying", 1) as step:
        findings = verify(
            store,
            config,
            build_calendar(config, utc_now(), since=OLDEST_DATA),
            kinds=chosen,
            symbols={canonical(name) for name in symbols.split(",")} if symbols else None,
            first=_date(first),
            last=_date(last),
            progress=lambda text, done, total: step(text, done, total),
        )
    emit(findings, format_, f"Findings in {store}", spare=("most",))
    stderr.print(
        "No findings." if findings.is_empty() else "The meaning of each finding: gnosis-ray data verify --checks"
    )
    return ExitCode.FINDINGS if has_errors(findings) else ExitCode.DONE


def _explained(config: Config) -> pl.DataFrame:
    rows = [(check.kind, check.name, check.severity, check.doc) for check in all_checks(config)]
    return pl.DataFrame(rows, schema=["kind", "finding", "severity", "meaning"], orient="row")


def _kinds(text: str | None) -> tuple[DataKind, ...]:
    try:
        return tuple(data_kind(name.strip()) for name in text.split(",")) if text else DATA_KINDS
    except ConfigError as error:
        raise ConfigError(f"--kind: {error.message}") from error


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
