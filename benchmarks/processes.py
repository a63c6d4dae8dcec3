"""What the processes of a run spend on this machine, looked at while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

EVERY_S = 0.5
MB = 2**20
DRIVER = "driver"


@dataclass
class Spent:
    """Of one process: the most memory that is its own alone, and seconds of cores since it was first seen."""

    memory_mb: float = 0.0
    first: float | None = None
    last: float = 0.0

    @property
    def core_seconds(self) -> float:
        """Between the first look and the last."""
        return self.last - (self.first or 0.0)


@dataclass
class Spending:
    """Of this process (title ``driver``) and of Ray's workers below it, by process id and the class of the actor."""

    processes: dict[tuple[int, str], Spent] = field(default_factory=dict)

    def core_seconds(self, title: str) -> float:
        """Summed over processes of this title."""
        return sum(spent.core_seconds for spent in self._of(title))

    def memory_mb(self, title: str) -> float:
        """Of the largest of them."""
        return max((spent.memory_mb for spent in self._of(title)), default=0.0)

    def look(self) -> None:
        """Note what each process has spent by now."""
        me = psutil.Process()
        for process in [me, *me.children(recursive=True)]:
            with suppress(psutil.Error):  # it is gone
                title = DRIVER if process == me else _title(process)
                if title:
                    self._note(process, title)

    def _note(self, process: psutil.Process, title: str) -> None:
        cores = process.cpu_times()
        spent = self.processes.setdefault((process.pid, title), Spent())
        spent.last = cores.user + cores.system
        spent.first = spent.last if spent.first is None else spent.first
        spent.memory_mb = max(spent.memory_mb, process.memory_full_info().uss / MB)

    def _of(self, title: str) -> list[Spent]:
        return [spent for (_, name), spent in self.processes.items() if name == title]


def _title(process: psutil.Process) -> str:
    """``Worker`` of ``ray::Worker.work`` and of ``ray::shard-1:Worker.__init__``; nothing for what is no worker."""
    words = process.cmdline()
    return words[0].rpartition(":")[2].split(".")[0] if words and words[0].startswith("ray::") else ""


@contextmanager
def watched() -> Iterator[Spending]:
    """Look on until the block ends."""
    spending, over = Spending(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            spending.look()
            over.wait(EVERY_S)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield spending
    finally:
        over.set()
        watcher.join()
