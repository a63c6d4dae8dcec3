"""The summary of a run on stderr: five lines, and the rest where it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
from gnosis_ray.runs.kinds import SCAN
from gnosis_ray.runs.life import DRIVER
from gnosis_ray.schemas.run_schemas import Failure, RunReceipt

DROPPED = "dropped:"
"""Tag of a composite stance that led to no idea; the reason follows."""

FETCH = "fetch."
"""Prefix of the stages in which vendors are asked."""

NAMED_REASONS = 6
"""Reasons named in a line; all of them are in the ledger."""

NAMED_SYMBOLS = 6
"""Symbols named for a reason."""


def print_summary(receipt: RunReceipt, store: LedgerStore, *, verbose: bool = False) -> None:
    """Print five lines about a run to stderr; with ``verbose`` what is in them by symbol, vendor and stage."""
    print_headline(receipt)
    untraded_for = untraded(store, receipt.run_id) if receipt.kind == SCAN.name else {}
    lines = [_counts(receipt), _degraded(receipt), f"no idea: {_most(untraded_for)}" if untraded_for else ""]
    for line in filter(None, lines):
        stderr.print(Text(f"  {line}"))
    stderr.print(Text(f"  {receipt.wall_seconds:.2f} seconds; ledger: {store.root}"))
    if verbose:
        _print_details(receipt, untraded_for)
    if receipt.status == "no_data":
        stderr.print("No chain and no bars of any of them were known by then: see `gnosis-ray data list`.")


def print_headline(receipt: RunReceipt) -> None:
    """Print which run it is, on which market, to stderr: made-up figures say so wherever they are shown."""
    label = (" SYNTHETIC", "bold yellow") if receipt.synthetic else ""
    stderr.print(
        Text.assemble(
            (f"Run {receipt.run_id}", "bold"),
            label,
            f": {receipt.provider}, as of {as_of_text(receipt.as_of)}, "
            f"{receipt.granularity} on {plural(receipt.hosts, 'host')}",
        )
    )


def print_history(run: PreparedRun) -> None:
    """How far the history of features reaches that a scan's decisions could compare with, on stderr."""
    sessions = sessions_of_history(run)
    if sessions < HISTORY_SESSIONS:
        stderr.print(
            f"  feature history: {sessions:.0f} of {HISTORY_SESSIONS} sessions; scans add to it, "
            "`gnosis-ray data backfill` measures earlier ones",
            style="dim",
        )


def untraded(store: LedgerStore, run_id: str) -> dict[str, int]:
    """Reasons why symbols have no idea: reason -> number of symbols, most first."""
    composites = store.read("suggestions", run_id).filter("composite")
    tags = composites.select(pl.col("tags").explode(empty_as_null=False, keep_nulls=False))["tags"]
    reasons = tags.filter(tags.str.starts_with(DROPPED)).str.strip_prefix(DROPPED)
    counted = reasons.value_counts().sort(["count", "tags"], descending=[True, False])
    return dict(counted.iter_rows())


def lacking_everywhere(receipt: RunReceipt) -> dict[str, tuple[str, ...]]:
    """The degradations that every measured symbol has: what the source lacks, rather than a symbol."""
    if receipt.snapshots < 2:
        return {}
    return {reason: held for reason, held in receipt.degraded.items() if len(held) == receipt.snapshots}


def _counts(receipt: RunReceipt) -> str:
    """What a run counts: symbols and ideas of a scan, rows of another kind; then what failed."""
    if receipt.kind != SCAN.name:
        done = ", ".join(f"{count:,} rows of {table}" for table, count in receipt.rows.items())
    else:
        done = f"{receipt.snapshots} done, {plural(receipt.ideas, 'idea')}"
    unfetched = [failure for failure in receipt.failures if failure.stage.startswith(FETCH)]
    failed = {failure.symbol for failure in receipt.failures if failure not in unfetched}
    parts = [done, f"{len(failed)} failed"]
    parts += [f"{plural(len(unfetched), 'answer')} not available from vendors"] if unfetched else []
    # a symbol that a vendor did not answer for fails for that reason
    return f"{plural(receipt.symbols, 'symbol')}: {', '.join(parts)}{_reasons(unfetched or receipt.failures)}"


def _reasons(failures: Iterable[Failure]) -> str:
    """The first reason for which symbols failed, with the symbols, and how many others there are."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for failure in failures:
        by_reason.setdefault((failure.stage, failure.message), []).append(failure.symbol)
    if not by_reason:
        return ""
    (stage, message), symbols = max(by_reason.items(), key=lambda item: len(item[1]))
    more = f"; {len(by_reason) - 1} other reasons: gnosis-ray runs show --what failures" if len(by_reason) > 1 else ""
    return f" ({_named(symbols)} at {stage}: {message}{more})"


def _degraded(receipt: RunReceipt) -> str:
    """How many symbols are worse measured than the rest, for which reasons, and what the source lacks for all."""
    everywhere = lacking_everywhere(receipt)
    own = {reason: held for reason, held in receipt.degraded.items() if reason not in everywhere}
    by_name: dict[str, set[str]] = {}
    for reason, held in own.items():
        by_name.setdefault(_name(reason), set()).update(held)
    degraded = set().union(*by_name.values()) if by_name else set()
    counts = dict(sorted(((n, len(s)) for n, s in by_name.items()), key=lambda item: (-item[1], item[0])))
    parts = [f"degraded: {len(degraded)} ({_most(counts)})"] if counts else []
    lacks = ", ".join(sorted({_name(reason) for reason in everywhere}))
    return "; ".join([*parts, *([f"of all: {lacks}"] if lacks else [])])


def _print_details(receipt: RunReceipt, untraded_for: Mapping[str, int]) -> None:
    for reason, symbols in sorted(receipt.degraded.items(), key=lambda item: (-len(item[1]), item[0])):
        stderr.print(Text(f"  degraded {reason}: {len(symbols)} ({_named(symbols)})"))
    for failure in receipt.failures:
        stderr.print(Text.assemble("  ", ("failed", "red"), f" {failure.symbol} at {failure.stage}: {failure.message}"))
    for vendor in receipt.traffic:
        stderr.print(Text(f"  {describe_traffic(vendor)}"))
    for reason, count in untraded_for.items():
        stderr.print(Text(f"  no idea for {count}: {reason.replace('_', ' ')}"))
    parts = {True: list[str](), False: list[str]()}
    for stage, seconds in sorted(receipt.seconds.items(), key=lambda item: -item[1]):
        parts[stage.startswith(DRIVER)].append(f"{stage.removeprefix(DRIVER)} {seconds:.2f}")
    before, hosts = ", ".join(parts[True]), ", ".join(parts[False])
    stderr.print(Text(f"  seconds before the pass: {before}; in it, summed over hosts: {hosts}"))


def _most(counts: Mapping[str, int]) -> str:
    """The largest counts, which come first, and how many others there are."""
    named = [f"{name.replace('_', ' ')} {count}" for name, count in list(counts.items())[:NAMED_REASONS]]
    more = len(counts) - NAMED_REASONS
    return ", ".join(named) + (f", {more} more" if more > 0 else "")


def _name(reason: str) -> str:
    """``no quotes`` of ``liquidity:no_quotes``."""
    return reason.rpartition(":")[2].replace("_", " ")


def _named(symbols: Iterable[str]) -> str:
    found = list(dict.fromkeys(symbols))
    named = ", ".join(found[:NAMED_SYMBOLS])
    return named if len(found) <= NAMED_SYMBOLS else f"{named}, ..."
