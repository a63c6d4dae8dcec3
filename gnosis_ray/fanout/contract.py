"""What is fanned out, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gnosis_ray.errors import GnosisError
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

OnReceipt = Callable[[BatchReceipt], None]

DIED = "the process at work on it died"
"""Why a symbol has no result, where nothing was raised. No process id, no address: the words go into a ledger."""


class BatchWorker(Protocol):
    """Works symbols in one process and writes batches. What was computed may come from other processes."""

    def compute(self, symbols: Sequence[str]) -> Any:
        """The outcome of these symbols: it can be pickled, and nothing is written.

        A symbol's own error is part of the outcome; raising means that these symbols could not be worked as such.
        """
        ...

    def commit(self, batch: Batch, attempt: int, outcomes: Sequence[Any], lost: Mapping[str, str]) -> BatchReceipt:
        """Write ``batch`` whole, or raise and write nothing.

        ``outcomes``: what ``compute`` gave for its symbols, in one piece or several, in any order: the same symbols
        give the same bytes. ``lost``: symbols without an outcome, each with its reason, written as failures.
        ``attempt`` is unique to each try of the batch and belongs in the names of its temporary files. A try may
        follow one that was committed but not acknowledged: committing again must be harmless.
        """
        ...


class Job(Protocol):
    """Work that can be sent to another process: picklable, small, holding settings rather than data."""

    def open(self) -> BatchWorker:
        """Build sources and engines. Called once in each host; may be expensive. Raises any GnosisError."""
        ...


class Ask(Protocol):
    """Calls a method of a part that lives elsewhere."""

    def __call__(self, method: str, *arguments: Any) -> Any:
        """What the method returned; raises what it raised, and ClusterError where the part is gone."""
        ...


@runtime_checkable
class PartedJob(Job, Protocol):
    """A job whose parts, engines and agents, can each live in a process of its own."""

    def roles(self) -> tuple[str, ...]:
        """The names of the parts, in a fixed order: ``hedge``, ``agent.hedge``, ``composer``..."""
        ...

    def open_part(self, role: str) -> object:
        """Build one part."""
        ...

    def open_runner(self, asks: Mapping[str, Ask]) -> BatchWorker:
        """A worker that asks parts elsewhere, by role, instead of its own."""
        ...


@dataclass(frozen=True)
class FanoutReport:
    """How the batches were spread, for the summary. Nothing here changes a ledger."""

    granularity: str
    hosts: int
    """Planned processes at once; replacements are not counted."""
    hosts_lost: int
    requeued: int
    """Tries handed out again after a failure or the loss of a host."""
    reissued: int
    """Second copies of what stragglers held."""
    quarantined: tuple[str, ...]
    """Symbols that were written off because they, or their batch, could not be worked; sorted."""
    host_seconds: float
    """Seconds that hosts were held ready, summed over hosts."""
    coordinators_lost: int = 0


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


def late(limit_s: float) -> str:
    """The reason of what was not done in time."""
    return f"timed out: at work for more than {limit_s:g} s"
