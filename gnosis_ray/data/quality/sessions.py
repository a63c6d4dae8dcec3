"""Moments of rows against the exchange's sessions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.market.calendar import Moments, SessionCalendar
from gnosis_ray.market.columns import UTC_TIME


def moments_of(times: pl.Series) -> Moments:
    """Times as datetime64[us] in UTC."""
    return times.dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")


def utc_series(name: str, moments: Moments) -> pl.Series:
    """The way back."""
    return pl.Series(name, moments).dt.replace_time_zone("UTC").cast(UTC_TIME)


def session_close(calendar: SessionCalendar, moments: Moments) -> Moments:
    """The close of the session whose quotes stand at each moment; NaT before all."""
    number = calendar.session_number(moments)
    return np.where(number >= 0, calendar.closes[np.maximum(number, 0)], np.datetime64("NaT", "us"))


def is_close(calendar: SessionCalendar, moments: Moments) -> npt.NDArray[np.bool_]:
    """Whether a moment is a session's close."""
    place = np.searchsorted(calendar.closes, moments)
    return np.asarray(calendar.closes[np.minimum(place, calendar.closes.size - 1)] == moments)


def on_session_day(calendar: SessionCalendar, moments: Moments) -> npt.NDArray[np.bool_]:
    """Whether a session's quotes are less than a day old: one opened in the 24 hours before."""
    number = calendar.session_number(moments)
    opened = calendar.opens[np.maximum(number, 0)]
    return np.asarray((number >= 0) & (moments - opened < np.timedelta64(1, "D")))
