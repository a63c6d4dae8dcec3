"""Dates and times as files write them: which forms are read, in which zone, and what a date without a time means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from gnosis_ray.data.importing.mapping import tells_time
from gnosis_ray.market.columns import UTC_TIME

FORMS_READ = (
    "2026-07-10, 2026/07/10, 20260710, 10 Jul 2026, July 10, 2026 or Fri Jul 10 2026; times as 2026-07-10T16:00:00, "
    "with or without seconds and offset"
)
"""What is read without a declared format: forms that have one meaning. 07/10/2026 has two."""

_NUMBERS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_WORDS = ("%d %B %Y", "%B %d %Y")
_WEEKDAY = r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s+"
_OFFSET = r"(?:[Zz]|[+-]\d\d:?\d\d)$"
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""Outside of these a form has been misread: the year 26 of a date that was written with two digits."""


@dataclass(frozen=True)
class TimeForm:
    """How a source column writes its times.

    ``found``: its type. ``formats``: as declared, or empty. ``zone``: of times that name none; None where not declared.
    """

    found: pl.DataType
    formats: Sequence[str]
    zone: str | None


def parse_date(column: pl.Expr, form: TimeForm) -> pl.Expr:
    """The date that is written, whatever the zone; null where it has none of the forms."""
    return _each_text_once(column, form, partial(_date, form=form), pl.Date())


def _date(column: pl.Expr, form: TimeForm) -> pl.Expr:
    if form.found.is_temporal():
        return column.cast(pl.Date, strict=False)
    text = column.cast(pl.String).str.strip_chars()
    if form.formats:
        return _first((text.str.to_date(each, strict=False) for each in form.formats), pl.Date())
    words = text.str.replace_all(r"[,\-/\s]+", " ").str.replace(_WEEKDAY, "").str.extract(r"^(\S+ \S+ \d{4})$")
    dates = [text.str.to_date(each, strict=False) for each in _NUMBERS]
    return _first([*dates, *(words.str.to_date(each, strict=False) for each in _WORDS)], pl.Date())


def parse_moment(column: pl.Expr, form: TimeForm) -> pl.Expr:
    """A time in UTC; one that names no zone is of the declared zone, else UTC, and null where its clocks skip it.

    Null for a date without a time of day.
    """
    return _each_text_once(column, form, partial(_moment, form=form), UTC_TIME)


def _moment(column: pl.Expr, form: TimeForm) -> pl.Expr:
    zone = form.zone or "UTC"
    if isinstance(form.found, pl.Datetime):
        if form.found.time_zone is not None:
            return column.cast(pl.Datetime("us", form.found.time_zone)).dt.convert_time_zone("UTC")
        return _local(column.cast(pl.Datetime("us")), zone)
    zoned, naive = _written(column.cast(pl.String).str.strip_chars(), form.formats)
    return _plausible(pl.coalesce(zoned, _local(naive, zone)))


def parse_session_date(column: pl.Expr, form: TimeForm, exchange_zone: str) -> pl.Expr:
    """The date whose session a date or time stands for.

    A date is that day. A time is on the day that it is in the exchange's zone, except a midnight, which stands for the
    date that it is written with: so do vendors stamp days.
    """
    reading = partial(_day_of_session, form=form, exchange_zone=exchange_zone)
    return _each_text_once(column, form, reading, pl.Date())


def _day_of_session(column: pl.Expr, form: TimeForm, exchange_zone: str) -> pl.Expr:
    if form.found == pl.Date:
        return column
    if isinstance(form.found, pl.Datetime):
        wall = column.dt.replace_time_zone(None) if form.found.time_zone else column
        moment = _moment(column, form) if form.found.time_zone or form.zone else None
        return _session_date(wall.cast(pl.Datetime("us")), moment, exchange_zone)
    if form.formats and not any(tells_time(each) for each in form.formats):
        return _date(column, form)
    text = column.cast(pl.String).str.strip_chars()
    zoned, naive = _written(text, form.formats)
    wall = pl.coalesce(naive, _wall(text, form.formats))
    moment = pl.coalesce(zoned, _local(naive, form.zone)) if form.zone else zoned
    timed = _session_date(wall, moment, exchange_zone)
    untimed = [each for each in form.formats if not tells_time(each)]
    dates = _date(column, TimeForm(form.found, untimed, form.zone)) if untimed or not form.formats else None
    return _plausible(timed if dates is None else pl.coalesce(dates, timed))


