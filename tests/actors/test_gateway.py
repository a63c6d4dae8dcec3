"""The gateway in an actor: what the plain one does, through Ray, with one door to the vendors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from ray import cloudpickle

from actors.gateway import RemoteGateway, remote_gateway
from cluster.session import Session
from gnosis_ray.api import live
from gnosis_ray.app.fetching import build_gateway
from gnosis_ray.app.sources import build_source
from gnosis_ray.cli.main import run
from gnosis_ray.config import Config, as_of_text
from gnosis_ray.errors import ClusterError, ConfigError
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.vendors.gateway import FetchProgress, FetchRequest
from tests.chaos.chaos_harness import ProcessKiller
from tests.support import clocks
from tests.support.clocks import ShiftedTime
from tests.support.replay import ReplayServer, SyntheticMarket, serving
from tests.support.replay.cboe import cboe
from tests.support.scans import assert_same, tables

SYMBOLS = ["AAPL", "MSFT", "NOPE"]


@pytest.fixture(scope="module")
def replay(config: Config, market_calendar: SessionCalendar) -> Iterator[ReplayServer]:
    """A vendor whose present is the synthetic market's."""
    source = build_source(config, market_calendar)
    with serving(cboe(SyntheticMarket(source, frozenset(SYMBOLS[:2]), config.data.synthetic.as_of))) as served:
        yield served


@pytest.fixture(scope="module")
def at(config: Config) -> Iterator[ShiftedTime]:
    """A quarter of an hour after the synthetic market's present; workers cannot import the tests."""
    cloudpickle.register_pickle_by_value(clocks)  # type: ignore[no-untyped-call]
    yield ShiftedTime.starting(config.data.synthetic.as_of + timedelta(minutes=15))
    cloudpickle.unregister_pickle_by_value(clocks)  # type: ignore[no-untyped-call]


@pytest.fixture
def fast(config: Config, replay: ReplayServer) -> Config:
    """The settings, with the server as the vendor."""
    replay.clear_requests()
    vendor = config.providers.cboe.replaced(base_url=replay.url, requests_per_minute=60000.0)
    return config.replaced(providers={"cboe": vendor})


def ask_until_gone(remote: RemoteGateway, seconds: float) -> None:
    """Ray's kill does not wait for the process to be gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        remote.traffic()


def test_an_actor_answers_as_the_plain_gateway_does_and_is_gone_afterwards(
    session: Session, fast: Config, at: ShiftedTime, replay: ReplayServer, tmp_path: Path
) -> None:
    """One process for all of it: starting one takes longer than what it does."""
    requests = [FetchRequest("cboe", "chains", symbol) for symbol in SYMBOLS]
    progress: list[FetchProgress] = []

    def interrupt(_progress: FetchProgress) -> None:
        raise KeyboardInterrupt

    with remote_gateway(session, fast, tmp_path / "responses", at, "run") as remote:
        with pytest.raises(ConfigError, match="cboe does not give news"):
            remote.fetch_all([FetchRequest("cboe", "news", "AAPL")], progress.append)
        results = remote.fetch_all(requests, progress.append)
        as_of = at.now()
        rows = remote.fetch("cboe", "chains", SYMBOLS, as_of)
        (traffic,) = remote.traffic()
        with pytest.raises(KeyboardInterrupt):
            remote.fetch_all([FetchRequest("cboe", "chains", "AAPL")], interrupt)
    with pytest.raises(ClusterError, match="process ended"):
        ask_until_gone(remote, 30.0)
    assert [each.failure is None for each in results] == [True, True, False]
    assert [each.done for each in progress] == [1, 2, 3]
    assert (traffic.requests, traffic.failures, traffic.rows) == (3, 1, rows.num_rows)
    here = build_gateway(fast, tmp_path / "responses", at)  # cached responses: the same rows, without a request
    assert here.fetch_all(requests[:2], progress.append)[0].reused
    frames = [pl.DataFrame(pl.from_arrow(table)) for table in (rows, here.fetch("cboe", "chains", SYMBOLS[:2], as_of))]
    assert_frame_equal(*frames, check_exact=True)
    assert len(replay.asked()) == 3
    here.close()


def test_on_a_cluster_the_key_file_is_found_where_the_driver_has_its_home(
    session: Session, config: Config, at: ShiftedTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray was started before, in another environment: here the one that this process had then."""
    session.check_open()
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    (tmp_path / "keys.yaml").touch(mode=0o600)
    (tmp_path / "keys.yaml").write_text('tradier: "d41NOTREALleakme33"\n')
    with (
        remote_gateway(Session("head:6379"), config, tmp_path / "responses", at, "run") as remote,
        pytest.raises(ConfigError, match="tradier does not give news"),  # which is seen once there is a key
    ):
        remote.fetch_all([FetchRequest("tradier", "news", "AAPL")], lambda _: None)


def test_a_live_scan_whose_gateway_is_killed_goes_on_with_what_was_fetched(
    session: Session,
    fast: Config,
    at: ShiftedTime,
    replay: ReplayServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The receipt counts what both asked; nothing that is in the cache is asked for again."""
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__BASE_URL", fast.providers.cboe.base_url)
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__REQUESTS_PER_MINUTE", "240")
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__BURST", "1")
    monkeypatch.setattr(live, "TIME", at)
    killer = ProcessKiller("gateway", 0.0)

    def kill() -> None:
        while len(replay.asked()) < 5:
            time.sleep(0.01)
        killer.start()

    threading.Thread(target=kill, daemon=True).start()
    scan = ["scan", "--symbols", ",".join(SYMBOLS), "--provider", "cboe", "--granularity", "shard"]
    code = run([*scan, "--out", str(tmp_path / "live")])
    killer.stop()
    assert (killer.killed, code) == (True, 3)
    (traffic,) = LedgerStore(tmp_path / "live").receipt("latest").traffic
    asked = [ask.target for ask in replay.asked()]
    answered = [target for target in asked if any(symbol in target for symbol in SYMBOLS[:2])]
    assert len(answered) == 2, "one that was answered is in the cache"
    assert traffic.reused >= 1
    assert len(asked) - 1 <= traffic.requests <= len(asked), "one may be on its way in the poll before the kill"


def test_a_live_scan_on_ray_is_the_inline_scan_on_what_was_stored(
    session: Session, fast: Config, at: ShiftedTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__BASE_URL", fast.providers.cboe.base_url)
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__REQUESTS_PER_MINUTE", "60000")
    monkeypatch.setattr(live, "TIME", at)
    both = ("scan", "--symbols", ",".join(SYMBOLS))
    assert run([*both, "--provider", "cboe", "--granularity", "shard", "--out", str(tmp_path / "live")]) == 3
    receipt = LedgerStore(tmp_path / "live").receipt("latest")
    assert (receipt.provider, receipt.granularity, receipt.snapshots) == ("cboe", "shard", 2)
    assert receipt.traffic[0].requests == receipt.traffic[0].failures + 2
    as_of = as_of_text(receipt.as_of)
    stored = ("--provider", "store", "--granularity", "inline", "--as-of", as_of, "--out", str(tmp_path / "stored"))
    assert run([*both, *stored]) == 3
    on_ray, inline = tables(tmp_path / "live"), tables(tmp_path / "stored")
    fetching = pl.col("stage").str.starts_with("fetch.")
    assert on_ray["failures"].filter(fetching)["symbol"].to_list() == ["NOPE"]
    on_ray["failures"] = on_ray["failures"].filter(~fetching)
    assert_same(on_ray, inline)
