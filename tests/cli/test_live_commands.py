"""``scan`` on a vendor and ``data fetch``: what is asked, stored, told and left to go on from."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.api import live
from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config, as_of_text
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.run_schemas import RunReceipt
from gnosis_ray.vendors.gateway import FetchProgress, Gateway
from tests.cli.conftest import Call
from tests.support.clocks import SimulatedTime
from tests.support.replay import ReplayServer, SyntheticMarket, faults, serving
from tests.support.replay.cboe import cboe
from tests.support.scans import assert_same, tables

SCAN = ("scan", "--provider", "cboe", "--granularity", "inline")
FETCH = ("data", "fetch", "--provider", "cboe")
FEW = ("--symbols", "AAPL,MSFT")


@pytest.fixture(scope="module")
def replay(config: Config, market_calendar: SessionCalendar) -> Iterator[ReplayServer]:
    """A vendor that knows two stocks and the index; its present is the synthetic market's."""
    known = frozenset({"AAPL", "MSFT", "SPX"})
    market = SyntheticMarket(build_source(config, market_calendar), known, config.data.synthetic.as_of)
    with serving(cboe(market)) as served:
        yield served


@pytest.fixture(autouse=True)
def _at_the_vendor(replay: ReplayServer, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of an hour after the close, the vendor is the server, and it may be asked fast."""
    replay.clear_faults()
    replay.clear_requests()
    after_close = SimulatedTime(config.data.synthetic.as_of + timedelta(minutes=15))
    monkeypatch.setattr(live, "TIME", after_close)
    for key, value in {
        "PROVIDERS__CBOE__BASE_URL": replay.url,
        "PROVIDERS__CBOE__REQUESTS_PER_MINUTE": "60000",
        "GATEWAY__BACKOFF_S": "0.01",
    }.items():
        monkeypatch.setenv(f"GNOSIS_RAY__{key}", value)


def receipt() -> RunReceipt:
    return LedgerStore("ledger").receipt("latest")


def test_a_scan_on_a_vendor_is_the_scan_on_what_was_stored_from_it(call: Call, replay: ReplayServer) -> None:
    done = call(*SCAN, *FEW)
    assert done.code == 0
    assert "new to the store" in done.err
    assert replay.repeated() == {}
    run = receipt()
    assert (run.provider, run.synthetic, run.snapshots, run.failures) == ("cboe", False, 2, ())
    assert run.as_of.microsecond == 0
    (traffic,) = run.traffic
    assert traffic.requests == len(replay.asked())
    assert (traffic.rows > 100, traffic.retries, traffic.failures) == (True, 0, traffic.requests - 3)
    assert "cboe: " in call("runs", "show", "--verbose").err
    replay.clear_requests()
    again = call("scan", "--provider", "store", "--as-of", as_of_text(run.as_of), *FEW, *SCAN[3:], "--out", "replayed")
    assert again.code == 0
    assert replay.asked() == []
    assert_same(tables(Path("ledger")), tables(Path("replayed")))
    assert LedgerStore("replayed").receipt("latest").traffic == ()


def test_what_could_not_be_fetched_is_named_and_the_rest_goes_on(call: Call, replay: ReplayServer) -> None:
    done = call(*SCAN, "--symbols", "AAPL,NOPE")
    assert done.code == 3
    run = receipt()
    assert run.snapshots == 1
    assert {(f.symbol, f.stage) for f in run.failures} == {("NOPE", "fetch.chains"), ("NOPE", "load")}
    assert "1 failed, 1 answer not available from vendors" in done.err
    shown = json.loads(call("runs", "show", "--what", "failures", "--format", "json").out)
    assert {row["stage"] for row in shown} == {"fetch.chains", "load"}


def test_a_vendor_that_fails_leaves_symbols_to_what_the_store_knows(
    call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(*FETCH, *FEW).code == 0
    replay.inject_fault(r"AAPL\.json", faults.status(503))
    monkeypatch.setenv("GNOSIS_RAY__GATEWAY__REUSE_S", "0")
    done = call(*SCAN, *FEW)
    assert done.code == 3
    run = receipt()
    assert run.snapshots == 2
    assert [(f.symbol, f.stage, f.error) for f in run.failures] == [("AAPL", "fetch.chains", "HTTP 503")]
    assert run.traffic[0].retries == 3


def test_a_vendor_that_is_not_there_ends_soon(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__BASE_URL", f"http://127.0.0.1:{port}")
    began = time.perf_counter()
    done = call(*SCAN, *FEW)
    assert time.perf_counter() - began < 15.0
    assert done.code == 3
    stages = {(f.symbol, f.stage) for f in receipt().failures}
    assert {("AAPL", "fetch.chains"), ("AAPL", "load"), ("MSFT", "fetch.chains"), ("MSFT", "load")} <= stages
    assert receipt().traffic[0].breaker_openings >= 1
    assert call(*FETCH, *FEW).code == 4


def test_young_answers_are_not_asked_for_again(call: Call, replay: ReplayServer) -> None:
    assert call(*SCAN, *FEW).code == 0
    replay.clear_requests()
    again = call(*SCAN, *FEW)
    assert again.code == 0
    assert not [ask for ask in replay.asked() if "AAPL" in ask.target or "MSFT" in ask.target]
    assert "0 rows new to the store" in again.err
    assert receipt().traffic[0].reused == 3


@pytest.mark.parametrize("what", [("scan",), ("data", "fetch")])
def test_an_interrupted_fetch_goes_on_where_it_stopped(
    call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch, what: tuple[str, ...]
) -> None:
    fetch_all = Gateway.fetch_all

    def interrupted(self: Gateway, requests, on_done, fresh_since=None):  # type: ignore[no-untyped-def]  # as it is
        def stop(progress: FetchProgress) -> None:
            on_done(progress)
            if progress.last is not None and progress.last.request.symbol == "AAPL":
                raise KeyboardInterrupt

        return fetch_all(self, requests, stop, fresh_since)

    command = (*what, "--provider", "cboe", *FEW, *(("--granularity", "inline") if what == ("scan",) else ()))
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "fetch_all", interrupted)
        cut = call(*command)
    assert cut.code == 130
    assert "the same command continues from there" in cut.err
    assert not Path("ledger").exists()
    asked = sum("AAPL" in ask.target for ask in replay.asked())
    assert asked == 1
    assert call(*command).code == 0
    assert sum("AAPL" in ask.target for ask in replay.asked()) == 1


def test_a_resumed_run_asks_nobody_and_remembers_what_failed(
    call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gnosis_ray.api.run_flow.execute_run", cut_off)
        assert call(*SCAN, "--symbols", "AAPL,NOPE").code == 130
    (manifest, _), *_ = LedgerStore("ledger").unsealed()
    replay.clear_requests()
    done = call("scan", "--resume", manifest.run_id, "--granularity", "inline")
    assert done.code == 3
    assert replay.asked() == []
    run = receipt()
    assert (run.provider, run.as_of, run.traffic) == ("cboe", manifest.as_of, manifest.traffic)
    assert ("NOPE", "fetch.chains") in {(f.symbol, f.stage) for f in run.failures}


def test_the_past_is_not_asked_of_a_vendor(call: Call, replay: ReplayServer) -> None:
    refused = call(*SCAN, *FEW, "--as-of", "2026-07-09T20:00:00Z")
    assert refused.code == 2
    assert "--provider store --as-of" in refused.err
    assert replay.asked() == []


def test_a_dry_run_says_what_would_be_asked(call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__PROVIDERS__CBOE__REQUESTS_PER_MINUTE", "60")
    done = call(*SCAN, *FEW, "--dry-run", "--format", "json")
    assert done.code == 0
    rows = {row["what"]: row["plan"] for row in json.loads(done.out)}
    assert rows["requests to cboe"].startswith("about 16 for 16 answers: ")
    assert "11 seconds at its rate" in rows["requests to cboe"]
    assert replay.asked() == []


def test_a_vendors_kinds_can_come_from_several(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOSIS_RAY__DATA__KINDS", '{"chains": "cboe", "news": "store"}')
    done = call("scan", "--provider", "store", "--granularity", "inline", *FEW)
    assert done.code == 0
    assert receipt().provider == "chains:cboe"
    then = call("scan", "--provider", "store", "--as-of", as_of_text(receipt().as_of), *SCAN[3:], *FEW, "--out", "then")
    assert then.code == 0
    assert LedgerStore("then").receipt("latest").provider == "store"
    assert_same(tables(Path("ledger")), tables(Path("then")))
    monkeypatch.setenv("GNOSIS_RAY__DATA__KINDS", '{"news": "cboe"}')
    refused = call(*SCAN, *FEW)
    assert (refused.code, "cboe does not give news" in refused.err) == (2, True)
    monkeypatch.setenv("GNOSIS_RAY__DATA__KINDS", '{"chains": "cbeo"}')
    refused = call(*SCAN, *FEW)
    assert (refused.code, "Nearest: 'cboe'" in refused.err) == (2, True)


def test_a_missing_key_is_told_before_anything_is_asked(
    call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADIER_TOKEN", raising=False)
    monkeypatch.delenv("TRADIER_API_KEY", raising=False)
    refused = call("scan", "--provider", "tradier", "--granularity", "inline", *FEW)
    assert (refused.code, "TRADIER_TOKEN" in refused.err) == (2, True)
    assert not Path("ledger").exists()


def test_data_fetch_fills_a_store_and_asks_only_for_what_the_session_lacks(call: Call, replay: ReplayServer) -> None:
    done = call(*FETCH, *FEW, "--format", "json")
    assert done.code == 0
    (row,) = json.loads(done.out)
    assert (row["kind"], row["vendor"], row["symbols"], row["fetched"], row["cached"]) == ("chains", "cboe", 16, 3, 0)
    assert row["new_rows"] > 100
    replay.clear_requests()
    again = call(*FETCH, "--symbols", "AAPL,MSFT,NOPE", "--format", "json")
    assert again.code == 3
    (row,) = json.loads(again.out)
    assert (row["cached"], row["new_rows"]) == (3, 0)
    assert "3 answers of this session already cached: --again fetches them again" in again.err
    assert "failed NOPE at fetch.chains" in again.err
    replay.clear_requests()
    anew = call(*FETCH, *FEW, "--again", "--format", "json")
    (row,) = json.loads(anew.out)
    assert (row["fetched"], row["cached"], row["new_rows"]) == (3, 0, 0)  # the vendor says what it said
    listed = pl.DataFrame(json.loads(call("data", "list", "--format", "json").out))
    assert listed.filter(kind="chains")["symbols"].item() == 3


def test_what_was_fetched_right_after_the_close_is_asked_for_again(
    call: Call, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delayed quotes were not the last ones then, and the day's bar was not whole."""
    cached = []
    for minutes in (5, 10, 15, 300):
        monkeypatch.setattr(live, "TIME", SimulatedTime(config.data.synthetic.as_of + timedelta(minutes=minutes)))
        (row,) = json.loads(call(*FETCH, *FEW, "--format", "json").out)
        cached.append(row["cached"])
    assert cached == [0, 3, 0, 3]


def test_kinds_that_are_asked_for_by_name_are_the_only_ones_fetched(
    call: Call, replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOSIS_RAY__DATA__KINDS", '{"chains": "cboe", "bars": "tradier"}')
    done = call(*FETCH, *FEW, "--kinds", "chains", "--format", "json")
    assert (done.code, [row["kind"] for row in json.loads(done.out)]) == (0, ["chains"])
    refused = call("data", "fetch", "--provider", "store", *FEW, "--kinds", "news")
    assert (refused.code, "Expected a vendor" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Expected a vendor"),
        (("--provider", "store"), "Expected a vendor"),
        (("--provider", "cbeo"), "Nearest: 'cboe'"),
        (("--provider", "cboe", "--kinds", "news"), "cboe gives none of news"),
        (("--provider", "cboe", "--kinds", "chians"), "data.fetch"),
        (("--provider", "cboe", "--universe", "sp500", "--symbols", "A"), "was both"),
    ],
)
def test_a_fetch_that_cannot_be_meant_is_refused(
    call: Call, replay: ReplayServer, arguments: tuple[str, ...], told: str
) -> None:
    refused = call("data", "fetch", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err
    assert replay.asked() == []
