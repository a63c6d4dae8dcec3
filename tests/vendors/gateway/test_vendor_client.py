"""A vendor's line: what may pass is asked again, and no more often or longer than the settings say."""

from __future__ import annotations

import pytest

from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.vendors.gateway.vendor_client import VendorClient
from tests.support.clocks import SimulatedTime


class Asked:
    """Raises its errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def busy(retry_after_s: float | None = None) -> TransientError:
    return TransientError("slower", status=429, retry_after_s=retry_after_s)


def broken() -> TransientError:
    return TransientError("broke off after 429 bytes", cause="ConnectError")


@pytest.fixture
def time() -> SimulatedTime:
    return SimulatedTime()


@pytest.fixture
def line(config: Config, time: SimulatedTime) -> VendorClient:
    return VendorClient("cboe", config.providers.cboe, config.gateway, time)


def test_what_may_pass_is_asked_again(line: VendorClient, time: SimulatedTime) -> None:
    ask = Asked(broken(), busy())
    assert line.call(ask) == "answer"
    told = line.traffic()
    assert (told.requests, told.retries, told.throttled) == (3, 2, 1)
    assert 0.5 + 1.0 <= time.seconds() <= 1.0 + 2.0  # backoff_s and twice that, from the upper half of each


def test_what_will_not_pass_is_asked_once(line: VendorClient) -> None:
    for error in (ProviderError("no"), NoDataError("unknown"), SchemaError("other")):
        ask = Asked(error)
        with pytest.raises(type(error)):
            line.call(ask)
        assert ask.times == 1


def test_attempts_end_with_the_last_error(line: VendorClient, config: Config) -> None:
    ask = Asked(*(broken() for _ in range(10)))
    with pytest.raises(TransientError, match="broke off"):
        line.call(ask)
    assert ask.times == config.gateway.attempts


def test_a_wish_to_be_left_alone_is_heeded(line: VendorClient, time: SimulatedTime) -> None:
    line.call(Asked(busy(retry_after_s=40.0)))
    assert 40.0 <= time.seconds() < 45.0


def test_a_wish_that_is_too_long_ends_it(line: VendorClient, time: SimulatedTime) -> None:
    ask = Asked(busy(retry_after_s=3600.0))
    with pytest.raises(ProviderError, match="left alone for 3600 s") as raised:
        line.call(ask)
    assert (raised.value.status, raised.value.cause) == (429, "HTTP 429")
    assert ask.times == 1
    assert time.seconds() < 1.0


def test_a_vendor_that_is_down_is_left_alone(line: VendorClient, config: Config, time: SimulatedTime) -> None:
    for _ in range(config.gateway.breaker_failures):
        with pytest.raises(ProviderError):
            line.call(Asked(*(broken() for _ in range(10))))
    ask = Asked()
    with pytest.raises(ProviderError, match=r"cboe is taken to be down, not asked.*broke off"):
        line.call(ask)
    assert ask.times == 0
    assert line.traffic().breaker_openings == 1
    time.sleep(config.gateway.breaker_reset_s)
    assert line.call(ask) == "answer"


def test_unknown_symbols_and_strange_answers_do_not_make_a_vendor_down(line: VendorClient) -> None:
    for number in range(40):
        with pytest.raises((NoDataError, SchemaError)):
            line.call(Asked(NoDataError("unknown") if number % 2 else SchemaError("other")))
    assert line.call(Asked()) == "answer"


def test_what_is_no_answer_does_not_speak_for_a_vendor_that_is_down(line: VendorClient, config: Config) -> None:
    """A client goes on without a cookie that it could not fetch: that is no sign of life."""
    settings = config.gateway
    for _ in range(settings.breaker_failures):
        with pytest.raises(OSError, match="no such host"):
            line.call(Asked(OSError("no such host")))
        with pytest.raises(TransientError):
            line.call(Asked(*(broken() for _ in range(settings.attempts))))
    assert line.traffic().breaker_openings == 1


def test_a_refused_key_is_not_tried_on_every_symbol(line: VendorClient, config: Config) -> None:
    asks = [Asked(ProviderError("401: is the key valid?")) for _ in range(50)]
    for ask in asks:
        with pytest.raises(ProviderError):
            line.call(ask)
    assert sum(ask.times for ask in asks) == config.gateway.breaker_failures


def test_the_deadline_leaves_the_time_that_the_rate_takes(config: Config, time: SimulatedTime) -> None:
    slow = config.providers.cboe.replaced(requests_per_minute=1.0, burst=1)
    line = VendorClient("cboe", slow, config.gateway.replaced(deadline_s=5.0), time)
    for _ in range(20):  # twenty minutes, all of them the rate's
        line.call(Asked())
    time.sleep(70.0)
    ask = Asked()
    with pytest.raises(ProviderError, match="did not answer in time"):
        line.call(ask)
    assert ask.times == 0
    line.begin()
    assert line.call(ask) == "answer"


def test_no_wait_is_longer_than_what_is_left(config: Config, time: SimulatedTime) -> None:
    line = VendorClient("cboe", config.providers.cboe, config.gateway.replaced(deadline_s=2.0), time)
    with pytest.raises(ProviderError):
        line.call(Asked(*(broken() for _ in range(10))))
    assert time.seconds() <= 4.0


def test_pages_that_a_vendor_adds_extend_no_deadline(config: Config, time: SimulatedTime) -> None:
    slow = config.providers.cboe.replaced(requests_per_minute=60.0, burst=1)
    line = VendorClient("cboe", slow, config.gateway.replaced(deadline_s=5.0), time)
    ask = Asked()

    def every_page() -> None:
        while True:
            line.call(ask)

    with line.fetching(3), pytest.raises(ProviderError, match="did not answer in time"):
        every_page()
    assert 5 <= ask.times <= 9
    assert time.seconds() <= 5.0 + 3.0 + 1.0


def test_tries_extend_no_deadline_either(config: Config, time: SimulatedTime) -> None:
    slow = config.providers.cboe.replaced(requests_per_minute=60.0, burst=1)
    settings = config.gateway.replaced(deadline_s=5.0, attempts=100, backoff_s=0.01, breaker_failures=1000)
    line = VendorClient("cboe", slow, settings, time)
    with line.fetching(1), pytest.raises(ProviderError):
        line.call(Asked(*(broken() for _ in range(1000))))
    assert time.seconds() <= 5.0 + 1.0 + 1.0


def test_nothing_begins_anew_after_the_deadline(config: Config, time: SimulatedTime) -> None:
    line = VendorClient("cboe", config.providers.cboe, config.gateway.replaced(deadline_s=5.0), time)
    time.sleep(6.0)
    ask = Asked()
    for _ in range(50):
        with line.fetching(1000), pytest.raises(ProviderError, match="did not answer in time"):
            line.call(ask)
    assert ask.times == 0


def test_a_fetch_has_its_requests_and_the_next_has_them_again(config: Config, time: SimulatedTime) -> None:
    line = VendorClient("cboe", config.providers.cboe, config.gateway.replaced(max_requests=3), time)
    for _ in range(2):
        with line.fetching(1):
            for _ in range(3):
                line.call(Asked())
            with pytest.raises(ProviderError, match=r"3 requests \(gateway\.max_requests\)"):
                line.call(Asked())
    for _ in range(9):  # outside of a fetch each is one
        line.call(Asked())
    assert line.traffic().breaker_openings == 0


def test_rows_are_counted_over_the_pages_of_a_fetch(config: Config, time: SimulatedTime) -> None:
    line = VendorClient("cboe", config.providers.cboe, config.gateway.replaced(max_rows=10), time)
    for _ in range(2):
        with line.fetching(1):
            line.take_rows(10)
            with pytest.raises(ProviderError, match=r"10 rows \(gateway\.max_rows\)"):
                line.take_rows(1)
