"""``gnosis-ray explain SYMBOL``: the report of one symbol of one run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import PIPED_WIDTH, stderr
from gnosis_ray.cli.options import FileParam, Format, data_dir_option, limited_format_option, out_option
from gnosis_ray.errors import LedgerError, NoDataError, nearest_hint
from gnosis_ray.ledger.ledger_store import LATEST, LedgerStore, SymbolEntry, resuming
from gnosis_ray.market.symbols import canonical
from gnosis_ray.report.quotes import config_of, read_market_snapshot
from gnosis_ray.report.serialization import json_text
from gnosis_ray.report.symbol_report import SymbolReport, build_symbol_report
from gnosis_ray.report.terminal import print_report
from gnosis_ray.storage.location import Location

NEAREST = 3
LOOKED_THROUGH = 10
"""Earlier runs to search for a symbol that the given run does not have."""


@click.command(name="explain")
@click.argument("symbol")
@click.option("--run", default=LATEST, show_default=True, help="A run's id, or the start of one.")
@out_option
@click.option("--html", type=FileParam(), help="Also write it all as one page, with charts.")
@data_dir_option("The market store, if it was moved since the run.")
@limited_format_option(("table", "json"))
def command(
    symbol: str, run: str, out: Location, html: Path | None, data_dir: Location | None, format_: Format
) -> None:
    """Explain what a run decided about SYMBOL: measurements, confidence, charts, stances, the vote, trades."""
    report = _report(LedgerStore(out), run, canonical(symbol), data_dir)
    if html is not None:
        _write_page(report, html)
    if format_ == "json":
        click.echo(json_text(report))
    else:
        fits = sys.stdout.isatty() or "COLUMNS" in os.environ
        print_report(report, Console(highlight=False, width=None if fits else PIPED_WIDTH, markup=False))
    if report.market_problem:
        stderr.print(f"Market data: {report.market_problem}")
    if html is not None:
        stderr.print(f"Page: {html.absolute()}")


def _report(store: LedgerStore, run: str, symbol: str, data_dir: Location | None) -> SymbolReport:
    try:
        entry = store.entry(run, symbol)
    except LedgerError as error:
        raise LedgerError(
            f"{error.message}\nStart one with `gnosis-ray scan`, see those there are with `gnosis-ray runs list`"
        ) from error
    if entry.record is None:
        raise NoDataError(_why_not(store, entry, symbol), symbol=symbol)
    config = config_of(entry.manifest)
    return build_symbol_report(entry, config, read_market_snapshot(entry.manifest, config, entry.record, data_dir))


def _why_not(store: LedgerStore, entry: SymbolEntry, symbol: str) -> str:
    """Why a run has no record of a symbol."""
    manifest = entry.manifest
    if entry.failures:
        failed = "; ".join(f"at {failure.stage}: {failure.message}" for failure in entry.failures)
        return f"It failed in run {manifest.run_id} {failed}"
    if symbol in manifest.symbols:
        again = resuming(manifest.run_id, store.root)
        return f"Run {manifest.run_id} has not reached it. Resume it with: {again}"
    asked = plural(len(manifest.symbols), "symbol")
    absent = f"Not among the {asked} of run {manifest.run_id} ({manifest.universe})."
    other = next((run for run in store.runs()[:LOOKED_THROUGH] if symbol in store.manifest(run.run_id).symbols), None)
    if other is not None:
        return f"{absent} Run {other.run_id} has it: add --run {other.run_id}"
    return f"{absent} {nearest_hint(symbol, manifest.symbols, NEAREST)}"


def _write_page(report: SymbolReport, path: Path) -> None:
    from gnosis_ray.report.page import write_page  # matplotlib is slow to import: only where it is used

    write_page(report, path)
