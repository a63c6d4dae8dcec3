"""The plan of a run as rows of a table: what ``--dry-run`` prints."""

from __future__ import annotations

import polars as pl

from gnosis_ray.api.plan import RunPlan
from gnosis_ray.cli.console import emit
from gnosis_ray.cli.options import Format
from gnosis_ray.cli.vendor_texts import describe_plans
from gnosis_ray.config import as_of_text


def emit_plan(plan: RunPlan, format_: Format) -> None:
    """Write a plan to stdout."""
    rows = [
        ("run", plan.kind),
        ("symbols", f"{len(plan.symbols)} of {plan.universe}"),
        *([("moments", f"{plan.timestamps:,}")] if plan.timestamps > 1 else []),
        ("as of", "when all is fetched" if plan.as_of is None else as_of_text(plan.as_of)),
        ("provider", f"{plan.provider}{' (SYNTHETIC)' if plan.synthetic else ''}"),
        *describe_plans(plan.vendors),
        ("batches", f"{plan.batches} of up to {plan.batch_size} symbols"),
        ("hosts", plan.placement),
        ("granularity", plan.granularity),
        ("actors", f"{plan.actors} at once" + (f", {plan.waves} waves" if plan.waves > 1 else "")),
        ("memory", f"{plan.memory_mb} MB at once"),
        ("ledger", str(plan.ledger)),
    ]
    emit(pl.DataFrame(rows, schema=["what", "plan"], orient="row"), format_, "Dry run: nothing was started")
