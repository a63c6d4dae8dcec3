"""When quotes were made and when contracts expire: the times on which every figure of a chain depends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.data.chains.report import LoadReport
from gnosis_ray.market.calendar import Moments, SessionCalendar, moments_of, utc_times
from gnosis_ray.market.run_length_join import run_lengths, run_starts
from gnosis_ray.options.bsm import Floats
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR

_DAY = 86_400_000_000  # microseconds


def add_times(rows: pl.DataFrame, calendar: SessionCalendar, report: LoadReport | None = None) -> pl.DataFrame:
    """Adds ``quote_time``, ``sessions_behind``, ``dte``, ``tau`` and ``quote_tau``, and drops what has expired.

    ``dte`` (days) and ``tau`` (years of 365 days) run from ``timestamp`` to the time of expiry, ``quote_tau`` (years)
    from ``quote_time``. ``report`` counts the dropped rows.
    """
    timestamp, quote_time, behind = _quote_times(rows, calendar)
    expiry = expiry_moments(rows, calendar)
    unknown = np.isnat(expiry) | np.isnat(quote_time)
    expired = ~unknown & (expiry <= timestamp)
    left = _days(expiry - timestamp)
    timed = rows.with_columns(
        utc_times(quote_time, "quote_time"),
        pl.Series("sessions_behind", behind),
        pl.Series("dte", left),
        pl.Series("tau", left / DAYS_PER_YEAR),
        pl.Series("quote_tau", _days(expiry - quote_time) / DAYS_PER_YEAR),
    )
    dead = unknown | expired
    if not dead.any():
        return timed
    if report is not None:
        report.count_masks(rows["symbol"], [("outside_calendar", unknown), ("expired", expired)])
    return timed.filter(pl.Series(~dead))


def expiry_moments(rows: pl.DataFrame, calendar: SessionCalendar) -> Moments:
    """When each row's contract (``expiry``, ``settlement``) expires: :meth:`SessionCalendar.expiry_moment`."""
    starts = run_starts(rows["expiry"], rows["settlement"])
    days = rows["expiry"].gather(starts).to_numpy().astype("datetime64[D]")
    morning = rows["settlement"].gather(starts).eq_missing("AM").to_numpy()
    return np.repeat(calendar.expiry_moment(days, morning), run_lengths(starts, rows.height))


def _quote_times(rows: pl.DataFrame, calendar: SessionCalendar) -> tuple[Moments, Moments, npt.NDArray[np.int64]]:
    starts = run_starts(rows["event_time"], rows["timestamp"])
    lengths = run_lengths(starts, rows.height)
    moments = moments_of(rows["timestamp"])
    quoted = calendar.quote_time(moments_of(rows["event_time"].gather(starts)))
    behind = calendar.sessions_between(quoted, moments[starts])
    return moments, np.repeat(quoted, lengths), np.repeat(behind, lengths)


def _days(span: npt.NDArray[np.timedelta64]) -> Floats:
    return span.astype(np.int64) / _DAY
