"""The recorded US market of July 2026, imported and read back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter, coverage
from gnosis_ray.data.universe import load_universe
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at

pytestmark = pytest.mark.realdata

SUNDAY_NOON = datetime(2026, 7, 12, 12, tzinfo=UTC)
SATURDAY_NOON = SUNDAY_NOON - timedelta(days=1)


@pytest.fixture(scope="module")
def imported(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, StoreSource]:
    root = tmp_path_factory.mktemp("us_2026_07")
    calendar = SessionCalendar.build("XNYS", date(2025, 1, 2), date(2029, 1, 2))
    report = import_dataset(realdata / "us_2026_07", load_mapping("us_2026_07"), StoreWriter(root), calendar)
    return report, StoreSource(root)


@pytest.fixture(scope="module")
def source(imported: tuple[ImportReport, StoreSource]) -> StoreSource:
    return imported[1]


def test_every_row_is_accounted_for(imported: tuple[ImportReport, StoreSource]) -> None:
    report, _ = imported
    assert report.rows_read == 362_888 + 133_327
    assert report.rows_read == report.rows_written + report.refused["rows"].sum()
    found = report.summary().select("column", "reason", "kept", "rows", "symbols").rows()
    assert found == [
        ("expiry", "expired before the snapshot", False, 2848, 29),
        ("ask", "crossed: ask below bid", True, 20, 18),
        ("settlement", "adjusted contract: the root is not the symbol's", False, 15, 1),
    ]
    assert set(report.refused.filter(column="settlement")["symbol"]) == {"COP"}


def test_coverage(source: StoreSource) -> None:
    held = {row["kind"]: (row["symbols"], row["rows"]) for row in coverage(source.root).iter_rows(named=True)}
    assert held == {"chains": (520, 360_025), "bars": (511, 133_327)}
    assert source.default_as_of(SUNDAY_NOON) == datetime(2026, 7, 12, 9, 22, 55, tzinfo=UTC)


@pytest.mark.parametrize(("now", "with_chain", "with_both"), [(SUNDAY_NOON, 500, 494), (SATURDAY_NOON, 496, 490)])
def test_members_with_data(source: StoreSource, now: datetime, with_chain: int, with_both: int) -> None:
    members = list(load_universe("sp500", now.date()).symbols)
    assert len(members) == 503
    asked = keys_at(members, now)
    chains, bars = set(source.raw_chains(asked)["symbol"]), set(source.bars(asked, 90)["symbol"])
    assert (len(chains), len(chains & bars)) == (with_chain, with_both)
    late = {"AAPL", "AMZN", "GOOGL", "META"}
    assert late & chains == (late if now == SUNDAY_NOON else set())
    assert "BRK.B" in chains


def test_spelling_and_settlement(source: StoreSource) -> None:
    chains = source.raw_chains(keys_at(["BRK.B", "BF.B", "BRK-B", "SPX", "SPY"], SUNDAY_NOON))
    assert set(chains["symbol"]) == {"BRK.B", "BF.B", "SPX", "SPY"}
    settled = chains.filter(settlement="AM").select("symbol", "expiry").unique().rows()
    assert settled == [("SPX", date(2026, 7, 17))]
    assert set(chains["type"]) == {"C", "P"}


def test_nothing_known_later_is_read(source: StoreSource) -> None:
    members = list(load_universe("sp500", SUNDAY_NOON.date()).symbols)
    for now in (SATURDAY_NOON, datetime(2026, 7, 10, 15, tzinfo=UTC)):
        asked = keys_at(members, now)
        assert source.raw_chains(asked)["known_at"].max() <= now  # type: ignore[operator]
        assert source.bars(asked, 90)["known_at"].max() <= now  # type: ignore[operator]
        assert source.bars(asked, 90).group_by("symbol").len()["len"].max() == 90


def test_batches_add_up_to_the_universe(source: StoreSource) -> None:
    members = list(load_universe("sp500", SUNDAY_NOON.date()).symbols)
    batches = [keys_at(members[i : i + 32], SUNDAY_NOON) for i in range(0, len(members), 32)]
    whole = keys_at(members, SUNDAY_NOON)
    assert_frame_equal(pl.concat([source.raw_chains(batch) for batch in batches]), source.raw_chains(whole))
    assert_frame_equal(pl.concat([source.bars(batch, 90) for batch in batches]), source.bars(whole, 90))