def is_bare_date(column: pl.Expr, form: TimeForm) -> pl.Expr:
    """Whether a text is a date without a time of day."""
    if form.found.is_temporal() or form.formats:
        return pl.lit(value=False)

    def reading(texts: pl.Expr) -> pl.Expr:
        return _date(texts, form).is_not_null() & _moment(texts, form).is_null()

    return _each_text_once(column, form, reading, pl.Boolean())


def is_naive(column: pl.Expr, form: TimeForm) -> pl.Expr:
    """Whether a time names no zone and none is declared for it."""
    if form.zone:
        return pl.lit(value=False)
    if form.found.is_temporal():
        return pl.lit(isinstance(form.found, pl.Datetime) and form.found.time_zone is None)
    text = column.cast(pl.String).str.strip_chars()
    return text.str.contains(":", literal=True) & ~text.str.contains(_OFFSET)


def _each_text_once(
    column: pl.Expr, form: TimeForm, reading: Callable[[pl.Expr], pl.Expr], dtype: pl.DataType
) -> pl.Expr:
    """``reading(column)``, of that type, made once for each distinct text: a file has many rows and few dates."""
    if form.found.is_temporal() or form.found == pl.Null:
        return reading(column)

    def read(texts: pl.Series) -> pl.Series:
        distinct = texts.unique().alias("text").to_frame()
        readings = distinct.with_columns(reading(pl.col("text")).alias("read"))
        rows = texts.alias("text").to_frame()
        return rows.join(readings, on="text", how="left", nulls_equal=True, maintain_order="left")["read"]

    return column.map_batches(read, return_dtype=dtype)


def _written(text: pl.Expr, formats: Sequence[str]) -> tuple[pl.Expr, pl.Expr]:
    """A text as a time in UTC if it names its offset, and as a time of the wall clock if it does not."""
    if formats:
        zoned = [each for each in formats if "%z" in each]
        naive = [each for each in formats if "%z" not in each]
        in_utc = (text.str.to_datetime(each, time_unit="us", time_zone="UTC", strict=False) for each in zoned)
        by_clock = (text.str.to_datetime(each, time_unit="us", strict=False) for each in naive)
        return _first(in_utc, UTC_TIME), _first(by_clock, pl.Datetime("us"))
    iso = text.str.replace(r"[ Tt]+", "T").str.replace(r"[Zz]$", "+00:00")
    seconds = iso.str.replace(r"T(\d\d:\d\d)((?:[+-].*)?)$", "T${1}:00${2}")
    return (
        seconds.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False),
        seconds.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False),
    )


def _wall(text: pl.Expr, formats: Sequence[str]) -> pl.Expr:
    """The wall clock of a text that names its offset, in that offset's zone."""
    zoned = [each.replace("%z", "").strip() for each in formats if "%z" in each]
    if formats and not zoned:
        return pl.lit(None, dtype=pl.Datetime("us"))
    return _written(text.str.replace(rf"\s*{_OFFSET}", ""), zoned)[1]


def _session_date(wall: pl.Expr, moment: pl.Expr | None, exchange_zone: str) -> pl.Expr:
    if moment is None:
        return wall.dt.date()
    there = moment.dt.convert_time_zone(exchange_zone).dt.date()
    return (
        pl.when(wall.dt.time() == pl.time(0, 0, 0)).then(wall.dt.date()).otherwise(pl.coalesce(there, wall.dt.date()))
    )


def _local(clock: pl.Expr, zone: str) -> pl.Expr:
    return clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _plausible(dates: pl.Expr) -> pl.Expr:
    return pl.when(dates.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(dates)


def _first(readings: Iterable[pl.Expr], dtype: pl.DataType) -> pl.Expr:
    listed = [_plausible(each) for each in readings]
    return pl.coalesce(listed) if listed else pl.lit(None, dtype=dtype)
