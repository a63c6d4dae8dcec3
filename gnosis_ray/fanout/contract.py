"""The protocols of a fan-out: jobs, the workers that they open, and reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gnosis_ray.errors import GnosisError, text_of
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

OnReceipt = Callable[[BatchReceipt], None]

DIED = "the process at work on it died"
"""The reason where a symbol has no result and nothing was raised. Ledgers hold it: no process id, no address."""


class BatchWorker(Protocol):
    """Computes symbols in one process and writes batches, whose outcomes may come from other processes."""

    def compute(self, batch: Batch) -> Any:
        """Compute a batch, or some of its symbols (:meth:`Batch.only`). The outcome can be pickled; nothing is written.

        A symbol's own error is part of the outcome; raising means that the symbols could not be computed at all.
        """
        ...

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[Any], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        """Write ``batch`` whole, or raise and write nothing.

        ``outcomes``: what ``compute`` returned for its symbols, in one call or several, in any order: the same symbols
        give the same bytes. ``quarantined``: symbols without an outcome, each with its reason, written as failures.
        ``attempt`` is unique to each attempt at the batch and belongs in the names of its temporary files. An attempt
        may follow one that was committed but not acknowledged: committing again must be harmless.
        """
        ...


class Job(Protocol):
    """Work that can be sent to another process: picklable, small, holding settings rather than data."""

    def open(self) -> BatchWorker:
        """Build sources and engines. Called once in each host; may be expensive. Raises any GnosisError."""
        ...


class MethodCaller(Protocol):
    """Calls a method of a component in another process."""

    def __call__(self, method: str, *arguments: Any) -> Any:
        """Return what the method returned; raise what it raised, and ClusterError where the component is gone."""
        ...


@runtime_checkable
class ComponentJob(Job, Protocol):
    """A job whose components, engines and agents, can each run in a process of their own."""

    def roles(self) -> tuple[str, ...]:
        """The names of the components, in a fixed order: ``hedge``, ``agent.hedge``, ``composer``..."""
        ...

    def open_component(self, role: str) -> object:
        """Build one component."""
        ...

    def open_runner(self, callers: Mapping[str, MethodCaller]) -> BatchWorker:
        """A worker that calls components in other processes, by role, instead of its own."""
        ...


@dataclass(frozen=True)
class FanoutReport:
    """How the batches were distributed, for the summary. Nothing here changes a ledger."""

    granularity: str
    hosts: int
    """Planned processes at once; replacements are not counted."""
    hosts_lost: int
    requeued: int
    """Assignments queued again after a failure or the loss of a host."""
    reissued: int
    """Copies of what stragglers held."""
    quarantined: tuple[str, ...]
    """Symbols that were given up because they, or their batch, could not be computed; sorted."""
    host_seconds: float
    """Seconds that hosts were held ready, summed over hosts."""
    coordinators_lost: int = 0


class Fanout(Protocol):
    """Runs a job over batches, in this process or in others."""

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        """Run every batch; call ``on_receipt`` in this process exactly once for each, in order of arrival.

        Raises what ``job.open`` raises, :class:`~gnosis_ray.errors.ResourceError` of a worker at once,
        :class:`~gnosis_ray.errors.LedgerError` for a batch that can be neither computed nor given up, and
        :class:`~gnosis_ray.errors.ClusterError` where hosts cannot be kept alive. Batches acknowledged before an error
        stay committed: the run can be resumed.
        """
        ...


def reason_of(error: BaseException) -> str:
    """An error as one line, for the text of a failure."""
    text = str(error) if isinstance(error, GnosisError) else f"{type(error).__name__}: {text_of(error)}"
    return " ".join(text.split())


def late(limit_s: float) -> str:
    """The reason of an attempt that exceeded its time limit."""
    return f"timed out: at work for more than {limit_s:g} s"
