"""The only place that reads a clock. The domain takes time as an argument."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


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
