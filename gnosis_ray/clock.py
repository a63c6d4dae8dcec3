"""The only place that reads a clock. The domain takes time as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Seconds from an arbitrary origin, for durations."""
    return time.perf_counter()
