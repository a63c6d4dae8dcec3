"""The S&P 500 of July 2026 scanned over the wire: Cboe's chains and Yahoo's bars, from a server that plays both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cluster.session import Session
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.cli.main import run
from gnosis_ray.config import Config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.universe import load_universe
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.run_schemas import RunReceipt
from tests.cli.conftest import at_home
from tests.support.clocks import ShiftedTime
from tests.support.markets import over_store
from tests.support.replay import RecordedMarket, ReplayRequest, ReplayServer, most_within, serving
from tests.support.replay.cboe import cboe
from tests.support.replay.yahoo import yahoo
from tests.support.scans import manifest_of, tables, work

pytestmark = [pytest.mark.realdata, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SUNDAY_NOON = datetime(2026, 7, 12, 12, tzinfo=UTC)
RATE_PER_MINUTE, BURST = 6000.0, 5
DECIDED = ("snapshots", "suggestions", "trade_ideas", "details")
"""What a run decided; its failures tell of the wire as well."""
PROFILE = """
data: {kinds: {bars: yahoo}, fetch: [chains]}
providers:
  cboe: {base_url: "URL", requests_per_minute: RATE, burst: 5}
  yahoo: {base_url: "URL", requests_per_minute: RATE, burst: 5}
"""


FLOW = ["sentiment__flow_unusual_share", "sentiment__flow_sentiment_score", "sentiment__sentiment_score"]
FLOW += ["sentiment__sentiment_energy"]
"""What depends on whether open interest is unknown or nought: Cboe's answers cannot tell the two apart."""
FIRST_BELL, LAST_BELL = datetime(2026, 7, 10, 13, 30, tzinfo=UTC), datetime(2026, 7, 10, 20, 0, tzinfo=UTC)
PROGRAM = """
import sys
from datetime import timedelta
from gnosis_ray.api import live
from gnosis_ray.cli.main import run
from tests.support.clocks import ShiftedTime

clock = ShiftedTime(timedelta(seconds=float(sys.argv.pop(1))))
live.TIME = clock
sys.exit(run())
"""


@dataclass(frozen=True)
class Live:
    """A scan over the wire: how it ended, what was asked, where everything lies."""

    code: int
    receipt: RunReceipt
    asked: list[ReplayRequest]
    folder: Path


@pytest.fixture(scope="module")
def replay(realdata: Path) -> Iterator[ReplayServer]:
    pytest.importorskip("yfinance")
    market = RecordedMarket(realdata / "us_2026_07")
    with serving(cboe(market), yahoo(market)) as started:
        yield started


def prepared(folder: Path, replay: ReplayServer, rate_per_minute: float = RATE_PER_MINUTE) -> Path:
    """The folder, with settings that name the server."""
    settings = PROFILE.replace("URL", replay.url).replace("RATE", str(rate_per_minute))
    (folder / "wire.yaml").write_text(settings)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """A home of its own, and no setting from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GNOSIS_RAY__")}
    return kept | {"GNOSIS_RAY_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}


def scan(folder: Path, *more: str) -> list[str]:
    """The arguments of a scan with that folder's settings and store."""
    return ["--profile", str(folder / "wire.yaml"), "scan", "--data-dir", str(folder / "market"), *more]


