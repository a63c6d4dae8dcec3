"""What comes of each fault that vendors' answers can have: of our own HTTP, through the gateway of a scan."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.market.calendar import SessionCalendar
from tests.support.replay import ReplayServer, SyntheticMarket, faults, serving
from tests.support.replay.cboe import cboe
from tests.support.replay.fault_cases import CASES, IMPATIENT_S, OTHER, PATIENT_S, SAME, FaultCase, table
from tests.support.replay.gateway_fixture import FetchedRows, GatewayFixture
from tests.support.replay.tradier import tradier

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
TOKEN = "token-of-the-tests"  # noqa: S105
MANY = [f"SYN{i:02d}" for i in range(24)]


@dataclass(frozen=True)
class FaultFixture:
    """A server, what is asked of it, and what it answers when well."""

    replay: ReplayServer
    config: Config
    market: SyntheticMarket
    caches: Path

    def gateway(self, url: str | None = None, timeout_s: float = PATIENT_S) -> GatewayFixture:
        """A gateway that has asked nothing yet, an hour after the market's present."""
        cache_dir = self.caches / str(time.perf_counter_ns())
        start = self.config.data.synthetic.as_of + timedelta(hours=1)
        return GatewayFixture(self.config, url or self.replay.url, cache_dir, start, timeout_s)

    def target(self, vendor: str) -> str:
        """The one request that goes wrong."""
        snapshot = self.market.snapshot("AAPL")
        assert snapshot is not None
        nearest = snapshot.options["expiry"].sort()[0]
        return {"cboe": r"options/AAPL\.json", "tradier": f"options/chains.*expiration={nearest}"}[vendor]


@pytest.fixture(scope="module")
def bench(
    config: Config, market_calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultFixture]:
    market = SyntheticMarket(
        build_source(config, market_calendar), frozenset({"AAPL", *MANY}), config.data.synthetic.as_of
    )
    with serving(cboe(market), tradier(market, TOKEN)) as replay:
        yield FaultFixture(replay, config, market, tmp_path_factory.mktemp("caches"))


