"""What a pool of workers is: its calls and its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from gnosis_ray.fanout import Assignment
from gnosis_ray.schemas.run_schemas import BatchReceipt

WorkerEventKind = Literal["ready", "start_failed", "done", "failed", "lost", "unavailable", "pong"]


@dataclass(frozen=True)
class WorkerEvent:
    """What happened to a host or to an assignment on it.

    ready: the job is open, and assignments submitted before have ended. start_failed: opening the job raised.
    done: ``assignment`` is finished, with its ``receipt`` unless it was an isolation run. failed: it raised.
    lost: the process is gone. unavailable: the connection broke and the host may live. pong: it answered a ping.
    """

    kind: WorkerEventKind
    host: int
    assignment: Assignment | None = None
    receipt: BatchReceipt | None = None
    error: BaseException | None = None


class WorkerPool(Protocol):
    """Workers by host number. Calls return at once; their results arrive through ``wait``."""

    def start(self, host: int) -> None:
        """Start a host and open the job in it: then ready, start_failed or lost."""
        ...

    def submit(self, assignment: Assignment) -> None:
        """Send an assignment to its host: then done, failed, lost or unavailable."""
        ...

    def ping(self, host: int) -> None:
        """Check that a host is alive: then pong, lost or unavailable."""
        ...

    def rejoin(self, host: int, number: int) -> None:
        """Continue a host under a new number after its assignments: then ready, start_failed, lost or unavailable."""
        ...

    def end(self, host: int) -> None:
        """Kill a host. No event of it follows."""
        ...

    def wait(self, timeout_s: float) -> list[WorkerEvent]:
        """The events since the last call, losses last; empty where none arrives within ``timeout_s`` seconds."""
        ...

    def close(self) -> None:
        """Kill all hosts."""
        ...
