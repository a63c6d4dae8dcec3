"""Clocks that tests set: time to wait in without waiting, and the true clock on another day."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gnosis_ray.clock import monotonic_seconds, utc_now


class SimulatedTime:
    """Time that passes when somebody waits: whoever sleeps is awake at once, at the moment until which it slept."""

    def __init__(self, start: datetime = datetime(2026, 7, 10, 20, 0, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """See :class:`gnosis_ray.clock.Time`."""
        return self._start + timedelta(seconds=self.seconds())

    def seconds(self) -> float:
        """See :class:`gnosis_ray.clock.Time`."""
        with self._lock:
            return self._passed

    def sleep(self, seconds: float) -> None:
        """See :class:`gnosis_ray.clock.Time`."""
        self.pass_to(self.seconds() + seconds)

    def pass_to(self, moment: float) -> None:
        """It is at least this late now, in seconds from the start."""
        with self._lock:
            self._passed = max(self._passed, moment)


@dataclass(frozen=True)
class ShiftedTime:
    """The true clock, ``by`` later; picklable. Waiting takes as long as it takes."""

    by: timedelta

    @classmethod
    def starting(cls, moment: datetime) -> ShiftedTime:
        """As if it were ``moment`` now."""
        return cls(moment - utc_now())

    def now(self) -> datetime:
        """See :class:`gnosis_ray.clock.Time`."""
        return utc_now() + self.by

    def seconds(self) -> float:
        """See :class:`gnosis_ray.clock.Time`."""
        return monotonic_seconds()

    def sleep(self, seconds: float) -> None:
        """See :class:`gnosis_ray.clock.Time`."""
        threading.Event().wait(seconds)
