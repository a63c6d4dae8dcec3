"""A scan whose symbols commit crimes. Sent to workers by value: they cannot import the tests."""

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
from gnosis_ray.fanout import Ask, BatchWorker
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt

Crime = Literal["raises", "exits", "killed", "hangs", "eats"]
MEGABYTE = 2**20
APPETITE = 256 * MEGABYTE


@dataclass(frozen=True)
class FaultyJob:
    """``crimes``: what a symbol does whenever it is worked, or with ``once`` the first time only."""

    job: ScanJob
    folder: Path
    crimes: Mapping[str, Crime] = field(default_factory=dict)
    once: bool = False
    full_disk: bool = False
    seconds: float = 0.0
    """More that each symbol takes, so that kills find it at work."""

    def open(self) -> BatchWorker:
        return FaultyWorker(self, self.job.open())

    def roles(self) -> tuple[str, ...]:
        return self.job.roles()

    def open_part(self, role: str) -> object:
        return self.job.open_part(role)

    def open_runner(self, asks: Mapping[str, Ask]) -> BatchWorker:
        return FaultyWorker(self, self.job.open_runner(asks))

    def commit_crime(self, symbol: str) -> None:
        time.sleep(self.seconds)
        crime = self.crimes.get(symbol)
        if crime is None or (self.once and self._was_there(symbol)):
            return
        if crime == "raises":
            raise ZeroDivisionError(f"no luck with {symbol}")
        if crime == "exits":
            os._exit(1)
        if crime == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if crime == "eats":
            _eat()
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

    def compute(self, symbols: Sequence[str]) -> Any:
        for symbol in symbols:
            self.job.commit_crime(symbol)
        return self.worker.compute(symbols)

    def commit(self, batch: Batch, attempt: int, outcomes: Sequence[Any], lost: Mapping[str, str]) -> BatchReceipt:
        with _limited(resource.RLIMIT_FSIZE, 64) if self.job.full_disk else _free():
            return self.worker.commit(batch, attempt, outcomes, lost)


def _eat() -> None:
    """Take memory up to a limit of this process: the allocation that goes beyond it fails."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    with _limited(resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE") + APPETITE):
        eaten = []
        while True:
            eaten.append(bytearray(MEGABYTE))


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
