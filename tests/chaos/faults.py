"""A scan with faults by symbol. Sent to workers by value: they cannot import the tests."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gnosis_ray.app.jobs.scan import ScanJob
from gnosis_ray.fanout import BatchWorker, MethodCaller
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

SymbolFault = Literal["raises", "exits", "killed", "hangs", "exhausts memory"]
MEGABYTE = 2**20
MEMORY_ALLOWANCE, MEMORY_LEFT = 512 * MEGABYTE, 256 * MEGABYTE


@dataclass(frozen=True)
class FaultyJob:
    """``symbol_faults``: what a symbol does whenever it is computed, or with ``once`` the first time only."""

    job: ScanJob
    folder: Path
    symbol_faults: Mapping[str, SymbolFault] = field(default_factory=dict)
    once: bool = False
    full_disk: bool = False
    seconds: float = 0.0
    """Additional seconds for each symbol, so that kills find it running."""

    def open(self) -> BatchWorker:
        return FaultyWorker(self, self.job.open())

    def roles(self) -> tuple[str, ...]:
        return self.job.roles()

    def open_component(self, role: str) -> object:
        return self.job.open_component(role)

    def open_runner(self, callers: Mapping[str, MethodCaller]) -> BatchWorker:
        return FaultyWorker(self, self.job.open_runner(callers))

    def inject_fault(self, symbol: str) -> None:
        time.sleep(self.seconds)
        fault = self.symbol_faults.get(symbol)
        if fault is None or (self.once and self._was_there(symbol)):
            return
        if fault == "raises":
            raise ZeroDivisionError(f"no luck with {symbol}")
        if fault == "exits":
            os._exit(1)
        if fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "exhausts memory":
            _exhaust_memory()
        time.sleep(3600)

    def _was_there(self, symbol: str) -> bool:
        marker = self.folder / f"{symbol}.seen"
        if marker.exists():
            return True
        marker.touch()
        return False


@dataclass
class FaultyWorker:
    job: FaultyJob
    worker: BatchWorker

    def compute(self, batch: Batch) -> Any:
        for symbol in batch.symbols:
            self.job.inject_fault(symbol)
        return self.worker.compute(batch)

    def commit(
        self, batch: Batch, attempt: int, outcomes: Sequence[Any], quarantined: Mapping[str, str]
    ) -> BatchReceipt:
        with _limited(resource.RLIMIT_FSIZE, 64) if self.job.full_disk else _free():
            return self.worker.commit(batch, attempt, outcomes, quarantined)


def _exhaust_memory() -> None:
    """Allocate memory near a limit of this process, then more than is left of it: MemoryError.

    The limit holds for all threads. What is left is enough for Ray's own, which would abort the process.
    """
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    with _limited(resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_ALLOWANCE):
        allocated = bytearray(MEMORY_ALLOWANCE - MEMORY_LEFT)
        allocated += bytearray(2 * MEMORY_LEFT)


@contextmanager
def _limited(what: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(what)
    resource.setrlimit(what, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


@contextmanager
def _free() -> Iterator[None]:
    yield
