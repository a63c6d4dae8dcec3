"""``gnosis-ray runs verify`` and ``runs repair``: whether runs are what was written, and mending them."""

from __future__ import annotations

import click
import polars as pl

from gnosis_ray.cli.console import OBSERVER, emit, print_error, stderr
from gnosis_ray.cli.ledgers import ledger_named_or_found
from gnosis_ray.cli.options import Format, format_option, out_option
from gnosis_ray.exit_codes import ExitCode, worst
from gnosis_ray.ledger.ledger_store import LedgerStore, resuming
from gnosis_ray.ledger.partition import batch_name
from gnosis_ray.ledger.repair import RunRepair
from gnosis_ray.ledger.run_finder import LATEST
from gnosis_ray.ledger.verify import RunVerification
from gnosis_ray.storage.location import Location

VERIFY_COLUMNS = {
    "run": pl.String,
    "kind": pl.String,
    "status": pl.String,
    "batches": pl.Int64,
    "parts": pl.Int64,
    "unverified": pl.Int64,
    "findings": pl.Int64,
}


@click.command(name="verify")
@click.argument("run", required=False)
@out_option
@format_option
def runs_verify(run: str | None, out: Location | None, format_: Format) -> int:
    """Read every file of RUN, or of all runs, and compare it with the digests that were kept; change nothing.

    A run is `whole`, `cut off` (it has no end yet), `unverified` (of a version that kept no digests: it can be read)
    or `damaged`. The exit code is then 6.
    """
    store = LedgerStore(ledger_named_or_found(out, run or LATEST))
    names = [run] if run is not None else [one.run_id for one in store.overview()]
    found = [_verified(store, name) for name in names]
    if not found:
        stderr.print(f"No run in {store.root}: there is nothing to verify.")
        return ExitCode.NO_DATA
    frame = pl.DataFrame([_row(one) for one in found], schema=VERIFY_COLUMNS, orient="row")
    emit(frame, format_, f"Runs in {store.root}")
    for one in found:
        _print_errors(one)
    damaged = [one.partition.run_id for one in found if one.status == "damaged"]
    if damaged:
        stderr.print(f"What can be mended is mended by: gnosis-ray runs repair {damaged[0]} --out {store.root}")
    return worst(error.exit_code for one in found for error in one.errors)


@click.command(name="repair")
@click.argument("run")
@out_option
@format_option
def runs_repair(run: str, out: Location | None, format_: Format) -> int:
    """Mend RUN as far as that is possible without inventing anything.

    A manifest is restored from its copy, markers of a sealed run out of its parts. Other damaged batches are set aside
    (under `damaged/`): a resume computes them anew. The exit code is 0 where the run is whole or can be resumed.
    """
    store = LedgerStore(ledger_named_or_found(out, run))
    with OBSERVER.progress("repairing", 1) as step:
        done = store.repair(run, lambda name: step(name, 0, 1))
    emit(pl.DataFrame(_mended(done), schema=["what", "how"], orient="row"), format_, f"Repair of {run} in {store.root}")
    after = done.after
    if after is None or after.errors or after.manifest is None:
        return ExitCode.INTEGRITY if after is None else _print_errors(after)
    if after.status == "cut off":
        stderr.print(f"Go on with: {resuming(after.manifest, store.root)}")
    else:
        stderr.print(f"The run is {after.status}.")
    return ExitCode.DONE


def _verified(store: LedgerStore, run: str) -> RunVerification:
    with OBSERVER.progress(f"verifying {run}", 1) as step:
        return store.verify(run, lambda name: step(name, 0, 1))


def _row(found: RunVerification) -> tuple[object, ...]:
    kind = None if found.manifest is None else found.manifest.kind
    sizes = (len(found.receipts), found.parts, found.unverified, len(found.errors))
    return (found.partition.run_id, kind, found.status, *sizes)


def _mended(done: RunRepair) -> list[tuple[str, str]]:
    again = [(batch_name(index), "set aside, to be computed anew") for index in done.set_aside]
    sealing = [("the receipt", "set aside: a resume seals the run anew")] if done.unsealed else []
    return [(name, "restored") for name in done.restored] + sealing + again or [
        ("nothing", "there was nothing to mend")
    ]


def _print_errors(found: RunVerification) -> ExitCode:
    for error in found.errors:
        print_error(str(error))
    return worst(error.exit_code for error in found.errors)
