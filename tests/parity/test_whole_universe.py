"""The ledger of the whole S&P 500, the same bit for bit in one process and in hosts, however it is cut in batches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from actors.fanout import RayFanout
from cluster.session import Session
from gnosis_ray.config import Config
from gnosis_ray.data.universe import load_universe
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.run_schemas import RunManifest
from tests.parity.plans import SHARDS
from tests.support.scans import assert_same, manifest_of, part_bytes, tables, unbatched, work


@pytest.fixture(scope="module")
def universe(config: Config, market_calendar: SessionCalendar) -> RunManifest:
    """The 503 members of the S&P 500, on the synthetic market."""
    symbols = list(load_universe("sp500").symbols)
    assert len(symbols) == 503
    return manifest_of(config, market_calendar, symbols, config.data.synthetic.as_of)


@pytest.fixture(scope="module")
def inline(
    universe: RunManifest,
    config: Config,
    market_calendar: SessionCalendar,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The ledger of the universe, worked in this process."""
    root = tmp_path_factory.mktemp("inline")
    receipt = work(root, config, market_calendar, universe)
    assert (receipt.status, receipt.snapshots, receipt.degraded) == ("done", 503, {})
    assert receipt.ideas > 0
    return root


def test_shards_write_what_one_process_writes(
    session: Session,
    inline: Path,
    universe: RunManifest,
    config: Config,
    market_calendar: SessionCalendar,
    tmp_path: Path,
) -> None:
    receipt = work(tmp_path, config, market_calendar, universe, RayFanout(session, SHARDS, config.run))
    assert (receipt.status, receipt.granularity, receipt.snapshots) == ("done", "shard", 503)
    assert_same(tables(tmp_path), tables(inline))
    assert part_bytes(tmp_path) == part_bytes(inline)
    assert len(part_bytes(inline)) == len(universe.tables) * len(universe.batches())


def test_batch_boundaries_change_no_bit(
    inline: Path,
    universe: RunManifest,
    config: Config,
    market_calendar: SessionCalendar,
    tmp_path: Path,
) -> None:
    work(tmp_path, config, market_calendar, universe.model_copy(update={"batch_size": 101}))
    assert_same(unbatched(tables(tmp_path)), unbatched(tables(inline)))


def test_the_ledger_reads_back_the_records_of_every_symbol(inline: Path, universe: RunManifest) -> None:
    records = list(LedgerStore(inline).stream())
    assert [record.symbol for record in records] == list(universe.symbols)
    assert {record.timestamp for record in records} == {universe.as_of}


def test_nothing_but_figures_and_words_is_in_the_tables(inline: Path) -> None:
    """What could not be computed is absent: never NaN; infinite only where a loss has no bound."""
    for name, frame in tables(inline).items():
        floats = frame.select(pl.col(pl.Float64))
        for column in floats.iter_columns():
            assert not column.is_nan().any(), (name, column.name)
            assert column.name == "max_loss" or not column.is_infinite().any(), (name, column.name)
