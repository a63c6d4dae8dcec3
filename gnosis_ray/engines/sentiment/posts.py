"""Which session a post can be traded in."""

from __future__ import annotations

import numpy as np

from gnosis_ray.data.calendar import Days, Moments, SessionCalendar


def first_session_after(moments: Moments, calendar: SessionCalendar) -> Days:
    """The first session that opens after each moment (UTC, datetime64[us]), as datetime64[D].

    A post at the very open, during a session or after its close belongs to the next one: nobody could have traded on
    it at this one's open. NaT where the calendar has no later session. For daily figures of posts: no engine needs it,
    since each looks at a moment, not at a day.
    """
    index = np.searchsorted(calendar.opens, moments, side="right")
    inside = index < len(calendar.opens)
    return np.where(inside, calendar.days[np.minimum(index, len(calendar.opens) - 1)], np.datetime64("NaT", "D"))
