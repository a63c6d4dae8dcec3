"""JSON of reports and tables has one rendering."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from gnosis_ray.report.serialization import json_text, to_plain


@dataclass(frozen=True)
class Sample:
    """One value of each kind."""

    at: datetime
    day: date
    loss: float
    levels: tuple[float, ...]


SAMPLE = Sample(datetime(2026, 7, 12, 12, 0, 0, 250_000, tzinfo=UTC), date(2026, 7, 12), float("-inf"), (1.5, 2.0))


def test_timestamps_are_in_utc_with_every_digit_and_infinity_has_a_name() -> None:
    expected = {"at": "2026-07-12T12:00:00.250000Z", "day": "2026-07-12", "loss": "-Infinity", "levels": [1.5, 2.0]}
    assert json.loads(json_text(SAMPLE)) == expected


def test_a_row_of_a_table_reads_like_the_object() -> None:
    frame = pl.DataFrame([vars(SAMPLE)], schema_overrides={"at": pl.Datetime("us", "UTC")})
    assert to_plain(frame.rows(named=True)) == [to_plain(SAMPLE)]
