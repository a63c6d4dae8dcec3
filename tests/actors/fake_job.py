"""A small job with faults by symbol. Sent to workers by value: they cannot import the tests."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gnosis_ray.errors import NoDataError
from gnosis_ray.fanout import BatchWorker, MethodCaller
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, Failure


def batches(count: int) -> tuple[Batch, ...]:
    return tuple(Batch(index=i, symbols=(f"S{i}A", f"S{i}B")) for i in range(count))


@dataclass
class FakeWorker:
    job: FakeJob

    def compute(self, batch: Batch) -> list[str]:
        for symbol in batch.symbols:
            self.job.misbehave(symbol)
        return list(batch.symbols)

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[list[str]], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        worked = sorted(symbol for outcome in outcomes for symbol in outcome)
        failures = tuple(
            Failure(symbol=symbol, stage="host", kind="quarantined", error="GivenUp", message=reason)
            for symbol, reason in sorted(quarantined.items())
        )
        (self.job.folder / batch.name).write_text(" ".join(worked))
        seen = (os.environ.get("POLARS_MAX_THREADS", "unset"),) if self.job.tell_threads else ()
        return BatchReceipt(
            batch=batch.index,
            attempt=attempt,
            rows={"snapshots": len(worked), "trade_ideas": batch.index},
            degraded={"seen": seen},
            failures=failures,
        )


@dataclass(frozen=True)
class FakeJob:
    """``raising``, ``dying``, ``hanging``: symbols that always do so; those in ``once`` do so the first time only."""

    folder: Path
    raising: frozenset[str] = frozenset()
    dying: frozenset[str] = frozenset()
    hanging: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()
    tell_threads: bool = False
    no_data: bool = False
    dead_on_arrival: bool = False
    seconds: float = field(default=0.0)

    def open(self) -> BatchWorker:
        if self.no_data:
            raise NoDataError("nothing known", symbol="SPY", stage="open")
        if self.dead_on_arrival:
            os._exit(3)
        (self.folder / f"host-{os.getpid()}").touch()
        return FakeWorker(self)

    def misbehave(self, symbol: str) -> None:
        time.sleep(self.seconds)
        if symbol in self.once:
            marker = self.folder / f"{symbol}.seen"
            if marker.exists():
                return
            marker.touch()
        if symbol in self.raising:
            raise ZeroDivisionError(f"no luck with {symbol}")
        if symbol in self.dying:
            os._exit(1)
        if symbol in self.hanging:
            time.sleep(3600)

    def hosts(self) -> list[int]:
        """Process ids of the hosts that opened this job."""
        return sorted(int(path.name.removeprefix("host-")) for path in self.folder.glob("host-*"))


@dataclass(frozen=True)
class FakeComponentJob(FakeJob):
    """The same job, whose symbols pass through two components: ``lower``, then ``twice``."""

    def roles(self) -> tuple[str, ...]:
        return ("lower", "twice")

    def open_component(self, role: str) -> object:
        return FakeComponent(role)

    def open_runner(self, callers: Mapping[str, MethodCaller]) -> BatchWorker:
        return FakeRunner(self, callers)


@dataclass
class FakeComponent:
    role: str
    calls: int = 0

    def change(self, symbol: str) -> str:
        self.calls += 1
        if symbol == "bad":
            raise ZeroDivisionError("no luck with bad")
        return symbol.lower() if self.role == "lower" else symbol * 2


@dataclass
class FakeRunner(FakeWorker):
    callers: Mapping[str, MethodCaller] = field(default_factory=dict)

    def compute(self, batch: Batch) -> list[str]:
        return [self.callers["twice"]("change", self.callers["lower"]("change", symbol)) for symbol in batch.symbols]