@pytest.fixture(scope="module")
def live(session: Session, replay: ReplayServer, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """``gnosis-ray scan --universe sp500 --provider cboe`` on Ray, on Sunday at noon."""
    session.check_open()
    folder = prepared(tmp_path_factory.mktemp("wire"), replay)
    clock = ShiftedTime.starting(SUNDAY_NOON)
    with at_home(folder) as monkeypatch:
        monkeypatch.setattr("gnosis_ray.api.live.TIME", clock)
        monkeypatch.setattr(  # at present the members are those of the true present
            "gnosis_ray.api.run_flow.load_universe", lambda wanted, _: load_universe(wanted, SUNDAY_NOON.date())
        )
        vendors = ("--universe", "sp500", "--provider", "cboe")
        code = run(scan(folder, *vendors, "--granularity", "shard", "--out", str(folder / "live")))
    return Live(code, LedgerStore(folder / "live").receipt("latest"), replay.asked(), folder)


def of_wire(asked: list[ReplayRequest], vendor: str) -> list[ReplayRequest]:
    """What was asked a vendor for data, without what a browser's session needs."""
    return [ask for ask in asked if ask.vendor == vendor and ask.path not in ("/", "/v1/test/getcrumb")]


def test_nearly_all_members_are_scanned_and_the_rest_is_named(live: Live) -> None:
    receipt = live.receipt
    assert live.code == 3
    assert (receipt.symbols, receipt.snapshots) == (503, 500)
    unknown = {failure.symbol for failure in receipt.failures if failure.stage == "fetch.chains"}
    assert unknown == {"EA", "HONA", "NVR"}
    without_bars = {failure.symbol for failure in receipt.failures if failure.stage == "fetch.bars"} - unknown
    assert without_bars == {"BF.B", "BNY", "BRK.B", "ECHO", "FDXF", "FLEX"}
    assert {failure.error for failure in receipt.failures} == {"NoDataError"}
    assert timedelta(0) < receipt.as_of - SUNDAY_NOON < timedelta(minutes=5)


def test_each_url_is_asked_once_within_the_rate(live: Live) -> None:
    for vendor in ("cboe", "yahoo"):
        asked = of_wire(live.asked, vendor)
        assert len(asked) >= 503
        assert max(Counter(ask.target for ask in asked).values()) == 1
        together = [ask for ask in live.asked if ask.vendor == vendor]
        for seconds in (0.1, 1.0, 5.0):
            assert most_within(together, seconds) <= BURST + 1 + seconds * RATE_PER_MINUTE / 60
    told = {traffic.vendor: traffic for traffic in live.receipt.traffic}
    assert {name: traffic.requests for name, traffic in told.items()} == Counter(ask.vendor for ask in live.asked)
    assert all(traffic.retries == 0 for traffic in told.values())


@pytest.fixture(scope="module")
def stored(live: Live) -> dict[str, pl.DataFrame]:
    """The same scan on what was stored, at the same moment."""
    symbols = ("--symbols", ",".join(LedgerStore(live.folder / "live").manifest("latest").symbols))
    then = ("--provider", "store", "--as-of", live.receipt.as_of.isoformat())
    with at_home(live.folder):
        place = ("--data-dir", str(live.folder / "market"), "--out", str(live.folder / "stored"))
        code = run(["scan", *symbols, *then, *place, "--granularity", "inline"])
    assert code == 3  # three symbols of which nothing is known
    return tables(live.folder / "stored")


def test_it_is_to_the_bit_the_scan_of_what_was_stored(live: Live, stored: dict[str, pl.DataFrame]) -> None:
    there = tables(live.folder / "live")
    for name in DECIDED:
        assert there[name].height > 0
        assert_frame_equal(there[name], stored[name], check_exact=True)


def test_features_are_those_of_the_imported_market(
    live: Live, stored: dict[str, pl.DataFrame], realdata: Path, config: Config
) -> None:
    """To the bit where quotes have the same moment and open interest is known; else as near as the wire allows.

    The vendor tells whole seconds, which moves quotes that were made while the market was open by less than one; and
    it has no word for unknown open interest.
    """
    root = live.folder / "imported"
    calendar = build_calendar(config, live.receipt.as_of)
    import_dataset(realdata / "us_2026_07", load_mapping("us_2026_07"), StoreWriter(root), calendar)
    imported = over_store(config, root)
    symbols = stored["snapshots"]["symbol"].unique().to_list()
    manifest = manifest_of(imported, calendar, symbols, live.receipt.as_of)
    work(live.folder / "from_import", imported, calendar, manifest)
    there = tables(live.folder / "from_import")["snapshots"].sort("symbol")
    here = stored["snapshots"].sort("symbol")
    features = [name for name, dtype in here.schema.items() if "__" in name and dtype == pl.Float64]

    chains = pl.read_parquet(realdata / "us_2026_07" / "chains.parquet")
    name = pl.col("underlying").str.replace("-", ".").alias("symbol")
    quoted_open = pl.col("snapshot_ts").is_between(FIRST_BELL, LAST_BELL, closed="left")
    moved = set(chains.filter(quoted_open).select(name)["symbol"])
    unknown = set(chains.filter(pl.col("open_interest").is_null()).select(name)["symbol"])
    exact = pl.col("symbol").is_in(sorted(moved | unknown)).not_()
    but_flow = pl.col("symbol").is_in(sorted(unknown - moved))
    assert here.filter(exact).height > 250
    assert_frame_equal(here.filter(exact).select(features), there.filter(exact).select(features), check_exact=True)
    rest = [feature for feature in features if feature not in FLOW]
    assert_frame_equal(here.filter(but_flow).select(rest), there.filter(but_flow).select(rest), check_exact=True)
    near = here.filter(pl.col("symbol").is_in(sorted(moved)))["hedge__gex_usd_per_pct"]
    true = there.filter(pl.col("symbol").is_in(sorted(moved)))["hedge__gex_usd_per_pct"]
    assert near.len() == 86
    assert ((near - true).abs() / true.abs()).max() < 1e-4  # type: ignore[operator]


def until_quiet(replay: ReplayServer, seconds: float) -> None:
    """Return when nothing was asked for so long: the gateway, in a process of Ray's, outlives its driver a little."""
    heard = -1
    while heard < (heard := len(replay.asked("cboe"))):
        time.sleep(seconds)


def test_a_scan_killed_while_it_fetches_asks_for_the_rest_only(replay: ReplayServer, tmp_path: Path) -> None:
    folder = prepared(tmp_path, replay, rate_per_minute=300.0)
    symbols = load_universe("dow30", None).symbols
    shift = ShiftedTime.starting(SUNDAY_NOON).by.total_seconds()
    command = [sys.executable, "-c", PROGRAM, str(shift)]
    command += scan(folder, "--symbols", ",".join(symbols), "--provider", "cboe")
    command += ["--out", str(folder / "live")]
    replay.clear_requests()
    first = subprocess.Popen(
        [*command, "--granularity", "shard"],
        cwd=ROOT,
        env=environment(folder),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while len(replay.asked("cboe")) < 12:
        assert first.poll() is None
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    until_quiet(replay, 2.0)
    before = {ask.target for ask in of_wire(replay.asked(), "cboe")}
    assert not (folder / "live").exists()

    again = subprocess.run(
        [*command, "--granularity", "inline"],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    counts = Counter(ask.target for ask in of_wire(replay.asked(), "cboe"))
    in_flight = 4
    assert before < set(counts)
    assert sum(counts.values()) - len(counts) <= in_flight
    assert "already cached" in again.stderr
    assert LedgerStore(folder / "live").receipt("latest").snapshots == len(symbols)
