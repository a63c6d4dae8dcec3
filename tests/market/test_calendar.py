"""Sessions, quote times and expiry moments by the exchange's own rules."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from gnosis_ray.market.calendar import SessionCalendar


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2026, 1, 2), date(2026, 12, 31))


def moments(*texts: str) -> npt.NDArray[np.datetime64]:
    return np.array(texts, dtype="datetime64[us]")


def days(*texts: str) -> npt.NDArray[np.datetime64]:
    return np.array(texts, dtype="datetime64[D]")


def test_quotes_of_a_session_are_its_own_and_others_are_the_latest_close(calendar: SessionCalendar) -> None:
    asked = {
        "2026-07-10T15:00:00": "2026-07-10T15:00:00",  # in the session
        "2026-07-10T13:30:00": "2026-07-10T13:30:00",  # at the open
        "2026-07-10T20:00:00": "2026-07-10T20:00:00",  # at the close
        "2026-07-10T13:29:59": "2026-07-09T20:00:00",  # before the open
        "2026-07-12T12:00:00": "2026-07-10T20:00:00",  # Sunday
        "2026-11-27T18:30:00": "2026-11-27T18:00:00",  # after an early close
        "2026-12-25T16:00:00": "2026-12-24T18:00:00",  # a holiday after an early close
    }
    np.testing.assert_array_equal(calendar.quote_time(moments(*asked)), moments(*asked.values()))


def test_before_the_first_session_nothing_was_quoted(calendar: SessionCalendar) -> None:
    assert np.isnat(calendar.quote_time(moments("2026-01-02T12:00:00")))[0]


def test_expiry_moments(calendar: SessionCalendar) -> None:
    asked = days("2026-07-17", "2026-07-17", "2026-04-03", "2026-07-18", "2026-11-27", "2026-01-16")
    morning = np.array([False, True, False, True, False, False])
    expected = moments(
        "2026-07-17T20:00:00",
        "2026-07-17T13:30:00",
        "2026-04-02T20:00:00",  # Good Friday: the session before
        "2026-07-17T13:30:00",  # a Saturday expiry, settled at Friday's open
        "2026-11-27T18:00:00",  # an early close
        "2026-01-16T21:00:00",  # winter time
    )
    np.testing.assert_array_equal(calendar.expiry_moment(asked, morning), expected)


def test_an_expiry_outside_the_calendar_has_no_moment(calendar: SessionCalendar) -> None:
    outside = calendar.expiry_moment(days("2027-01-15", "2025-12-19"), np.array([False, False]))
    assert np.isnat(outside).all()


def test_sessions_between(calendar: SessionCalendar) -> None:
    earlier = moments("2026-07-09T20:00:00", "2026-07-10T15:00:00", "2026-07-10T20:00:00", "2026-07-02T20:00:00")
    later = moments("2026-07-12T12:00:00", "2026-07-10T15:00:00", "2026-07-12T12:00:00", "2026-07-06T20:00:00")
    np.testing.assert_array_equal(calendar.sessions_between(earlier, later), [1, 0, 0, 1])
