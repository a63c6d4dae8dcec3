"""The report of a run: title, degradations, failures, summary."""

from __future__ import annotations

import polars as pl
from rich.text import Text

from gnosis_ray.api.history import sessions_of_history
from gnosis_ray.api.run_flow import PreparedRun
from gnosis_ray.app.feature_history import HISTORY_SESSIONS
from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import stderr
from gnosis_ray.cli.vendor_texts import describe_traffic
from gnosis_ray.config import as_of_text
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.ledger.tables import FAILURES
from gnosis_ray.runs.kinds import SCAN
from gnosis_ray.runs.life import DRIVER
from gnosis_ray.schemas.run_schemas import RunReceipt

DROPPED = "dropped:"
"""Tag of a composite stance that led to no idea; the reason follows."""

FETCH = "fetch."
"""Prefix of the stages in which vendors are asked."""

NAMED_REASONS = 12
NAMED_SYMBOLS = 6
"""Symbols named per reason in the summary; all of them are in the ledger."""


def title_of(receipt: RunReceipt, what: str) -> str:
    """A title that labels synthetic figures as such."""
    label = "SYNTHETIC market, not real prices: " if receipt.synthetic else ""
    asked = plural(receipt.symbols, "symbol") if receipt.universe == "list" else receipt.universe
    return f"{label}{what} of {asked} as of {as_of_text(receipt.as_of)}"


def degraded_frame(receipt: RunReceipt) -> pl.DataFrame:
    """Reasons, how many symbols each, and which."""
    rows = [(reason, len(symbols), list(symbols)) for reason, symbols in receipt.degraded.items()]
    frame = pl.DataFrame(rows, schema=["reason", "count", "symbols"], orient="row")
    return frame.cast({"symbols": pl.List(pl.String)}).sort(["count", "reason"], descending=[True, False])


def failures_frame(receipt: RunReceipt) -> pl.DataFrame:
    """Symbols without a result, and why."""
    return pl.DataFrame([failure.model_dump() for failure in receipt.failures], schema=FAILURES)


def untraded(store: LedgerStore, run_id: str) -> dict[str, int]:
    """Reasons why symbols have no idea: reason -> number of symbols, most first."""
    composites = store.read("suggestions", run_id).filter("composite")
    tags = composites.select(pl.col("tags").explode(empty_as_null=False, keep_nulls=False))["tags"]
    reasons = tags.filter(tags.str.starts_with(DROPPED)).str.strip_prefix(DROPPED)
    counted = reasons.value_counts().sort(["count", "tags"], descending=[True, False])
    return dict(counted.iter_rows())


def print_summary(receipt: RunReceipt, store: LedgerStore) -> None:
    """Print the summary of a run to stderr."""
    label = (" SYNTHETIC", "bold yellow") if receipt.synthetic else ""
    stderr.print(
        Text.assemble(
            (f"Run {receipt.run_id}", "bold"),
            label,
            f": {receipt.provider}, as of {as_of_text(receipt.as_of)}, "
            f"{receipt.granularity} on {plural(receipt.hosts, 'host')}",
        )
    )
    stderr.print(f"  {plural(receipt.symbols, 'symbol')}: {_counts(receipt)}")
    reasons = sorted(receipt.degraded.items(), key=lambda item: (-len(item[1]), item[0]))
    for reason, symbols in reasons[:NAMED_REASONS]:
        stderr.print(f"  degraded {reason}: {len(symbols)} ({_named(symbols)})")
    if len(reasons) > NAMED_REASONS:
        stderr.print(f"  ... {len(reasons) - NAMED_REASONS} more reasons: gnosis-ray runs show --what degraded")
    for failure in receipt.failures[:NAMED_SYMBOLS]:
        stderr.print(Text.assemble("  ", ("failed", "red"), f" {failure.symbol} at {failure.stage}: {failure.message}"))
    if len(receipt.failures) > NAMED_SYMBOLS:
        stderr.print(f"  ... {len(receipt.failures) - NAMED_SYMBOLS} more: gnosis-ray runs show --what failures")
    untraded_for = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in untraded(store, receipt.run_id).items())
    for vendor in receipt.traffic:
        stderr.print(f"  {describe_traffic(vendor)}")
    if untraded_for:
        stderr.print(f"  no idea: {untraded_for}")
    stderr.print(f"  {_seconds(receipt)}")
    stderr.print(f"  ledger: {store.root}")
    if receipt.status == "no_data":
        stderr.print("No chain and no bars of any of them were known by then: see `gnosis-ray data list`.")


def print_history(run: PreparedRun) -> None:
    """How far the history of features reaches that a scan's decisions could compare with, on stderr."""
    sessions = sessions_of_history(run)
    if sessions < HISTORY_SESSIONS:
        stderr.print(
            f"  feature history: {sessions:.0f} of {HISTORY_SESSIONS} sessions; scans add to it, "
            "`gnosis-ray data backfill` measures earlier ones",
            style="dim",
        )


def _counts(receipt: RunReceipt) -> str:
    """What a run counts: symbols and ideas of a scan, rows of another kind."""
    if receipt.kind != SCAN.name:
        rows = ", ".join(f"{count:,} rows of {table}" for table, count in receipt.rows.items())
        return f"{rows}; {_failed(receipt)}"
    degraded = {symbol for symbols in receipt.degraded.values() for symbol in symbols}
    return (
        f"{receipt.snapshots} done ({len(degraded)} of them degraded), {_failed(receipt)}, "
        f"{plural(receipt.ideas, 'idea')}"
    )


def _failed(receipt: RunReceipt) -> str:
    """Symbols without a result, and what could not be fetched, with or without one."""
    missing = {failure.symbol for failure in receipt.failures if not failure.stage.startswith(FETCH)}
    unfetched = sum(failure.stage.startswith(FETCH) for failure in receipt.failures)
    return f"{len(missing)} failed" + (
        f", {plural(unfetched, 'answer')} not available from vendors" if unfetched else ""
    )


def _seconds(receipt: RunReceipt) -> str:
    parts = {True: list[str](), False: list[str]()}
    for stage, seconds in sorted(receipt.seconds.items(), key=lambda item: -item[1]):
        parts[stage.startswith(DRIVER)].append(f"{stage.removeprefix(DRIVER)} {seconds:.2f}")
    before, hosts = ", ".join(parts[True]), ", ".join(parts[False])
    return f"{receipt.wall_seconds:.2f} seconds; before the pass: {before}; in it, summed over hosts: {hosts}"


def _named(symbols: tuple[str, ...]) -> str:
    named = ", ".join(symbols[:NAMED_SYMBOLS])
    return named if len(symbols) <= NAMED_SYMBOLS else f"{named}, ..."
