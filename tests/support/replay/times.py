"""Moments as vendors of US markets write them: in Eastern time, without saying so."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
OPEN, CLOSE = time(9, 30), time(16, 0)
SATURDAY = 5


def last_trade(moment: datetime) -> datetime:
    """When a stock traded last, at a moment: then, or at the close before it. Holidays count as any weekday."""
    local = moment.astimezone(EASTERN).replace(microsecond=0)
    if local.weekday() < SATURDAY and OPEN <= local.time() < CLOSE:
        return local
    day = local.date() if local.time() >= CLOSE else local.date() - timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day -= timedelta(days=1)
    return datetime.combine(day, CLOSE, EASTERN)


def epoch(day: date, at: time) -> int:
    """Seconds since 1970 of a day's Eastern time."""
    return int(datetime.combine(day, at, EASTERN).timestamp())


def utc_text(moment: datetime) -> str:
    """``2023-09-21 03:17:42``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def eastern_text(moment: datetime) -> str:
    """``2023-09-20T16:15:04``."""
    return moment.astimezone(EASTERN).strftime("%Y-%m-%dT%H:%M:%S")
