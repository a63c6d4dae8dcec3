"""What a pool of symbols' processes is: its calls and its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gnosis_ray.fanout import Attempt
from gnosis_ray.schemas.run_schemas import Batch


@dataclass(frozen=True)
class SymbolWorkerEvent:
    """What happened to an attempt. ready: its process has opened the job. done: ``outcome``. failed: ``reason``."""

    kind: Literal["ready", "done", "failed"]
    attempt: Attempt
    outcome: Any = None
    reason: str = ""


class SymbolWorkerPool(Protocol):
    """The processes of symbols. Calls return at once; their results arrive through ``wait``."""

    def start(self, attempt: Attempt, batch: Batch) -> None:
        """Start what the symbol needs and compute ``batch``, that symbol alone: then ready, done or failed."""
        ...

    def end(self, attempt: Attempt) -> None:
        """Kill the processes of an attempt. No event of it follows."""
        ...

    def wait(self, timeout_s: float) -> list[SymbolWorkerEvent]:
        """The events since the last call; empty where none arrives within ``timeout_s`` seconds."""
        ...

    def close(self) -> None:
        """Kill all processes."""
        ...
