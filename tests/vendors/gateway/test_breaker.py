"""The breaker against a model of what it should know, and its edges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.vendors.gateway.breaker import Breaker
from tests.support.clocks import SimulatedTime

THRESHOLD, RESET = 3, 60.0


def opened(time: SimulatedTime) -> Breaker:
    breaker = Breaker(THRESHOLD, RESET, time)
    for number in range(THRESHOLD):
        breaker.record_failure(f"failure {number}")
    return breaker


@given(st.lists(st.booleans(), max_size=40))
def test_it_opens_exactly_after_so_many_failures_in_a_row(outcomes: list[bool]) -> None:
    breaker = Breaker(THRESHOLD, RESET, SimulatedTime())
    in_a_row = 0
    for well in outcomes:
        if in_a_row >= THRESHOLD:
            break
        assert breaker.allow_request()
        in_a_row = 0 if well else in_a_row + 1
        if well:
            breaker.record_success()
        else:
            breaker.record_failure("no luck")
    assert breaker.allow_request() == (in_a_row < THRESHOLD)
    assert breaker.openings == (in_a_row >= THRESHOLD)


def test_after_a_while_one_request_tries_and_decides() -> None:
    time = SimulatedTime()
    breaker = opened(time)
    assert breaker.last_failure == "failure 2"
    time.sleep(RESET - 1)
    assert not breaker.allow_request()
    time.sleep(1)
    assert breaker.allow_request()
    assert not breaker.allow_request()  # one at a time
    breaker.record_failure("still down")
    assert (breaker.openings, breaker.allow_request()) == (2, False)
    time.sleep(RESET)
    assert breaker.allow_request()
    breaker.record_success()
    assert breaker.allow_request()
    assert breaker.allow_request()


def test_stragglers_of_before_change_nothing() -> None:
    breaker = opened(SimulatedTime())
    breaker.record_success()
    breaker.record_failure("late")
    assert breaker.is_open()
    assert breaker.openings == 1


def test_a_trial_that_is_left_off_leaves_room_for_another() -> None:
    time = SimulatedTime()
    breaker = opened(time)
    time.sleep(RESET)
    assert breaker.allow_request()
    breaker.release()
    assert breaker.allow_request()