@pytest.fixture(autouse=True)
def _well(bench: FaultFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADIER_TOKEN", TOKEN)
    bench.replay.clear_faults()
    bench.replay.clear_requests()


@pytest.fixture(scope="module")
def healthy(bench: FaultFixture) -> dict[str, pl.DataFrame]:
    """What each vendor answers when nothing is wrong."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TRADIER_TOKEN", TOKEN)
        found = {vendor: bench.gateway().ask(vendor, "chains", "AAPL").rows for vendor in ("cboe", "tradier")}
    assert all(rows.height > 100 for rows in found.values())
    return found


@pytest.mark.parametrize(
    ("vendor", "case"),
    [pytest.param(vendor, case, id=f"{vendor}: {case.name}") for case in CASES for vendor in case.vendors],
)
def test_what_comes_of_a_fault(
    bench: FaultFixture, healthy: dict[str, pl.DataFrame], vendor: str, case: FaultCase
) -> None:
    target = bench.target(vendor)
    bench.replay.inject_fault(target, case.fault, case.times)
    gateway = bench.gateway(timeout_s=case.timeout_s)
    began = time.monotonic()
    had = gateway.ask(vendor, "chains", "AAPL")
    assert time.monotonic() - began < 4 * IMPATIENT_S + 5.0
    assert sum(re.search(target, ask.target) is not None for ask in bench.replay.asked()) == case.tries
    assert had.traffic.requests == len(bench.replay.asked())
    assert had.traffic.retries == case.tries - 1
    assert gateway.time.seconds() >= case.waits_s
    if case.failed:
        _failed(had, case)
        return
    assert had.result.failure is None
    well = healthy[vendor]
    assert had.rows.height == well.height if case.outcome == SAME else had.rows.height <= well.height
    if case.outcome == SAME:
        assert_frame_equal(had.rows, well, check_exact=True)
    elif case.outcome == OTHER:
        assert had.rows.height > 0
        assert not had.rows.equals(well)
    else:
        assert had.rows.is_empty()
        assert had.traffic.dropped_after_as_of in (0, well.height)


def _failed(had: FetchedRows, case: FaultCase) -> None:
    failure = had.result.failure
    assert failure is not None
    assert (failure.symbol, failure.stage, failure.error) == ("AAPL", "fetch.chains", case.outcome)
    assert case.message in failure.message
    assert TOKEN not in failure.message
    assert had.rows.is_empty()
    assert had.traffic.failures == 1


def test_the_page_says_what_the_cases_say() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run PYTHONPATH=. python docs/make_faults.py"


@pytest.mark.parametrize(("vendor", "tries"), [("cboe", 1), ("tradier", 1)])
def test_an_unknown_symbol_is_not_asked_for_again(bench: FaultFixture, vendor: str, tries: int) -> None:
    had = bench.gateway().ask(vendor, "chains", "NOBODY")
    assert had.result.failure is not None
    assert had.result.failure.error == "NoDataError"
    assert len(bench.replay.asked()) == tries


def test_quotes_of_tomorrow_are_counted(bench: FaultFixture, healthy: dict[str, pl.DataFrame]) -> None:
    bench.replay.inject_fault("AAPL", faults.of_tomorrow())
    assert bench.gateway().ask("cboe", "chains", "AAPL").traffic.dropped_after_as_of == healthy["cboe"].height


def test_nobody_listens(bench: FaultFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        gateway = bench.gateway(f"http://127.0.0.1:{taken.getsockname()[1]}")
        had = gateway.ask("cboe", "chains", "AAPL")
    assert had.result.failure is not None
    assert had.result.failure.error == "ConnectError"
    assert had.traffic.requests == 4


def test_a_vendor_that_is_down_is_soon_left_alone(bench: FaultFixture) -> None:
    """Two dozen symbols, not two dozen times four requests; each symbol fails by name."""
    bench.replay.inject_fault("options/", faults.status(503))
    gateway = bench.gateway()
    began = time.monotonic()
    results = gateway.fetch_all("cboe", "chains", MANY)
    assert time.monotonic() - began < 5.0
    limit = bench.config.gateway.breaker_failures
    together = bench.config.providers.cboe.max_in_flight
    assert 4 * limit <= len(bench.replay.asked()) <= 4 * (limit + together)
    failures = [result.failure for result in results]
    assert [failure.symbol for failure in failures if failure] == MANY
    last = failures[-1]
    assert last is not None
    assert "cboe is taken to be down, not asked: 5 requests in a row were given up" in last.message
    assert "503" in last.message


def test_a_vendor_that_is_back_is_asked_again(bench: FaultFixture) -> None:
    bench.replay.inject_fault("options/", faults.status(503))
    gateway = bench.gateway()
    gateway.fetch_all("cboe", "chains", MANY)
    bench.replay.clear_faults()
    gateway.time.sleep(bench.config.gateway.breaker_reset_s + 1)
    results = gateway.fetch_all("cboe", "chains", ["AAPL", MANY[0]])
    assert sorted(result.failure is None for result in results) in ([False, True], [True, True])
    assert all(result.failure is None for result in gateway.fetch_all("cboe", "chains", MANY))


def test_of_hung_symbols_the_rest_does_not_wait(bench: FaultFixture) -> None:
    """Three of two dozen never answer: they fail by name, the others come, in bounded time."""
    for symbol in MANY[:3]:
        bench.replay.inject_fault(rf"options/{symbol}\.json", faults.hung())
    began = time.monotonic()
    results = bench.gateway(timeout_s=IMPATIENT_S).fetch_all("cboe", "chains", MANY)
    assert time.monotonic() - began < 4 * IMPATIENT_S * 3 + 5.0
    assert [result.request.symbol for result in results if result.failure] == MANY[:3]
