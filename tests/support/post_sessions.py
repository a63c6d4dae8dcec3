"""Which session a post belongs to, for daily figures: no engine needs it, since each reads timestamps, not days."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gnosis_ray.market.calendar import Days, Moments, SessionCalendar


def first_session_after(moments: Moments, calendar: SessionCalendar) -> Days:
    """The first session that opens after each moment (UTC, datetime64[us]), as datetime64[D].

    A post at the very open, during a session or after its close belongs to the next one: nobody could have traded on
    it at this one's open. NaT where the calendar has no later session.
    """
    return _days(calendar, np.searchsorted(calendar.opens, moments, side="right"))


def session_closing_after(moments: Moments, calendar: SessionCalendar) -> Days:
    """The first session that closes at or after each moment (UTC, datetime64[us]), as datetime64[D].

    What is said after the close, 16:00 Eastern on most days, or on a day without a session, belongs to the next one: a
    day's figure is whole at its close, and can be held against what comes after. NaT as above.
    """
    return _days(calendar, np.searchsorted(calendar.closes, moments, side="left"))


def _days(calendar: SessionCalendar, index: npt.NDArray[np.intp]) -> Days:
    inside = index < len(calendar.days)
    return np.where(inside, calendar.days[np.minimum(index, len(calendar.days) - 1)], np.datetime64("NaT", "D"))
