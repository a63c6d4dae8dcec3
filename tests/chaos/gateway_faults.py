"""Live scans over an open Ray whose gateway is killed: a scan of what they stored decides the same."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import polars as pl
from ray import cloudpickle

from gnosis_ray.app.sources import build_calendar, build_source
from gnosis_ray.cli.main import run
from gnosis_ray.config import as_of_text, load_config
from gnosis_ray.ledger.ledger_store import LedgerStore
from tests.chaos.chaos_harness import ProcessKiller
from tests.support import clocks
from tests.support.clocks import ShiftedTime
from tests.support.replay import ReplayServer, SyntheticMarket, serving
from tests.support.replay.cboe import cboe
from tests.support.scans import assert_same, tables

SYMBOLS = ("AAPL", "JPM", "MSFT", "XOM")


@dataclass(frozen=True)
class GatewayOutcome:
    """``killed``: whether the gateway was, after ``asked`` requests. ``requests``: in the receipt; ``made``: really."""

    killed: bool
    asked: int
    code: int
    requests: int
    made: int
    equal: bool

    @property
    def right(self) -> bool:
        """The ledger is right, and at most what the last poll did not see is missing of the traffic."""
        return self.code == 0 and self.equal and self.made - SYMBOLS_AT_ONCE <= self.requests <= self.made


SYMBOLS_AT_ONCE = 4
"""Requests to a vendor that may be on their way at once."""


def run_gateway_fault(asked: int) -> GatewayOutcome:
    """A live scan over the Ray that is open, whose gateway is killed once the vendor was asked ``asked`` times."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-"))
    config = load_config().config
    now = config.data.synthetic.as_of
    market = SyntheticMarket(build_source(config, build_calendar(config, now)), frozenset(SYMBOLS), now)
    killer = ProcessKiller("gateway", 0.0)
    with serving(cboe(market)) as replay, _environment(replay.url, folder), _clock(now):
        threading.Thread(target=_kill_after, args=(replay, asked, killer), daemon=True).start()
        both = ["scan", "--symbols", ",".join(SYMBOLS), "--format", "json"]
        code = _quietly([*both, "--provider", "cboe", "--granularity", "shard", "--out", str(folder / "live")])
        killer.stop()
        receipt = LedgerStore(folder / "live").receipt("latest")
        stored = ["--provider", "store", "--granularity", "inline", "--as-of", as_of_text(receipt.as_of)]
        _quietly([*both, *stored, "--out", str(folder / "stored")])
        equal = _same(tables(folder / "live"), tables(folder / "stored"))
        made = len(replay.asked())
    shutil.rmtree(folder)
    return GatewayOutcome(killer.killed, asked, code, receipt.traffic[0].requests, made, equal)


def _kill_after(replay: ReplayServer, asked: int, killer: ProcessKiller) -> None:
    while len(replay.asked()) < asked:
        time.sleep(0.01)
    killer.start()


@contextmanager
def _environment(url: str, folder: Path) -> Iterator[None]:
    vendor = "GNOSIS_RAY__PROVIDERS__CBOE__"
    own = {f"{vendor}BASE_URL": url, f"{vendor}REQUESTS_PER_MINUTE": "240", f"{vendor}BURST": "1"}
    with patch.dict(os.environ, own | {"GNOSIS_RAY_HOME": str(folder / "home")}):
        yield


@contextmanager
def _clock(now: datetime) -> Iterator[None]:
    cloudpickle.register_pickle_by_value(clocks)  # type: ignore[no-untyped-call]
    with patch("gnosis_ray.api.live.TIME", ShiftedTime.starting(now + timedelta(minutes=15))):
        yield
    cloudpickle.unregister_pickle_by_value(clocks)  # type: ignore[no-untyped-call]


def _quietly(arguments: list[str]) -> int:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return run(arguments)


def _same(live: dict[str, pl.DataFrame], stored: dict[str, pl.DataFrame]) -> bool:
    live["failures"] = live["failures"].filter(~pl.col("stage").str.starts_with("fetch."))
    try:
        assert_same(live, stored)
    except AssertionError:
        return False
    return True
