"""What is fanned out, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gnosis_ray.errors import GnosisError
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

OnReceipt = Callable[[BatchReceipt], None]


class BatchWorker(Protocol):
    """Works batches in one process. Each call commits its batch whole, or raises and commits nothing."""

    def run(self, batch: Batch, attempt: int) -> BatchReceipt:
        """Work and commit ``batch``.

        A symbol's own error becomes a failure in the receipt; raising means that the batch as such failed.
        ``attempt`` is unique to each try of the batch and belongs in the names of its temporary files. A try may
        follow one that was committed but not acknowledged: committing again must be harmless.
        """
        ...

    def give_up(self, batch: Batch, attempt: int, reason: str) -> BatchReceipt:
        """Commit ``batch`` with one failure row a symbol and nothing else: quarantine."""
        ...


class Job(Protocol):
    """Work that can be sent to another process: picklable, small, holding settings rather than data."""

    def open(self) -> BatchWorker:
        """Build sources and engines. Called once in each host; may be expensive. Raises any GnosisError."""
        ...


@dataclass(frozen=True)
class FanoutReport:
    """How the batches were spread, for the summary. Nothing here changes a ledger."""

    granularity: str
    hosts: int
    """Planned hosts; replacements are not counted."""
    hosts_lost: int
    requeued: int
    """Tries handed out again after a failure or the loss of a host."""
    quarantined: tuple[int, ...]
    """Indices of batches that were given up, ascending."""
    host_seconds: float
    """Seconds that hosts were held ready, summed over hosts."""


class Fanout(Protocol):
    """Runs a job over batches, wherever."""

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """Work every batch; call ``on_receipt`` in this process exactly once for each, in order of arrival.

        Raises what ``job.open`` raises, :class:`~gnosis_ray.errors.LedgerError` for a batch that can be neither
        worked nor given up, and :class:`~gnosis_ray.errors.ClusterError` where hosts cannot be kept alive. Batches
        acknowledged before an error stay committed: the run can be resumed.
        """
        ...


def reason_of(error: BaseException) -> str:
    """An error as one line of a failure's text."""
    text = str(error) if isinstance(error, GnosisError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
