"""The only place that reads a clock. The domain takes time as an argument."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol


def utc_now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Seconds from an arbitrary origin, for durations."""
    return time.perf_counter()


class Stopwatch:
    """Seconds by stage: ``with watch("load"): ...`` adds to ``watch.seconds["load"]``."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside, failures included."""
        started = monotonic_seconds()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + monotonic_seconds() - started


def summed_by_stage(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The seconds of several stopwatches together, by stage, in the order in which the stages first appear."""
    total: dict[str, float] = {}
    for part in parts:
        for stage, seconds in part.items():
            total[stage] = total.get(stage, 0.0) + seconds
    return total


class Time(Protocol):
    """Time as something to pass and to wait in, so that who waits can be tested without waiting."""

    def now(self) -> datetime:
        """The current moment, in UTC."""
        ...

    def seconds(self) -> float:
        """Seconds from an arbitrary origin; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, this thread alone."""
        ...


class SystemTime:
    """The clock of this machine."""

    def now(self) -> datetime:
        """See :class:`Time`."""
        return utc_now()

    def seconds(self) -> float:
        """See :class:`Time`."""
        return monotonic_seconds()

    def sleep(self, seconds: float) -> None:
        """See :class:`Time`."""
        time.sleep(seconds)
