"""What is known of each run that was begun in a ledger, those included that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gnosis_ray.errors import FormatError, IntegrityError, LedgerError
from gnosis_ray.ledger.manifests import read_manifest
from gnosis_ray.ledger.partition import RunPartition, ledger_errors
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.whole_runs import require_all_batches
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt


@dataclass(frozen=True)
class RunOverview:
    """One run: what it set out to do, and what it came to."""

    run_id: str
    run_date: date
    manifest: RunManifest | None = None
    receipt: RunReceipt | None = None
    """None where the run was never sealed."""
    batches: Mapping[int, BatchReceipt] = field(default_factory=dict)
    """The whole batches of a run without an end; those of a sealed one are counted, not read."""
    error: FormatError | IntegrityError | LedgerError | None = None
    """Why the run cannot be read; what could be is there nevertheless."""

    @property
    def ended(self) -> bool:
        """Whether the run was sealed as finished; else it was cut off, or is running."""
        return self.receipt is not None and self.receipt.ended


def overview_of(partition: RunPartition) -> RunOverview:
    """The overview of one run; an error is part of it."""
    run_id, run_date, manifest, receipt = partition.run_id, partition.run_date, None, None
    try:
        manifest = read_manifest(partition)
        writer = RunWriter.of(partition.backend.root, manifest)
        receipt = writer.receipt()
        if receipt is None or not receipt.ended:
            return RunOverview(run_id, run_date, manifest, receipt, writer.committed())
        with ledger_errors(f"list the commits of run {run_id} in {partition.backend.root}"):
            require_all_batches(partition, manifest, partition.committed_batches())
        return RunOverview(run_id, run_date, manifest, receipt)
    except (FormatError, IntegrityError, LedgerError) as error:
        return RunOverview(run_id, run_date, manifest, receipt, error=error)
