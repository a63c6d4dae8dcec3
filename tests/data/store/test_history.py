"""Features of earlier sessions: point in time, one row a session, pinned parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.data.store import StoreWriter, coverage
from gnosis_ray.data.store.history import HISTORY, FeatureHistory
from gnosis_ray.errors import DataError, NoDataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import FEATURE_HISTORY, UTC_TIME
from gnosis_ray.market.keys import keys_at, one_key

CALENDAR = SessionCalendar.build("XNYS", date(2026, 1, 1), date(2026, 12, 31))
FRIDAY = datetime(2026, 7, 10, 20, 0, tzinfo=UTC)
MONDAY = datetime(2026, 7, 13, 20, 0, tzinfo=UTC)
IV = "hedge__atm_iv_30d"


def row(measured_at: datetime, value: float, symbol: str = "AAPL", **changes: object) -> dict[str, object]:
    known = {"symbol": symbol, "timestamp": measured_at, "known_at": measured_at, "provider": "store"}
    return {**known, "feature_hash": "f00d", "feature": IV, "value": value, **changes}


def rows(*each: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(each), schema=FEATURE_HISTORY)


def read(history: FeatureHistory, keys: pl.DataFrame, sessions: int = 60, feature_hash: str = "f00d") -> pl.DataFrame:
    return history.read(keys, [IV], sessions, CALENDAR, provider="store", feature_hash=feature_hash)


def values(found: pl.DataFrame) -> list[float]:
    return found["value"].to_list()


def test_the_last_row_of_each_earlier_session_is_read(tmp_path: Path) -> None:
    thursday = FRIDAY - timedelta(days=1)
    StoreWriter(tmp_path).append_features(
        rows(
            row(thursday - timedelta(hours=3), 0.1),
            row(thursday, 0.2),
            row(FRIDAY, 0.3),
            row(FRIDAY + timedelta(hours=40), 0.4),  # a Sunday: still Friday's session
            row(MONDAY, 0.5),
        )
    )
    found = read(FeatureHistory(tmp_path), one_key("AAPL", MONDAY))
    assert found.schema == HISTORY
    assert values(found) == [0.2, 0.4], "its own session is not its past"
    assert values(read(FeatureHistory(tmp_path), one_key("AAPL", MONDAY), sessions=1)) == [0.4]


def test_what_became_known_later_is_not_there(tmp_path: Path) -> None:
    StoreWriter(tmp_path).append_features(
        rows(row(FRIDAY, 0.3), row(FRIDAY, 0.9, known_at=MONDAY + timedelta(hours=1)))
    )
    history = FeatureHistory(tmp_path)
    assert values(read(history, one_key("AAPL", MONDAY))) == [0.3]
    assert values(read(history, one_key("AAPL", MONDAY + timedelta(days=1)))) == [0.9]


def test_other_hashes_providers_symbols_and_features_stay_apart(tmp_path: Path) -> None:
    StoreWriter(tmp_path).append_features(
        rows(
            row(FRIDAY, 0.3),
            row(FRIDAY, 1.0, feature_hash="beef"),
            row(FRIDAY, 2.0, provider="cboe"),
            row(FRIDAY, 3.0, symbol="MSFT"),
            row(FRIDAY, 4.0, feature="hedge__spot"),
        )
    )
    history = FeatureHistory(tmp_path)
    found = read(history, keys_at(["AAPL", "MSFT"], MONDAY))
    assert found.select("symbol", "value").rows() == [("AAPL", 0.3), ("MSFT", 3.0)]
    assert values(read(history, one_key("AAPL", MONDAY), feature_hash="beef")) == [1.0]


def test_a_panel_sees_for_each_key_what_its_own_moment_knew(tmp_path: Path) -> None:
    days = [FRIDAY - timedelta(days=back) for back in range(4)]
    StoreWriter(tmp_path).append_features(rows(*(row(day, float(i)) for i, day in enumerate(days))))
    history = FeatureHistory(tmp_path)
    panel = pl.concat([one_key("AAPL", day) for day in days])
    apart = pl.concat([read(history, one_key("AAPL", day)) for day in sorted(days)])
    assert read(history, panel).equals(apart)


def test_appending_again_stores_nothing_twice(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path)
    assert writer.append_features(rows(row(FRIDAY, 0.3), row(MONDAY, 0.5))).written == 2
    again = writer.append_features(rows(row(FRIDAY, 0.3)))
    assert (again.written, again.known) == (0, 1)


def test_pinned_parts_hide_what_was_written_later(tmp_path: Path) -> None:
    writer, keys = StoreWriter(tmp_path), one_key("AAPL", MONDAY)
    writer.append_features(rows(row(FRIDAY, 0.3)))
    pinned = FeatureHistory(tmp_path).part_names(keys, 60)
    writer.append_features(rows(row(FRIDAY - timedelta(days=1), 0.1)))
    assert len(pinned) == 1
    assert values(read(FeatureHistory(tmp_path, pinned), keys)) == [0.3]
    assert values(read(FeatureHistory(tmp_path), keys)) == [0.1, 0.3]
    for part in tmp_path.rglob("part-*.parquet"):
        part.unlink()
    with pytest.raises(DataError, match="with which this run began"):
        read(FeatureHistory(tmp_path, pinned), keys)


def test_a_store_without_history_has_none(tmp_path: Path) -> None:
    history = FeatureHistory(tmp_path / "nowhere")
    assert read(history, one_key("AAPL", MONDAY)).is_empty()
    assert history.part_names(one_key("AAPL", MONDAY), 60) == ()
    assert read(history, one_key("AAPL", MONDAY).clear()).is_empty()


def test_history_alone_is_no_market(tmp_path: Path) -> None:
    StoreWriter(tmp_path).append_features(rows(row(FRIDAY, 0.3)))
    with pytest.raises(NoDataError, match="holds no market data"):
        coverage(tmp_path)


def test_values_that_are_no_figures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not finite"):
        StoreWriter(tmp_path).append_features(rows(row(FRIDAY, float("nan"))))


def test_of_two_values_for_one_moment_the_one_measured_last_is_read(tmp_path: Path) -> None:
    writer, keys = StoreWriter(tmp_path), one_key("AAPL", MONDAY)
    for value, measured in ((0.9, 2), (0.3, 1), (0.1, 4), (0.5, 3)):
        again = rows(row(FRIDAY, value)).with_columns(fetched_at=pl.lit(MONDAY + timedelta(days=measured), UTC_TIME))
        writer.append_features(again)
    assert values(read(FeatureHistory(tmp_path), keys)) == [0.1]
    same = rows(row(FRIDAY, 0.1)).with_columns(fetched_at=pl.lit(MONDAY + timedelta(days=9), UTC_TIME))
    assert writer.append_features(same).written == 0
