"""Exchange sessions as sorted arrays: vectorised look-ups over any number of moments."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.errors import ConfigError, nearest_hint

Moments = npt.NDArray[np.datetime64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class SessionCalendar:
    """Sessions of one exchange between two dates.

    ``days`` are datetime64[D]; ``opens`` and ``closes`` datetime64[us] in UTC; all sorted, one entry a session.
    ``zone`` is the exchange's time zone.
    Built once by the driver and handed to workers: the library behind it takes over a second to import.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> import numpy as np
    >>> from datetime import date
    >>> calendar = gr.SessionCalendar.build("XNYS", date(2026, 7, 1), date(2026, 7, 10))
    >>> calendar.days.size  # 3 July is a holiday
    7
    >>> str(calendar.close_on(np.array(["2026-07-10"], dtype="datetime64[D]"))[0])
    '2026-07-10T20:00:00.000000'
    """

    name: str
    days: Days
    opens: Moments
    closes: Moments
    zone: str

    @classmethod
    def build(cls, name: str, start: date, end: date) -> SessionCalendar:
        """Sessions from ``exchange_calendars`` (early closes and holidays included), both dates inclusive.

        Raises :class:`ConfigError` for a name that it does not know, and for dates that its calendar does not cover.
        """
        import exchange_calendars  # heavy: only the driver needs it

        with warnings.catch_warnings():  # exchange_calendars 4.13 reads a pandas property that 3.1 deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                exchange = exchange_calendars.get_calendar(name, start=start.isoformat(), end=end.isoformat())
                schedule = exchange.schedule
            except exchange_calendars.errors.InvalidCalendarName as error:
                known = exchange_calendars.get_calendar_names()
                wanted = f"market.calendar: Expected the name of an exchange's calendar, was {name!r}"
                raise ConfigError(f"{wanted}. {nearest_hint(name, known)}") from error
            except ValueError as error:  # dates beyond what is recorded of the exchange
                covered = (
                    f"market.calendar: Expected sessions of {name} from {start} to {end}, was none for some of them"
                )
                raise ConfigError(f"{covered}: take a later day, or another calendar") from error
        return cls(
            name=name,
            days=schedule.index.to_numpy().astype("datetime64[D]"),
            opens=schedule["open"].dt.tz_localize(None).to_numpy().astype("datetime64[us]"),
            closes=schedule["close"].dt.tz_localize(None).to_numpy().astype("datetime64[us]"),
            zone=str(exchange.tz),
        )

    def session_number(self, moments: Moments) -> npt.NDArray[np.int64]:
        """Which session's quotes stand at each moment: the one under way, else the last before it; -1 before all."""
        return np.asarray(np.searchsorted(self.opens, moments, side="right") - 1, dtype=np.int64)

    def is_open(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """True from a session's open up to, but not including, its close."""
        index = self.session_number(moments)
        inside = index >= 0
        return np.asarray(inside & (moments < self.closes[np.maximum(index, 0)]))

    def last_close(self, moments: Moments) -> Moments:
        """The latest session close at or before each moment; NaT before the first."""
        return _take(self.closes, np.searchsorted(self.closes, moments, side="right") - 1)

    def quote_time(self, snapshots: Moments) -> Moments:
        """When the quotes of a snapshot were made: the snapshot itself in a session, else the latest close."""
        return np.where(self.is_open(snapshots), snapshots, self.last_close(snapshots))

    def standing_close(self, moments: Moments) -> Moments:
        """The close of the session whose quotes stand at each moment (:meth:`session_number`); NaT before all."""
        return _take(self.closes, self.session_number(moments))

    def is_close(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """Whether each moment is a session's close."""
        place = np.searchsorted(self.closes, moments)
        return np.asarray(self.closes[np.minimum(place, self.closes.size - 1)] == moments)

    def opened_within_a_day(self, moments: Moments) -> npt.NDArray[np.bool_]:
        """Whether a session opened in the 24 hours before each moment: its quotes are less than a day old."""
        opened = _take(self.opens, self.session_number(moments))
        return np.asarray(moments - opened < np.timedelta64(1, "D"))

    def close_on(self, days: Days) -> Moments:
        """The close of the day's session, or of the last session before it on a holiday or weekend."""
        return _take(self.closes, np.searchsorted(self.days, days, side="right") - 1)

    def expiry_moment(self, expiries: Days, am_settled: npt.NDArray[np.bool_]) -> Moments:
        """When an option stops living: its session's close, or its open where settled in the morning.

        An expiry on no session is that of the last session before it; NaT outside the calendar.
        """
        index = np.searchsorted(self.days, expiries, side="right") - 1
        index = np.where(expiries <= self.days[-1], index, -1)  # which session would be the last one is not known
        return np.where(am_settled, _take(self.opens, index), _take(self.closes, index))

    def sessions_between(self, earlier: Moments, later: Moments) -> npt.NDArray[np.int64]:
        """How many session closes lie after ``earlier`` and at or before ``later``."""
        first = np.searchsorted(self.closes, earlier, side="right")
        last = np.searchsorted(self.closes, later, side="right")
        return np.asarray(last - first, dtype=np.int64)


def moments_of(times: pl.Series) -> Moments:
    """Times in UTC as datetime64[us]; null as NaT."""
    return times.dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")


def utc_times(moments: Moments, name: str = "") -> pl.Series:
    """The inverse of :func:`moments_of`."""
    return pl.Series(name, moments.astype("datetime64[us]")).dt.replace_time_zone("UTC")


def _take(values: Moments, index: npt.NDArray[np.integer]) -> Moments:
    """``values[index]``, NaT where the index is before the first."""
    taken = values[np.maximum(index, 0)]
    return np.where(index >= 0, taken, np.datetime64("NaT", "us"))
