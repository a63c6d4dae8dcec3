"""Tokens: never more in any minute than allowed and the burst, however callers come; as many as are allowed."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.vendors.gateway.throttle import Throttle
from tests.support.clocks import SimulatedTime


def nothing() -> None:
    """Waiting makes sense."""


def most_in_a_minute(moments: list[float]) -> int:
    ordered = sorted(moments)
    return max(sum(start <= moment < start + 60.0 for moment in ordered) for start in ordered)


@settings(max_examples=60)
@given(
    rate=st.floats(1.0, 2000.0),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0.0, 90.0), min_size=1, max_size=60),
)
def test_no_minute_sees_more_than_the_rate_and_the_burst(rate: float, burst: int, pauses: list[float]) -> None:
    time = SimulatedTime()
    throttle = Throttle(rate, burst, time)
    taken = []
    for pause in pauses:
        time.sleep(pause)
        throttle.acquire(nothing)
        taken.append(time.seconds())
    assert most_in_a_minute(taken) <= rate + burst


@pytest.mark.parametrize(("rate", "burst"), [(300.0, 5), (120.0, 1), (7.0, 3)])
def test_who_waits_in_line_gets_the_whole_rate(rate: float, burst: int) -> None:
    time = SimulatedTime()
    throttle = Throttle(rate, burst, time)
    for _ in range(burst + 50):
        throttle.acquire(nothing)
    assert time.seconds() == pytest.approx(50 * 60 / rate, rel=0.01)
    assert throttle.waited == pytest.approx(time.seconds())


def test_threads_share_one_bucket() -> None:
    time = SimulatedTime()
    throttle = Throttle(600.0, 4, time)
    taken: list[float] = []

    def work() -> None:
        for _ in range(100):
            throttle.acquire(nothing)
            taken.append(time.seconds())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 600
    assert most_in_a_minute(taken) <= 604 + 6  # a thread reads the clock a moment after it took its token


def test_a_vendor_that_asks_for_rest_gets_it_from_everybody() -> None:
    time = SimulatedTime()
    throttle = Throttle(6000.0, 100, time)
    throttle.acquire(nothing)
    throttle.pause(30.0)
    throttle.pause(5.0)  # a later, shorter wish does not end it
    throttle.acquire(nothing)
    assert time.seconds() >= 30.0


def test_waiting_ends_when_there_is_no_use_in_it() -> None:
    time = SimulatedTime()
    throttle = Throttle(1.0, 1, time)
    throttle.acquire(nothing)

    def no_use() -> None:
        if time.seconds() > 10.0:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        throttle.acquire(no_use)
    assert time.seconds() < 12.0
