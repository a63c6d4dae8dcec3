"""Why a run decided what it did about a symbol."""

from __future__ import annotations

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.errors import LedgerError, NoDataError, nearest_hint
from gnosis_ray.ledger.ledger_store import LedgerStore, SymbolEntry, resuming
from gnosis_ray.market.symbols import canonical
from gnosis_ray.report.symbol_report import SymbolReport, build_symbol_report

NEAREST = 3
LOOKED_THROUGH = 10
"""Earlier runs to search for a symbol that the given run does not have."""


def symbol_report(store: LedgerStore, run: str, symbol: str) -> SymbolReport:
    """The report of one symbol, in any spelling; ``run``: its id, the start of one, or ``latest``.

    Everything comes from the ledger. Raises :class:`LedgerError` for an unknown run, :class:`NoDataError` where the run
    has no result for the symbol, with the reason.
    """
    symbol = canonical(symbol)
    try:
        entry = store.entry(run, symbol)
    except LedgerError as error:
        raise LedgerError(
            f"{error.message}\nStart one with `gnosis-ray scan`, see those there are with `gnosis-ray runs list`"
        ) from error
    if entry.record is None:
        raise NoDataError(_why_not(store, entry, symbol), symbol=symbol)
    return build_symbol_report(entry)


def _why_not(store: LedgerStore, entry: SymbolEntry, symbol: str) -> str:
    """Why a run has no record of a symbol."""
    manifest = entry.manifest
    if entry.failures:
        failed = "; ".join(f"at {failure.stage}: {failure.message}" for failure in entry.failures)
        return f"It failed in run {manifest.run_id} {failed}"
    if symbol in manifest.symbols:
        again = resuming(manifest, store.root)
        return f"Run {manifest.run_id} has not reached it. Resume it with: {again}"
    asked = plural(len(manifest.symbols), "symbol")
    absent = f"Not among the {asked} of run {manifest.run_id} ({manifest.universe})."
    other = next((run for run in store.runs()[:LOOKED_THROUGH] if symbol in store.manifest(run.run_id).symbols), None)
    if other is not None:
        return f"{absent} Run {other.run_id} has it: add --run {other.run_id}"
    return f"{absent} {nearest_hint(symbol, manifest.symbols, NEAREST)}"
