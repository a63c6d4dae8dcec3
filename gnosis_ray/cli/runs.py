"""``gnosis-ray runs``: the runs in a ledger and their results."""

from __future__ import annotations

from collections.abc import Mapping

import click
import polars as pl

from gnosis_ray.cli.console import emit, print_error, stderr
from gnosis_ray.cli.ideas import IdeaFilter, emit_ideas, filter_options, require_strategies
from gnosis_ray.cli.ledgers import ledger_named_or_found
from gnosis_ray.cli.options import Format, format_option, out_option, verbose_option
from gnosis_ray.cli.report import degraded_frame, failures_frame, title_of
from gnosis_ray.cli.run_summary import print_headline, print_summary
from gnosis_ray.cli.runs_verify import runs_repair, runs_verify
from gnosis_ray.cli.upgrade import runs_upgrade
from gnosis_ray.config import as_of_text
from gnosis_ray.errors import FormatError
from gnosis_ray.exit_codes import worst
from gnosis_ray.ledger.ledger_store import LedgerStore, resuming
from gnosis_ray.ledger.overview import RunOverview
from gnosis_ray.runs.kinds import RUN_KINDS, SCAN
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt
from gnosis_ray.storage.location import Location

CUT_OFF = "cut off"
"""Status of a run without an end."""

UNREADABLE, NEWER = "unreadable", "newer format"
"""Status of a run whose files are damaged, and of one that only another version reads."""

RUN_COLUMNS = {
    "run": pl.String,
    "kind": pl.String,
    "status": pl.String,
    "as_of": pl.String,
    "provider": pl.String,
    "universe": pl.String,
    "symbols": pl.Int64,
    "rows": pl.Int64,
    "snapshots": pl.Int64,
    "ideas": pl.Int64,
    "failed": pl.Int64,
    "seconds": pl.Float64,
}
"""``rows``: of the table that the run is for: snapshots of a scan, features of a backfill."""

SPARE = ("snapshots", "universe", "seconds", "provider", "as_of", "symbols", "kind")
"""Columns that a narrow terminal does without, the first first."""


@click.group(name="runs")
def command() -> None:
    """Runs in a ledger."""


command.add_command(runs_upgrade)
command.add_command(runs_verify)
command.add_command(runs_repair)


@command.command(name="list")
@out_option
@format_option
def list_(out: Location | None, format_: Format) -> int:
    """List all runs, newest first; one without an end is ``cut off``, or still running.

    A run that cannot be read, or only by a newer version, is listed as such; the exit code is then 2, or 6 if
    one is damaged.
    """
    out = ledger_named_or_found(out)
    store = LedgerStore(out)
    runs = store.overview()
    if runs or format_ != "table":
        frame = pl.DataFrame([_row(run) for run in runs], schema=RUN_COLUMNS, orient="row")
        emit(frame, format_, f"Runs in {out}", spare=SPARE)
    for run in runs:
        if run.error is not None:
            print_error(str(run.error))
        elif run.manifest is not None and not run.ended:
            stderr.print(f"Unless it is running, resume it with: {resuming(run.manifest, store.root)}")
    if not runs:
        stderr.print(f"No run in {out}: start one with `gnosis-ray scan --out {out}`.")
    return worst(run.error.exit_code for run in runs if run.error is not None)


@command.command()
@click.argument("run", default="latest")
@filter_options
@click.option("--what", type=click.Choice(["ideas", "degraded", "failures"]), default="ideas", show_default=True)
@verbose_option
@out_option
@format_option
def show(
    run: str,
    what: str,
    top: int,
    strategies: tuple[str, ...],
    sides: tuple[str, ...],
    min_confidence: float,
    verbose: bool,
    out: Location | None,
    format_: Format,
) -> None:
    """Show one run: its ideas, its degradations or its failures. RUN is an id, the start of one, or `latest`."""
    store = LedgerStore(ledger_named_or_found(out, run))
    receipt = store.receipt(run)
    if strategies:
        require_strategies(strategies, store.read("trade_ideas", receipt.run_id)["strategy_type"].unique().sort())
    if receipt.kind != SCAN.name and what == "ideas":
        tables = pl.DataFrame(list(receipt.rows.items()), schema=["table", "rows"], orient="row")
        emit(tables, format_, title_of(receipt, "tables"))
    elif what == "ideas":
        wanted = IdeaFilter(top, strategies, sides, min_confidence)
        emit_ideas(store, receipt, wanted, format_, title_of(receipt, "ideas"))
    else:
        frame = degraded_frame(receipt) if what == "degraded" else failures_frame(receipt)
        emit(frame.head(top) if top else frame, format_, title_of(receipt, what))
    if verbose:
        print_summary(receipt, store, verbose=True)
    else:
        print_headline(receipt)


def _row(run: RunOverview) -> tuple[object, ...]:
    if run.error is not None or run.manifest is None:
        asked = (None, None, None) if run.manifest is None else _asked(run.manifest)
        status = NEWER if isinstance(run.error, FormatError) else UNREADABLE
        kind = None if run.manifest is None else run.manifest.kind
        return (run.run_id, kind, status, *asked, *[None] * (len(RUN_COLUMNS) - 6))
    if run.receipt is None or not run.ended:
        return _cut_row(run.manifest, run.batches)
    return _sealed_row(run.receipt)


def _sealed_row(receipt: RunReceipt) -> tuple[object, ...]:
    return (
        receipt.run_id,
        receipt.kind,
        receipt.status,
        *_asked(receipt),
        receipt.symbols,
        _rows(receipt.kind, receipt.rows),
        receipt.snapshots,
        receipt.ideas,
        len(receipt.failures),
        round(receipt.wall_seconds, 1),
    )


def _cut_row(manifest: RunManifest, batches: Mapping[int, BatchReceipt]) -> tuple[object, ...]:
    """Counts of the batches that are committed; the duration is unknown."""
    whole = batches.values()
    return (
        manifest.run_id,
        manifest.kind,
        CUT_OFF,
        *_asked(manifest),
        len(manifest.symbols),
        sum(_rows(manifest.kind, batch.rows) or 0 for batch in whole),
        sum(batch.rows.get("snapshots", 0) for batch in whole),
        sum(batch.rows.get("trade_ideas", 0) for batch in whole),
        sum(len(batch.failures) for batch in whole),
        None,
    )


def _rows(kind: str, rows: Mapping[str, int]) -> int | None:
    """The rows that a run of this kind is for; None for a kind of another version."""
    return rows.get(RUN_KINDS[kind].counted_by, 0) if kind in RUN_KINDS else None


def _asked(run: RunReceipt | RunManifest) -> tuple[str, str, str]:
    provider = f"{run.provider}{' (SYNTHETIC)' if run.synthetic else ''}"
    return as_of_text(run.as_of), provider, run.universe
