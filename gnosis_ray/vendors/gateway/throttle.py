"""The rate limit of one vendor: a token bucket, and the pauses that the vendor itself asks for."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from pyrate_limiter import Rate, RateItem, StateBucket, TokenBucket

from gnosis_ray.clock import Time

MAX_SLEEP_S = 1.0
"""Interval of the checks whether waiting still makes sense."""


class Throttle:
    """Hands out tokens to many threads, ``burst`` at once, then one every ``60 / requests_per_minute`` seconds.

    The bucket is pyrate-limiter's, which counts in milliseconds: the interval is rounded up, so that no minute has
    more than ``requests_per_minute + burst`` tokens.
    """

    def __init__(self, requests_per_minute: float, burst: int, time: Time) -> None:
        self._bucket = StateBucket([Rate(1, math.ceil(60_000 / requests_per_minute), burst)], TokenBucket())
        self._time = time
        self._lock = threading.Lock()
        self._paused_until = -math.inf
        self.waited = 0.0
        """Seconds, summed over threads."""

    def acquire(self, still_wanted: Callable[[], None]) -> None:
        """Wait for a token. ``still_wanted`` is called before each wait and raises where waiting is useless."""
        began = self._time.seconds()
        try:
            while (missing := self._try()) > 0:
                still_wanted()
                self._time.sleep(min(missing, MAX_SLEEP_S))
        finally:
            with self._lock:
                self.waited += self._time.seconds() - began

    def pause(self, seconds: float) -> None:
        """Issue no token for ``seconds``."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._time.seconds() + seconds)

    def _try(self) -> float:
        """Take a token and return 0; else the seconds until there may be one."""
        with self._lock:
            now = self._time.seconds()
            if now < self._paused_until:
                return self._paused_until - now
            item = RateItem("", math.floor(now * 1000))
            if self._bucket.put(item):
                return 0.0
            waiting = self._bucket.waiting(item)
            return max(int(waiting), 1) / 1000 if isinstance(waiting, int) else 0.001
