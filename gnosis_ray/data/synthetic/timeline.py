"""Sessions from the anchor on: which session, which mark in it, which expiries are listed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.errors import ConfigError
from gnosis_ray.market.calendar import Days, Moments, SessionCalendar
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, SECONDS_PER_DAY

ANCHOR = np.datetime64("2022-01-03", "D")
"""Prices start at the close of this session; the first bar is that of the session after it."""
SLICES = 13
"""A session is cut into this many equal slices: half hours of a full New York session."""
WEEKLY_EXPIRIES = 4
MONTHLY_EXPIRIES = 6
_US_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY * 1e6


@dataclass(frozen=True)
class Snapshot:
    """A mark of a session: ``mark`` slices after its open; ``mark == SLICES`` is the close."""

    session: int
    mark: int
    moment: np.datetime64

    @property
    def block(self) -> int:
        """A number of its own, for random streams."""
        return self.session * (SLICES + 1) + self.mark


@dataclass(frozen=True)
class Expiries:
    """Listed expiries of a snapshot, sorted, one entry each."""

    days: Days
    tau: npt.NDArray[np.float64]
    """Years of 365 days from the snapshot to the moment of expiry."""
    monthly: npt.NDArray[np.bool_]


class Timeline:
    """Sessions of a calendar counted from the anchor. Knows nothing outside of the calendar."""

    def __init__(self, calendar: SessionCalendar) -> None:
        first = int(np.searchsorted(calendar.days, ANCHOR))
        if calendar.days.size == 0 or calendar.days[0] > ANCHOR or calendar.days.size - first < 2:
            raise ConfigError(f"The synthetic market needs a calendar that covers {ANCHOR} and a session after it")
        self.days: Days = calendar.days[first:]
        self.opens: Moments = calendar.opens[first:]
        self.closes: Moments = calendar.closes[first:]
        self._calendar = calendar

    @property
    def sessions(self) -> int:
        """How many sessions, the anchor's included."""
        return int(self.days.size)

    def usable(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """From the open of the session after the anchor up to the calendar's last close."""
        return np.asarray((moments >= self.opens[1]) & (moments <= self.closes[-1]))

    def last_closed(self, moment: np.datetime64) -> int:
        """The latest session whose close is at or before the moment."""
        return int(np.searchsorted(self.closes, moment, side="right")) - 1

    def snapshot(self, moment: np.datetime64) -> Snapshot:
        """The latest snapshot known at a usable moment."""
        session = int(np.searchsorted(self.opens, moment, side="right")) - 1
        if moment >= self.closes[session]:
            return Snapshot(session, SLICES, self.closes[session])
        slice_length = (self.closes[session] - self.opens[session]) // SLICES
        mark = min(int((moment - self.opens[session]) // slice_length), SLICES - 1)
        return Snapshot(session, mark, self.opens[session] + mark * slice_length)

    def sessions_in(self, starts: Moments, ends: Moments) -> list[int]:
        """Sorted sessions that any of the windows (start, end] touches; sessions after the anchor only."""
        first = np.searchsorted(self.closes, starts, side="right")
        last = np.searchsorted(self.opens, ends, side="right") - 1
        found: set[int] = set()
        for low, high in zip(first.tolist(), last.tolist(), strict=True):
            found.update(range(max(low, 1), high + 1))
        return sorted(found)

    def expiries(self, snapshot: Snapshot) -> Expiries:
        """The next weekly Fridays and the third Fridays of the next months that live after the snapshot.

        A Friday without a session gives way to the session before it; Fridays beyond the calendar are not listed.
        """
        today = snapshot.moment.astype("datetime64[D]")
        thirds = _third_fridays(today, MONTHLY_EXPIRIES + 1)
        fridays = np.unique(np.concatenate([_fridays(today, WEEKLY_EXPIRIES + 2), thirds]))
        fridays = fridays[fridays <= self._calendar.days[-1]]
        if fridays.size == 0:
            return Expiries(fridays, np.empty(0), np.empty(0, dtype=bool))
        days = self._calendar.days[np.searchsorted(self._calendar.days, fridays, side="right") - 1]
        ends = self._calendar.close_on(days)
        monthly = np.isin(fridays, thirds)
        listed = ends > snapshot.moment
        weekly = np.cumsum(listed) <= WEEKLY_EXPIRIES
        months = np.cumsum(listed & monthly) <= MONTHLY_EXPIRIES
        keep = listed & (weekly | (monthly & months))
        tau = (ends[keep] - snapshot.moment).astype(np.int64) / _US_PER_YEAR
        return Expiries(days[keep], tau, monthly[keep])


def _fridays(today: np.datetime64, count: int) -> Days:
    """``count`` Fridays, the first at or after ``today``."""
    first = np.busday_offset(today, 0, roll="forward", weekmask="Fri")
    return np.asarray(first + 7 * np.arange(count), dtype="datetime64[D]")


def _third_fridays(today: np.datetime64, count: int) -> Days:
    """The third Friday of this month and of the months after it."""
    months = today.astype("datetime64[M]") + np.arange(count)
    return np.asarray(np.busday_offset(months.astype("datetime64[D]"), 2, roll="forward", weekmask="Fri"))
