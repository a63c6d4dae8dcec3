"""A scan of the S&P 500 over the recorded options market of July 2026."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from actors.fanout import RayFanout
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.config import Config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.universe import load_universe
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.pipeline.batch_pass import BatchPass
from gnosis_ray.schemas.run_schemas import RunManifest, RunReceipt
from tests.support.markets import over_store
from tests.support.scans import assert_same, manifest_of, part_bytes, tables, work

pytestmark = pytest.mark.realdata

SUNDAY_NOON = datetime(2026, 7, 12, 12, tzinfo=UTC)
SATURDAY_NOON = SUNDAY_NOON - timedelta(days=1)
LATE = ("AAPL", "AMZN", "GOOGL", "META")
"""Their snapshots were taken on Sunday morning."""
PLAN = HostPlan("shard", hosts=2, window=2, memory_mb=300, note="for tests")


@dataclass(frozen=True)
class Scanned:
    """One scan: how it ended, where its ledger is, and what it was told to do."""

    receipt: RunReceipt
    root: Path
    config: Config
    calendar: SessionCalendar
    manifest: RunManifest


@pytest.fixture(scope="module")
def market(realdata: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, SessionCalendar]:
    """The settings of a scan over the imported market, and its calendar."""
    root = tmp_path_factory.mktemp("market")
    calendar = build_calendar(config, SUNDAY_NOON)
    import_dataset(realdata / "us_2026_07", load_mapping("us_2026_07"), StoreWriter(root), calendar)
    return over_store(config, root), calendar


@pytest.fixture(scope="module")
def sunday(market: tuple[Config, SessionCalendar], tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    """Sunday noon: every snapshot is known."""
    config, calendar = market
    members = list(load_universe("sp500", SUNDAY_NOON.date()).symbols)
    manifest = manifest_of(config, calendar, members, SUNDAY_NOON)
    root = tmp_path_factory.mktemp("inline")
    return Scanned(work(root, config, calendar, manifest), root, config, calendar, manifest)


def test_nearly_all_members_have_a_result_and_the_rest_are_named(sunday: Scanned) -> None:
    receipt = sunday.receipt
    assert receipt.symbols == 503
    assert receipt.snapshots >= 490
    assert receipt.snapshots + len(receipt.failures) == 503
    assert [(failure.symbol, failure.error) for failure in receipt.failures] == [
        (symbol, "NoDataError") for symbol in ("EA", "HONA", "NVR")
    ]
    done = set(LedgerStore(sunday.root).read("snapshots")["symbol"])
    assert done | {failure.symbol for failure in receipt.failures} == set(sunday.manifest.symbols)


def test_degradations_are_counted_by_reason(sunday: Scanned) -> None:
    degraded = sunday.receipt.degraded
    counts = {reason: len(symbols) for reason, symbols in degraded.items()}
    assert counts["hedge:no_bars"] == 6
    assert counts["hedge:stale_quotes"] == 213  # taken before Friday's close
    assert 80 < counts["hedge:open_interest_unavailable"] < 98
    assert {"MSFT", "NVDA"} <= set(degraded["hedge:open_interest_unavailable"])
    assert counts["hedge:last_smile"] < 60
    assert counts["hedge:no_implied_vol"] < 50
    assert not {"hedge:bad_rows", "hedge:no_chain", "hedge:missing_greeks"} & set(counts)


@pytest.mark.parametrize(
    ("symbol", "millions_per_pct"), [("AAPL", 1196.0), ("META", 841.0), ("SMH", -482.0), ("XYL", 1.7)]
)
def test_net_gamma_is_that_of_the_day(
    symbol: str, millions_per_pct: float, market: tuple[Config, SessionCalendar]
) -> None:
    config, calendar = market
    outcome = BatchPass(ConfiguredComponents(config), build_adapter(config, calendar), config).run(
        keys_at([symbol], SUNDAY_NOON)
    )
    net = outcome.records[0].snapshot.hedge["gex_usd_per_pct"] / 1e6
    assert net == pytest.approx(millions_per_pct, rel=0.10)


def test_what_was_recorded_on_sunday_is_not_known_on_saturday(sunday: Scanned, tmp_path: Path) -> None:
    manifest = manifest_of(sunday.config, sunday.calendar, [*LATE, "XOM", "JPM"], SATURDAY_NOON)
    receipt = work(tmp_path, sunday.config, sunday.calendar, manifest)
    assert receipt.degraded["hedge:no_chain"] == LATE
    known = {record.symbol: record.snapshot for record in LedgerStore(tmp_path).stream()}
    assert all("atm_iv_30d" not in known[symbol].hedge for symbol in LATE)
    assert all("atm_iv_30d" in known[symbol].hedge for symbol in ("XOM", "JPM"))
    assert not set(LATE) & set(sunday.receipt.degraded.get("hedge:no_chain", ()))


def test_shards_write_what_one_process_writes(session: Session, sunday: Scanned, tmp_path: Path) -> None:
    fanout = RayFanout(session, PLAN, sunday.config.run)
    receipt = work(tmp_path, sunday.config, sunday.calendar, sunday.manifest, fanout)
    how = {"granularity", "hosts", "seconds"}
    assert receipt.model_dump(exclude=how) == sunday.receipt.model_dump(exclude=how)
    assert_same(tables(tmp_path), tables(sunday.root))
    assert part_bytes(tmp_path) == part_bytes(sunday.root)


def test_stances_are_neither_all_flat_nor_all_sided(sunday: Scanned) -> None:
    """Without tapes and news: dealers and moods take sides in half of the names, volume profiles in few."""
    said = LedgerStore(sunday.root).read("suggestions")
    counts = {layer: dict(g["action"].value_counts().iter_rows()) for (layer,), g in said.group_by("layer")}
    for layer, least_flat, most_flat in (("hedge", 200, 300), ("liquidity", 380, 460), ("sentiment", 180, 300)):
        actions = counts[f"primary_{layer}"]
        assert least_flat < actions["flat"] < most_flat
        assert min(actions["long"], actions["short"]) > 15
    composed = counts["composer"]
    assert set(composed) == {"long", "short", "flat", "spread", "complex"}
    assert 10 < composed["long"] + composed["short"] < 60
    assert said.filter(pl.col("layer") == "primary_liquidity")["confidence"].max() <= 0.6 * 0.15  # type: ignore[operator]
    tags = set(said.filter(pl.col("layer").str.starts_with("primary_"))["tags"].explode())
    assert {"gamma_squeeze", "thin_liquidity", "sentiment_divergence", "contrarian"} <= tags
    assert not {"fake_breakout", "one_sided_flow", "news_shock"} & tags  # they need a tape, or news
