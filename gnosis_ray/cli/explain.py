"""``gnosis-ray explain SYMBOL``: the report of one symbol of one run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gnosis_ray.api.explain import symbol_report
from gnosis_ray.cli.console import PIPED_WIDTH, stderr, stdout_console, write_for_machines
from gnosis_ray.cli.ledgers import ledger_named_or_found
from gnosis_ray.cli.options import FileParam, Format, limited_format_option, out_option
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.run_finder import LATEST
from gnosis_ray.report.serialization import json_text
from gnosis_ray.report.symbol_report import SymbolReport
from gnosis_ray.report.terminal import print_report
from gnosis_ray.storage.location import Location


@click.command(name="explain")
@click.argument("symbol")
@click.option("--run", default=LATEST, show_default=True, help="A run's id, or the start of one.")
@out_option
@click.option("--html", type=FileParam(), help="Also write it all as one page, with charts.")
@limited_format_option(("table", "json"))
def command(symbol: str, run: str, out: Location | None, html: Path | None, format_: Format) -> None:
    """Explain what a run decided about SYMBOL: measurements, confidence, charts, stances, the vote, trades."""
    report = symbol_report(LedgerStore(ledger_named_or_found(out, run)), run, symbol)
    if html is not None:
        _write_page(report, html)
    if format_ == "json":
        write_for_machines(f"{json_text(report)}\n")
    else:
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
        print_report(report, stdout_console(width))
    for sentence in report.missing:
        stderr.print(sentence)
    if html is not None:
        stderr.print(f"Page: {html.absolute()}")


def _write_page(report: SymbolReport, path: Path) -> None:
    from gnosis_ray.report.page import write_page  # matplotlib is slow to import: only where it is used

    write_page(report, path)
