"""One vendor's line: every request to it goes through here, whichever thread makes it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from gnosis_ray.clock import Time
from gnosis_ray.config import GatewayConfig, VendorConfig
from gnosis_ray.errors import DataError, ProviderError, TransientError
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.gateway.breaker import Breaker
from gnosis_ray.vendors.gateway.throttle import LONGEST_NAP_S, Throttle

T = TypeVar("T")

THROTTLED = "429"
"""In the cause of an error that says that there were too many requests."""


class VendorLine:
    """The :class:`~gnosis_ray.vendors.providers.base.Wire` of one vendor: rate, retries, breaker, deadline, counts.

    A vendor that asks to be left alone for a while is left alone by every thread. The deadline counts from
    :meth:`begin`, without the time that the requests made since then take at the vendor's rate.
    """

    def __init__(self, name: str, vendor: VendorConfig, settings: GatewayConfig, time: Time) -> None:
        self.name = name
        self._settings = settings
        self._time = time
        self._seconds_a_request = 60.0 / vendor.requests_per_minute
        self._throttle = Throttle(vendor.requests_per_minute, vendor.burst, time)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_reset_s, time)
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._began = time.seconds()
        self._in_line = 0  # requests since then, those that still wait for their token too

    def begin(self) -> None:
        """The deadline counts from here."""
        with self._lock:
            self._began = self._time.seconds()
            self._in_line = 0

    def count(self, what: str, by: int = 1) -> None:
        """Add to a figure of :class:`VendorTraffic`."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + by

    def traffic(self) -> VendorTraffic:
        """The figures so far."""
        with self._lock:
            counts = dict(self._counts)
        return VendorTraffic(
            vendor=self.name,
            **counts,
            breaker_openings=self._breaker.openings,
            wait_seconds=self._throttle.waited,
        )

    def seconds_left(self) -> float:
        """Until the deadline; negative after it."""
        with self._lock:
            the_rates = self._in_line * self._seconds_a_request
            spent = self._time.seconds() - self._began
        return self._settings.deadline_s + the_rates - spent

    def call(self, ask: Callable[[], T]) -> T:
        """See :meth:`gnosis_ray.vendors.providers.base.Wire.call`."""
        if not self._breaker.lets_through():
            raise self._down()
        trying = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._settings.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(TransientError),
            before_sleep=self._before_another,
            reraise=True,
        )
        try:
            answer: T = trying(self._once, ask)
        except _StoppedError as error:
            self._breaker.left_off()
            raise ProviderError(error.message) from None
        except ProviderError as error:
            self._breaker.failed(str(error))
            raise
        except DataError:
            self._breaker.went_well()  # it answered, though nothing that helps
            raise
        except Exception:
            self._breaker.left_off()
            raise
        self._breaker.went_well()
        return answer

    def _once(self, ask: Callable[[], T]) -> T:
        self._still_wanted()
        with self._lock:
            self._in_line += 1
        self._throttle.take(self._still_wanted)
        self._still_wanted()
        self.count("requests")
        try:
            return ask()
        except TransientError as error:
            if THROTTLED in (error.cause or error.message):
                self.count("throttled")
            if error.retry_after_s is not None:
                self._heed(error, error.retry_after_s)
            raise

    def _heed(self, error: TransientError, seconds: float) -> None:
        if seconds > self._settings.max_retry_after_s:
            raise ProviderError(
                f"{error.message}; it asks to be left alone for {seconds:.0f} s, longer than "
                f"gateway.max_retry_after_s ({self._settings.max_retry_after_s:g})",
                cause=error.cause,
            ) from error
        self._throttle.rest(seconds)

    def _before_another(self, state: RetryCallState) -> None:  # noqa: ARG002 - tenacity's signature
        self.count("retries")

    def _sleep(self, seconds: float) -> None:
        """In naps: others may find out meanwhile that there is no use in waiting."""
        until = self._time.seconds() + seconds
        while (left := until - self._time.seconds()) > 0:
            self._still_wanted()
            self._time.sleep(min(left, LONGEST_NAP_S))

    def _wait(self, state: RetryCallState) -> float:
        """Doubled with each try, drawn from the upper half, and never beyond the deadline."""
        full = min(self._settings.backoff_s * 2.0 ** (state.attempt_number - 1), self._settings.max_backoff_s)
        drawn = full * (1.0 + random.random()) / 2.0  # noqa: S311 - tries spread out, nothing is decided by it
        return max(0.0, min(drawn, self.seconds_left()))

    def _still_wanted(self) -> None:
        if self.seconds_left() <= 0:
            raise _StoppedError(self.overdue())
        if self._breaker.is_open():
            raise _StoppedError(self._down().message)

    def overdue(self) -> str:
        """What is said of what was not had by the deadline."""
        return f"{self.name} did not answer in time: given up {self._settings.deadline_s:g} s (gateway.deadline_s) late"

    def _down(self) -> ProviderError:
        return ProviderError(
            f"{self.name} is taken to be down, not asked: {self._settings.breaker_failures} requests in a row were "
            f"given up, the last with: {self._breaker.last_failure}"
        )


class _StoppedError(Exception):
    """There is no use in another try; says nothing about the vendor that is not known already."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
