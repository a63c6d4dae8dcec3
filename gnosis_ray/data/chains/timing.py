"""When quotes were made and when contracts stop living: the moments that every figure of a chain hangs on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.data.chains.report import LoadReport
from gnosis_ray.market.calendar import Moments, SessionCalendar
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.options.bsm import Floats
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR

_DAY = 86_400_000_000  # microseconds


def add_times(rows: pl.DataFrame, calendar: SessionCalendar, report: LoadReport | None = None) -> pl.DataFrame:
    """Adds ``quote_time``, ``sessions_behind``, ``dte``, ``tau`` and ``quote_tau``, and drops what has expired.

    ``dte`` (days) and ``tau`` (years of 365 days) run from ``timestamp`` to the time of expiry, ``quote_tau`` (years)
    from ``quote_time``. ``report`` counts the dropped rows.
    """
    timestamp, quote_time, behind = _quote_times(rows, calendar)
    expiry = _expiry_moments(rows, calendar)
    unknown = np.isnat(expiry) | np.isnat(quote_time)
    expired = ~unknown & (expiry <= timestamp)
    left = _days(expiry - timestamp)
    timed = rows.with_columns(
        pl.Series("quote_time", quote_time).dt.replace_time_zone("UTC").cast(UTC_TIME),
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


def run_starts(*columns: pl.Series) -> npt.NDArray[np.intp]:
    """Where a new combination of values starts; look-ups are made there and repeated along the run."""
    changed = np.zeros(len(columns[0]), dtype=np.bool_)
    changed[:1] = True
    for column in columns:
        changed |= column.ne_missing(column.shift(1)).to_numpy()
    return np.flatnonzero(changed)


def run_lengths(starts: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """Rows of each run."""
    return np.diff(starts, append=size)


def _quote_times(rows: pl.DataFrame, calendar: SessionCalendar) -> tuple[Moments, Moments, npt.NDArray[np.int64]]:
    starts = run_starts(rows["event_time"], rows["timestamp"])
    lengths = run_lengths(starts, rows.height)
    moments = rows["timestamp"].to_numpy().astype("datetime64[us]")
    quoted = calendar.quote_time(rows["event_time"].gather(starts).to_numpy().astype("datetime64[us]"))
    behind = calendar.sessions_between(quoted, moments[starts])
    return moments, np.repeat(quoted, lengths), np.repeat(behind, lengths)


def _expiry_moments(rows: pl.DataFrame, calendar: SessionCalendar) -> Moments:
    starts = run_starts(rows["expiry"], rows["settlement"])
    days = rows["expiry"].gather(starts).to_numpy().astype("datetime64[D]")
    morning = (rows["settlement"].gather(starts) == "AM").to_numpy()
    return np.repeat(calendar.expiry_moment(days, morning), run_lengths(starts, rows.height))


def _days(span: npt.NDArray[np.timedelta64]) -> Floats:
    return span.astype(np.int64) / _DAY
