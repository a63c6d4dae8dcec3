"""The client of one vendor: every request to it goes through here, from any thread."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from gnosis_ray.clock import Time
from gnosis_ray.config import GatewayConfig, VendorConfig
from gnosis_ray.errors import DataError, ProviderError, TransientError
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.gateway.breaker import Breaker
from gnosis_ray.vendors.gateway.throttle import MAX_SLEEP_S, Throttle

T = TypeVar("T")


class VendorClient:
    """One vendor's :class:`~gnosis_ray.vendors.providers.base.Transport`: rate, retries, breaker, deadline, counts.

    A vendor's ``Retry-After`` pauses every thread. The deadline counts from :meth:`begin`, without the time that the
    requests planned since then take at the vendor's rate. Planned is what we ask for (:meth:`fetching`): the pages that
    a vendor makes of it, and requests that are tried again, extend nothing.
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
        self._planned = 0  # requests since then
        self._here = threading.local()

    def begin(self) -> None:
        """Start the deadline."""
        with self._lock:
            self._began = self._time.seconds()
            self._planned = 0

    def count(self, what: str, by: int = 1) -> None:
        """Add to a counter of :class:`VendorTraffic`."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + by

    def traffic(self) -> VendorTraffic:
        """The counters so far."""
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
            at_rate_s = self._planned * self._seconds_a_request
            spent = self._time.seconds() - self._began
        return self._settings.deadline_s + at_rate_s - spent

    @contextmanager
    def fetching(self, planned: int) -> Iterator[None]:
        """What this thread asks for meanwhile is one fetch, of about ``planned`` requests, within the settings' limits.

        A call outside of any is a fetch by itself.
        """
        self._plan(planned)
        self._here.fetch = _Fetch()
        try:
            yield
        finally:
            self._here.fetch = None

    def take_rows(self, count: int) -> None:
        """See :meth:`gnosis_ray.vendors.providers.base.Transport.take_rows`."""
        fetch = self._fetch() or _Fetch()
        fetch.rows += count
        if fetch.rows > self._settings.max_rows:
            raise ProviderError(
                f"{self.name} sent more than {self._settings.max_rows:,} rows (gateway.max_rows) of one kind of one "
                "symbol: given up"
            )

    def call(self, ask: Callable[[], T]) -> T:
        """See :meth:`gnosis_ray.vendors.providers.base.Transport.call`."""
        if self._fetch() is None:
            self._plan(1)
        if not self._breaker.allow_request():
            raise self._down()
        trying = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._settings.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(TransientError),
            before_sleep=self._before_retry,
            reraise=True,
        )
        try:
            answer: T = trying(self._once, ask)
        except _StoppedError as error:
            self._breaker.release()
            raise ProviderError(error.message) from None
        except ProviderError as error:
            self._breaker.record_failure(str(error))
            raise
        except DataError:
            self._breaker.record_success()  # it answered, even if with an error of ours or no data
            raise
        except Exception:
            self._breaker.release()
            raise
        self._breaker.record_success()
        return answer

    def _fetch(self) -> _Fetch | None:
        fetch: _Fetch | None = getattr(self._here, "fetch", None)
        return fetch

    def _plan(self, requests: int) -> None:
        """Give the deadline the time that they take, unless it has passed: nothing begins anew then."""
        if self.seconds_left() <= 0:
            return
        with self._lock:
            self._planned += requests

    def _count_request(self) -> None:
        fetch = self._fetch()
        if fetch is None:
            return
        if fetch.requests >= self._settings.max_requests:
            raise _StoppedError(
                f"{self.name} was sent {fetch.requests:,} requests (gateway.max_requests) for one kind of one symbol, "
                "and there is more to ask: given up"
            )
        fetch.requests += 1

    def _once(self, ask: Callable[[], T]) -> T:
        self._still_wanted()
        self._count_request()
        self._throttle.acquire(self._still_wanted)
        self._still_wanted()
        self.count("requests")
        try:
            return ask()
        except TransientError as error:
            if error.too_many_requests:
                self.count("throttled")
            if error.retry_after_s is not None:
                self._pause_for(error, error.retry_after_s)
            raise

    def _pause_for(self, error: TransientError, seconds: float) -> None:
        if seconds > self._settings.max_retry_after_s:
            raise ProviderError(
                f"{error.message}; it asks to be left alone for {seconds:.0f} s, longer than "
                f"gateway.max_retry_after_s ({self._settings.max_retry_after_s:g})",
                cause=error.cause,
                status=error.status,
            ) from error
        self._throttle.pause(seconds)

    def _before_retry(self, state: RetryCallState) -> None:  # noqa: ARG002 - tenacity's signature
        self.count("retries")

    def _sleep(self, seconds: float) -> None:
        """Sleep in short intervals: another thread may find out meanwhile that waiting is useless."""
        until = self._time.seconds() + seconds
        while (left := until - self._time.seconds()) > 0:
            self._still_wanted()
            self._time.sleep(min(left, MAX_SLEEP_S))

    def _wait(self, state: RetryCallState) -> float:
        """Exponential backoff with jitter: drawn from the upper half of the interval, never beyond the deadline."""
        full = min(self._settings.backoff_s * 2.0 ** (state.attempt_number - 1), self._settings.max_backoff_s)
        drawn = full * (1.0 + random.random()) / 2.0  # noqa: S311 - jitter only
        return max(0.0, min(drawn, self.seconds_left()))

    def _still_wanted(self) -> None:
        if self.seconds_left() <= 0:
            raise _StoppedError(self.overdue_text())
        if self._breaker.is_open():
            raise _StoppedError(self._down().message)

    def overdue_text(self) -> str:
        """The error text of a request that was not answered by the deadline."""
        return f"{self.name} did not answer in time: given up {self._settings.deadline_s:g} s (gateway.deadline_s) late"

    def _down(self) -> ProviderError:
        return ProviderError(
            f"{self.name} is taken to be down, not asked: {self._settings.breaker_failures} requests in a row were "
            f"given up, the last with: {self._breaker.last_failure}"
        )


@dataclass
class _Fetch:
    """What one fetch has taken so far."""

    requests: int = 0
    rows: int = 0


class _StoppedError(Exception):
    """Another attempt is useless; says nothing about the vendor that is not known already."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
