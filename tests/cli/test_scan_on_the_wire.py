"""``gnosis-ray scan --provider cboe`` on Ray, against a server that answers and fails as CBOE does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.source import MarketSource
from tests.cli.conftest import Call
from tests.support.clocks import ShiftedTime
from tests.support.markets import bars_of
from tests.support.replay import ReplayServer, SyntheticMarket, faults, most_within, serving
from tests.support.replay.cboe import cboe
from tests.support.scans import tables

SYMBOLS = [f"SYN{i:02d}" for i in range(12)]
FAULTS = {
    "SYN00": faults.status(500),
    "SYN02": faults.hung(),
    "SYN03": faults.web_page(),
    "SYN04": faults.no_options(),
    "SYN06": faults.new_field(),
    "SYN07": faults.halted(),
}
FAILED = {"SYN00": "HTTP 500", "SYN02": "ReadTimeout", "SYN03": "SchemaError", "SYN05": "NoDataError"}
TRIES = {"SYN00": 4, "SYN01": 2, "SYN02": 4}
"""Where it is not one."""
RATE_PER_MINUTE, BURST = 1200.0, 3
PROFILE = f"""
providers: {{cboe: {{base_url: "URL", requests_per_minute: {RATE_PER_MINUTE}, burst: {BURST}, timeout_s: 0.5}}}}
gateway: {{backoff_s: 0.05, max_backoff_s: 0.1}}
run: {{batch_size: 4}}
"""
SAME = ("snapshots", "suggestions", "trade_ideas", "details")
"""What a run decided; its failures tell of the wire as well."""


@pytest.fixture
def source(config: Config, market_calendar: SessionCalendar) -> MarketSource:
    return build_source(config, market_calendar)


@pytest.fixture
def replay(source: MarketSource, config: Config) -> Iterator[ReplayServer]:
    known = frozenset(SYMBOLS) - {"SYN05"}
    with serving(cboe(SyntheticMarket(source, known, config.data.synthetic.as_of))) as started:
        started.inject_fault(r"options/SYN01\.json", faults.too_many(0.05), 1)
        for symbol, fault in FAULTS.items():
            started.inject_fault(rf"options/{symbol}\.json", fault)
        yield started


@pytest.fixture
def evening(config: Config, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Half an hour after the market's present: it is then, for whoever asks."""
    moment = config.data.synthetic.as_of + timedelta(minutes=30)
    clock = ShiftedTime.starting(moment)
    monkeypatch.setattr("gnosis_ray.api.live.TIME", clock)
    return moment


@pytest.mark.usefixtures("session")
def test_a_scan_over_the_wire_is_the_scan_of_what_was_stored(
    call: Call, source: MarketSource, replay: ReplayServer, evening: datetime, tmp_path: Path
) -> None:
    StoreWriter(tmp_path / "market").append("bars", bars_of(source, SYMBOLS, evening))
    (tmp_path / "wire.yaml").write_text(PROFILE.replace("URL", replay.url))
    scan = ("--profile", "wire.yaml", "scan", "--symbols", ",".join(SYMBOLS), "--data-dir", tmp_path / "market")
    live = call(*scan, "--provider", "cboe", "--granularity", "shard", "--out", "live")
    assert live.code == 3, live.err

    asked = replay.asked()
    tries = Counter(ask.path.removeprefix("/api/global/delayed_quotes/options/").removesuffix(".json") for ask in asked)
    own = {symbol: tries.pop(symbol) for symbol in SYMBOLS}
    assert own == dict.fromkeys(SYMBOLS, 1) | TRIES
    assert set(tries.values()) <= {1}, "what engines read beside"
    for seconds in (0.1, 0.25, 0.5, 1.0):
        assert most_within(asked, seconds) <= BURST + 1 + seconds * RATE_PER_MINUTE / 60

    receipt = LedgerStore("live").runs()[-1]
    failures = {failure.symbol: (failure.stage, failure.error) for failure in receipt.failures}
    assert failures == {symbol: ("fetch.chains", error) for symbol, error in FAILED.items()}
    assert receipt.snapshots == len(SYMBOLS)
    assert set(receipt.degraded["hedge:no_chain"]) == {*FAILED, "SYN04"}
    assert evening < receipt.as_of < evening + timedelta(minutes=1)

    replay.clear_requests()
    again = call(
        *scan, "--provider", "store", "--as-of", receipt.as_of.isoformat(), "--granularity", "inline", "--out", "stored"
    )
    assert again.code == 0, again.err
    assert replay.asked() == []
    there, here = tables(tmp_path / "live"), tables(tmp_path / "stored")
    for name in SAME:
        assert_frame_equal(there[name], here[name], check_exact=True)
    assert there["trade_ideas"].height > 0
