"""The life of a run, of any kind: work the batches that are not committed yet, then seal it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from gnosis_ray.clock import summed_by_stage
from gnosis_ray.fanout import Fanout, FanoutReport, Job, OnReceipt
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.runs.kinds import RUN_KINDS
from gnosis_ray.schemas.run_schemas import (
    MANIFEST_FORMAT,
    BatchReceipt,
    Failure,
    RunManifest,
    RunReceipt,
    RunStatus,
    content_digest,
)

DRIVER = "driver."
"""Prefix of the stages that the driver spends before the batches are worked."""


def execute_run(
    job: Job,
    manifest: RunManifest,
    writer: RunWriter,
    fanout: Fanout,
    now: Callable[[], datetime],
    on_receipt: OnReceipt,
    started: datetime,
    setup_seconds: Mapping[str, float],
    before_seal: Callable[[], None] = lambda: None,
) -> RunReceipt:
    """Work every batch that is not committed yet, then seal the run; the receipt that stands.

    ``before_seal``: what else must be done for the run to be whole, such as adding its features to their history. It
    may be called again by a resume, so that doing it twice must be harmless.

    ``now`` reads the clock for ``runs`` alone; ``started`` and ``setup_seconds`` are what the driver did before, the
    seconds by stage. Errors are those of :meth:`gnosis_ray.fanout.Fanout.run` and of the ledger; batches that were
    committed before an error stay, and the same call goes on with the rest.
    """
    done = writer.committed()
    missing = [batch for batch in manifest.batches() if batch.index not in done]
    fresh: list[BatchReceipt] = []

    def keep(receipt: BatchReceipt) -> None:
        fresh.append(receipt)
        on_receipt(receipt)

    report = fanout.run(job, missing, keep)
    setup = {f"{DRIVER}{stage}": seconds for stage, seconds in setup_seconds.items()}
    seconds = setup | summed_by_stage(receipt.seconds for receipt in [*done.values(), *fresh])
    before_seal()
    # what the ledger holds counts, whoever wrote it: an attempt that was given up for lost may have won
    committed = writer.committed()
    receipts = [committed[index] for index in sorted(committed)]
    sealed = run_receipt(manifest, receipts, report, started, now(), seconds)
    writer.seal(sealed)
    return sealed


def run_receipt(
    manifest: RunManifest,
    receipts: Sequence[BatchReceipt],
    report: FanoutReport,
    started: datetime,
    finished: datetime,
    seconds: Mapping[str, float],
) -> RunReceipt:
    """What a run came to, out of the receipts of its batches."""
    failures = tuple(sorted((f for r in receipts for f in r.failures), key=lambda f: (f.symbol, f.stage)))
    # batches of format 1, in a run that was resumed, do not count every table
    counted = [table for table in manifest.tables if all(table in receipt.rows for receipt in receipts)]
    rows = {table: sum(receipt.rows[table] for receipt in receipts) for table in counted}
    return RunReceipt(
        format=MANIFEST_FORMAT,
        kind=manifest.kind,
        run_id=manifest.run_id,
        run_date=manifest.run_date,
        status=run_status(rows[RUN_KINDS[manifest.kind].counted_by], failures),
        as_of=manifest.as_of,
        provider=manifest.provider,
        synthetic=manifest.synthetic,
        universe=manifest.universe,
        universe_note=manifest.universe_note,
        granularity=report.granularity,
        hosts=report.hosts,
        symbols=len(manifest.symbols),
        rows=rows,
        degraded=_merged(receipt.degraded for receipt in receipts),
        failures=failures,
        seconds=dict(seconds),
        config_hash=manifest.config_hash,
        version=manifest.version,
        started_at=started,
        finished_at=finished,
        traffic=manifest.traffic,
        content_digest=content_digest(receipts),
    )


def run_status(counted: int, failures: Sequence[Failure]) -> RunStatus:
    """How a run ended; ``counted``: the rows of the table that its kind is counted by."""
    if counted == 0 and all(failure.kind == "no_data" for failure in failures):
        return "no_data"
    return "done_with_failures" if failures else "done"


def _merged(groups: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, set[str]] = {}
    for group in groups:
        for reason, symbols in group.items():
            merged.setdefault(reason, set()).update(symbols)
    return {reason: tuple(sorted(merged[reason])) for reason in sorted(merged)}
