"""Jobs small enough to see through, with faults on order. Sent to workers by value: they cannot import the tests."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from gnosis_ray.errors import NoDataError
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure


def batches(count: int) -> tuple[Batch, ...]:
    return tuple(Batch(index=i, symbols=(f"S{i}A", f"S{i}B")) for i in range(count))


@dataclass
class ToyWorker:
    job: ToyJob

    def run(self, batch: Batch, attempt: int) -> BatchReceipt:
        self.job.misbehave(batch)
        seen = (os.environ.get("POLARS_MAX_THREADS", "unset"),) if self.job.tell_threads else ()
        self.job.commit(batch, "done")
        return BatchReceipt(
            batch=batch.index, attempt=attempt, snapshots=len(batch.symbols), ideas=batch.index, degraded={"seen": seen}
        )

    def give_up(self, batch: Batch, attempt: int, reason: str) -> BatchReceipt:
        failures = tuple(Failure(symbol=s, stage="batch", error="GivenUp", message=reason) for s in batch.symbols)
        self.job.commit(batch, "given up")
        return BatchReceipt(batch=batch.index, attempt=attempt, snapshots=0, ideas=0, failures=failures)


@dataclass(frozen=True)
class ToyJob:
    """``raising``, ``dying``, ``hanging``: batches that always do so; those in ``once`` do so the first time only."""

    folder: Path
    raising: frozenset[int] = frozenset()
    dying: frozenset[int] = frozenset()
    hanging: frozenset[int] = frozenset()
    once: frozenset[int] = frozenset()
    tell_threads: bool = False
    no_data: bool = False
    dead_on_arrival: bool = False
    seconds: float = field(default=0.0)

    def open(self) -> ToyWorker:
        if self.no_data:
            raise NoDataError("nothing known", symbol="SPY", stage="open")
        if self.dead_on_arrival:
            os._exit(3)
        (self.folder / f"host-{os.getpid()}").touch()
        return ToyWorker(self)

    def commit(self, batch: Batch, text: str) -> None:
        (self.folder / batch.name).write_text(text)

    def misbehave(self, batch: Batch) -> None:
        time.sleep(self.seconds)
        if batch.index in self.once:
            marker = self.folder / f"{batch.name}.seen"
            if marker.exists():
                return
            marker.touch()
        if batch.index in self.raising:
            raise ZeroDivisionError(f"no luck with {batch.name}")
        if batch.index in self.dying:
            os._exit(1)
        if batch.index in self.hanging:
            time.sleep(3600)

    def hosts(self) -> list[int]:
        """Process ids of the hosts that opened this job."""
        return sorted(int(path.name.removeprefix("host-")) for path in self.folder.glob("host-*"))
