"""Snapshots are looked for from the newest partition back: the same answers as a look at everything, for less."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.store import catalog as catalog_module
from gnosis_ray.data.store.catalog import MARGIN, Catalog
from gnosis_ray.data.store.part_files import Part, read_index
from gnosis_ray.market.datasets import DATASETS, Dataset
from tests.data.store.frames import DAY, HOUR, MONDAY, chain, keys

DAYS = 60
SYMBOLS = ("DAILY", "EARLY", "RARE", "LATE")


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    """Chains of many days: every day, the first alone, now and then; some of LATE known days after they were made."""
    chance = random.Random(7)  # noqa: S311 - no secret
    snapshots = [chain("EARLY", MONDAY)]
    for day in range(DAYS):
        moment = MONDAY + day * DAY
        snapshots.append(chain("DAILY", moment, bid=1.0 + day))
        if day % 13 == 4:
            snapshots.append(chain("RARE", moment, bid=1.0 + day))
            snapshots.append(chain("RARE", moment, known=moment + 3 * DAY, bid=2.0 + day))  # a correction
        if day % 3 == 0:
            snapshots.append(chain("LATE", moment, known=moment + chance.randrange(20) * DAY, bid=1.0 + day))
    return pl.concat(snapshots)


@pytest.fixture(scope="module")
def root(history: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("snapshots") / "market"
    StoreWriter(folder).append("chains", history)
    return folder


def expected(history: pl.DataFrame, symbol: str, moment: pl.Expr) -> set[tuple[object, ...]]:
    """By hand: of the rows known by then those of the latest snapshot, of each contract the last that became known."""
    known = history.filter(pl.col("symbol") == symbol, pl.col("known_at") <= moment)
    latest = known.filter(pl.col("event_time") == pl.col("event_time").max()).sort("known_at")
    last = latest.unique(["strike", "type"], keep="last")
    return set(last.select("event_time", "known_at", "strike", "type", "bid").iter_rows())


@settings(max_examples=30, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.sampled_from((*SYMBOLS, "NONE")), st.integers(-2, DAYS + 40), st.integers(-1, 1)),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
def test_every_key_gets_the_latest_snapshot_known_by_then(
    root: Path, history: pl.DataFrame, asked: list[tuple[str, int, int]]
) -> None:
    pairs = [(symbol, MONDAY + day * DAY + hours * HOUR) for symbol, day, hours in asked]
    rows = StoreSource(root).raw_chains(keys(*pairs))
    for symbol, moment in pairs:
        own = rows.filter(symbol=symbol, timestamp=moment)
        found = set(own.select("event_time", "known_at", "strike", "type", "bid").iter_rows())
        assert found == expected(history, symbol, pl.lit(moment))
        assert own.height == len(found)
    assert rows.select("symbol", "timestamp").rows() == sorted(rows.select("symbol", "timestamp").rows())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The partitions whose parts were opened for their index."""
    opened: list[str] = []

    def spy(data: Dataset, part: Part) -> pl.DataFrame:
        opened.append(part.period)
        return read_index(data, part)

    monkeypatch.setattr(catalog_module, "read_index", spy)
    return opened


@pytest.mark.parametrize("day", [DAYS - 1, DAYS // 2])
def test_a_day_costs_the_same_however_much_is_stored(root: Path, read: list[str], day: int) -> None:
    source, moment = StoreSource(root), MONDAY + day * DAY
    assert source.raw_chains(keys(("DAILY", moment))).height == 6
    assert len(read) == MARGIN + 1
    assert max(read) == moment.date().isoformat()
    source.raw_chains(keys(("DAILY", moment)))
    assert len(read) == MARGIN + 1


def test_days_cost_what_they_span(root: Path, read: list[str]) -> None:
    moments = [MONDAY + day * DAY for day in range(20, 30)]
    StoreSource(root).raw_chains(keys(*[("DAILY", moment) for moment in moments]))
    assert len(read) == len(moments) + MARGIN


def test_only_what_is_not_found_is_looked_for_further_back(root: Path, read: list[str]) -> None:
    moment = MONDAY + (DAYS - 1) * DAY
    rows = StoreSource(root).raw_chains(keys(("DAILY", moment), ("EARLY", moment)))
    assert rows.group_by("symbol", maintain_order=True).first()["event_time"].to_list() == [moment, MONDAY]
    assert sorted(read) == sorted({(MONDAY + day * DAY).date().isoformat() for day in range(DAYS)})
    assert len(read) == len(set(read))


def test_listings_share_no_part_and_leave_none_out(root: Path) -> None:
    catalog, data = Catalog(root), DATASETS["chains"]
    last = (MONDAY + timedelta(days=50)).date().isoformat()
    listings = list(catalog.back_from(data, last, last))
    assert len(listings) > 2
    paths = [path for listing in listings[::-1] for path in listing.paths]
    assert tuple(paths) == catalog.listing(data, last=last).paths
    assert sum(listing.index.height for listing in listings) == catalog.listing(data, last=last).index.height
