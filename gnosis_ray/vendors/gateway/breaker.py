"""Tells a vendor that is down from one that errs now and then.

Written here because the libraries there are do not fit many threads at one vendor: pybreaker holds a lock over the
whole of each call, so that requests would go out one by one, and reads the wall clock; purgatory and circuitbreaker
count without any lock.
"""

from __future__ import annotations

import threading

from gnosis_ray.clock import Time


class Breaker:
    """Opens after ``threshold`` failures in a row; ``reset_s`` later lets one request through, which closes it if well.

    Thread-safe. Failures that arrive while it is open change nothing.
    """

    def __init__(self, threshold: int, reset_s: float, time: Time) -> None:
        self._threshold = threshold
        self._reset_s = reset_s
        self._time = time
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._open_since: float | None = None
        self._on_trial = False
        self.openings = 0
        self.last_failure = ""

    def lets_through(self) -> bool:
        """Whether a new request may go out; its outcome must be told."""
        with self._lock:
            if self._open_since is None:
                return True
            if self._on_trial or self._time.seconds() < self._open_since + self._reset_s:
                return False
            self._on_trial = True
            return True

    def is_open(self) -> bool:
        """Whether requests that are under way had better stop: open, and not for their own trial."""
        with self._lock:
            return self._open_since is not None and not self._on_trial

    def went_well(self) -> None:
        """The vendor answered."""
        with self._lock:
            if self._open_since is not None and not self._on_trial:
                return  # a straggler of before
            self._in_a_row = 0
            self._open_since = None
            self._on_trial = False

    def failed(self, why: str) -> None:
        """A request was given up."""
        with self._lock:
            self._in_a_row += 1
            if self._open_since is None and self._in_a_row < self._threshold:
                return
            if self._open_since is not None and not self._on_trial:
                return
            self._open_since = self._time.seconds()
            self._on_trial = False
            self.last_failure = why
            self.openings += 1

    def left_off(self) -> None:
        """A request was given up for reasons that say nothing about the vendor."""
        with self._lock:
            self._on_trial = False
