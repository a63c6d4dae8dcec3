"""``gnosis-ray runs``: what was run, and what came of it."""

from __future__ import annotations

import click
import polars as pl

from gnosis_ray.cli.console import Format, emit, format_option, out_option, talk
from gnosis_ray.cli.ideas import IdeaFilter, emit_ideas, filter_options
from gnosis_ray.cli.report import degraded_frame, failures_frame, summary, title_of
from gnosis_ray.config import as_of_text
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.location import Location
from gnosis_ray.schemas.run_schemas import RunReceipt


@click.group(name="runs")
def command() -> None:
    """Runs in a ledger."""


@command.command(name="list")
@out_option
@format_option
def list_(out: Location, format_: Format) -> None:
    """Every sealed run, newest first."""
    receipts = LedgerStore(out).runs()
    schema = ["run", "status", "as_of", "provider", "universe", "symbols", "snapshots", "ideas", "failed", "seconds"]
    rows = [_row(receipt) for receipt in receipts]
    emit(pl.DataFrame(rows, schema=schema, orient="row"), format_, f"Runs in {out}")
    if not receipts:
        talk.print(f"No run in {out}: start one with `gnosis-ray scan --out {out}`.")


@command.command()
@click.argument("run", default="latest")
@filter_options
@click.option("--what", type=click.Choice(["ideas", "degraded", "failures"]), default="ideas", show_default=True)
@out_option
@format_option
def show(
    run: str,
    what: str,
    top: int,
    strategies: tuple[str, ...],
    sides: tuple[str, ...],
    min_confidence: float,
    out: Location,
    format_: Format,
) -> None:
    """One run: its ideas, its degradations or its failures. RUN is an id, the start of one, or `latest`."""
    store = LedgerStore(out)
    receipt = store.receipt(run)
    if what == "ideas":
        wanted = IdeaFilter(top, strategies, sides, min_confidence)
        emit_ideas(store, receipt, wanted, format_, title_of(receipt, "ideas"))
    else:
        frame = degraded_frame(receipt) if what == "degraded" else failures_frame(receipt)
        emit(frame.head(top) if top else frame, format_, title_of(receipt, what))
    summary(receipt, store)


def _row(receipt: RunReceipt) -> tuple[object, ...]:
    return (
        receipt.run_id,
        receipt.status,
        as_of_text(receipt.as_of),
        f"{receipt.provider}{' (SYNTHETIC)' if receipt.synthetic else ''}",
        receipt.universe,
        receipt.symbols,
        receipt.snapshots,
        receipt.ideas,
        len(receipt.failures),
        round(receipt.wall_seconds, 1),
    )
