"""A circuit breaker: distinguishes a vendor that is down from one that fails now and then.

The existing libraries do not suit many threads at one vendor: pybreaker holds a lock for the whole of each call, which
would serialise requests, and reads the wall clock; purgatory and circuitbreaker count without a lock.
"""

from __future__ import annotations

import threading

from gnosis_ray.clock import Time


class Breaker:
    """Opens after ``threshold`` consecutive failures; ``reset_s`` later allows one trial request.

    A successful trial closes it. Thread-safe. Failures that arrive while it is open change nothing.
    """

    def __init__(self, threshold: int, reset_s: float, time: Time) -> None:
        self._threshold = threshold
        self._reset_s = reset_s
        self._time = time
        self._lock = threading.Lock()
        self._consecutive = 0
        self._open_since: float | None = None
        self._in_trial = False
        self.openings = 0
        self.last_failure = ""

    def allow_request(self) -> bool:
        """Whether a new request may be sent; its outcome must be recorded or released."""
        with self._lock:
            if self._open_since is None:
                return True
            if self._in_trial or self._time.seconds() < self._open_since + self._reset_s:
                return False
            self._in_trial = True
            return True

    def is_open(self) -> bool:
        """Whether requests under way should stop: open, and no trial request is running."""
        with self._lock:
            return self._open_since is not None and not self._in_trial

    def record_success(self) -> None:
        """The vendor answered."""
        with self._lock:
            if self._open_since is not None and not self._in_trial:
                return  # a request sent before it opened
            self._consecutive = 0
            self._open_since = None
            self._in_trial = False

    def record_failure(self, why: str) -> None:
        """A request failed for good."""
        with self._lock:
            self._consecutive += 1
            if self._open_since is None and self._consecutive < self._threshold:
                return
            if self._open_since is not None and not self._in_trial:
                return
            self._open_since = self._time.seconds()
            self._in_trial = False
            self.last_failure = why
            self.openings += 1

    def release(self) -> None:
        """A request was abandoned for reasons that say nothing about the vendor."""
        with self._lock:
            self._in_trial = False
