"""The same ledger, bit for bit, wherever and however a scan runs, cut off or not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.fanout import RayFanout
from cluster.session import Session
from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.fanout import Fanout, InlineFanout
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest, RunReceipt
from tests.parity.plans import PLANS, SHARDS
from tests.support.markets import add_events, bars_of, chains_of, over_store, stored
from tests.support.scans import assert_same, manifest_of, part_bytes, tables, work

FEW = [f"SYN{i:02d}" for i in range(24)]


@pytest.fixture(scope="module")
def few(config: Config, market_calendar: SessionCalendar) -> RunManifest:
    """A small universe in twelve batches: hosts do not finish them all before a slow driver stops."""
    return manifest_of(config, market_calendar, FEW, config.data.synthetic.as_of).model_copy(update={"batch_size": 2})


def test_the_number_of_polars_threads_changes_no_bit(tmp_path: Path) -> None:
    code = "import sys; from gnosis_ray.cli.main import run; sys.exit(run(sys.argv[1:]))"
    processes = {}
    for threads in ("1", "2"):
        out = tmp_path / threads
        scan = ["scan", "--symbols", ",".join(FEW), "--granularity", "inline", "--out", str(out)]
        environment = os.environ | {"POLARS_MAX_THREADS": threads, "GNOSIS_RAY_HOME": str(tmp_path)}
        processes[out] = subprocess.Popen(
            [sys.executable, "-c", code, *scan], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    for process in processes.values():
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr.decode()
    one, two = (tables(out) for out in processes)
    assert one["snapshots"].height == len(FEW)
    assert_same(one, two)


class CutOffError(Exception):
    """The run was cut off."""


def cut_off_after(batches: int) -> Callable[[BatchReceipt], None]:
    """Raise at the receipt of so many batches."""
    received = 0

    def receive(_receipt: BatchReceipt) -> None:
        nonlocal received
        received += 1
        if received == batches:
            raise CutOffError

    return receive


@pytest.mark.parametrize(("first", "then"), [("inline", "inline"), ("inline", "shard"), ("shard", "inline")])
def test_a_run_that_was_cut_off_ends_as_one_that_was_not(
    first: str,
    then: str,
    session: Session,
    few: RunManifest,
    config: Config,
    market_calendar: SessionCalendar,
    tmp_path: Path,
) -> None:
    fanouts: dict[str, Callable[[], Fanout]] = {
        "inline": lambda: InlineFanout(config.run.max_attempts),
        "shard": lambda: RayFanout(session, SHARDS, config.run),
    }
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    with pytest.raises(CutOffError):
        work(cut, config, market_calendar, few, fanouts[first](), cut_off_after(2))
    store = LedgerStore(cut)
    assert store.runs() == []
    finished = store.resume(few.run_id).committed()
    assert 2 <= len(finished) < len(few.batches())
    assert store.read("snapshots")["symbol"].is_in(FEW).all()

    received: list[BatchReceipt] = []
    receipt = work(cut, config, market_calendar, store.manifest(few.run_id), fanouts[then](), received.append)
    assert sorted(r.batch for r in received) == sorted(set(range(len(few.batches()))) - set(finished))
    undisturbed = work(whole, config, market_calendar, few)
    assert part_bytes(cut) == part_bytes(whole)
    assert_same(tables(cut), tables(whole))
    how = {"granularity", "hosts", "seconds"}
    assert receipt.model_dump(exclude=how) == undisturbed.model_dump(exclude=how)
    assert store.runs() == [receipt]


def test_a_sealed_run_resumed_does_nothing(
    few: RunManifest, config: Config, market_calendar: SessionCalendar, tmp_path: Path
) -> None:
    first = work(tmp_path, config, market_calendar, few)
    before = part_bytes(tmp_path)
    received: list[BatchReceipt] = []
    again = work(tmp_path, config, market_calendar, few, on_receipt=received.append)
    assert received == []
    assert part_bytes(tmp_path) == before
    assert (again.snapshots, again.ideas) == (first.snapshots, first.ideas)
    assert LedgerStore(tmp_path).runs() == [first]


ODD = ("AAA", "BBB", "LONELY", "MISSING")
"""Two healthy symbols, one without options and one of which nothing is known."""


@pytest.fixture(scope="module")
def odd_store(config: Config, market_calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The settings over a store of the odd symbols."""
    now, source = config.data.synthetic.as_of, build_source(config, market_calendar)
    chains = chains_of(source, ["AAA", "BBB"], [now])
    root = stored(tmp_path_factory.mktemp("odd"), chains, bars_of(source, ["AAA", "BBB", "LONELY"], now))
    return over_store(config, add_events(root, source, ["AAA", "BBB"], now, config.engines))


def odd_scan(
    names: tuple[str, ...], root: Path, store: Config, calendar: SessionCalendar, fanout: Fanout | None = None
) -> RunReceipt:
    manifest = manifest_of(store, calendar, list(names), store.data.synthetic.as_of)
    return work(root, store, calendar, manifest, fanout)


def of_few_parts(config: Config) -> Config:
    """With one engine and its agent: each part is a process that takes seconds to start. The chaos tests have all."""
    engines = config.engines.replaced(enabled=("hedge",))
    agents = config.agents.replaced(enabled=("hedge",))
    return config.replaced(engines=engines, agents=agents)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("granularity", "names"), [("shard", ODD), ("symbol", ODD), ("component", ("LONELY",))])
def test_every_granularity_writes_the_same_ledger_with_its_failures(
    granularity: str,
    names: tuple[str, ...],
    session: Session,
    odd_store: Config,
    market_calendar: SessionCalendar,
    tmp_path: Path,
) -> None:
    here, there = tmp_path / "inline", tmp_path / granularity
    settings = of_few_parts(odd_store) if granularity == "component" else odd_store
    alone = odd_scan(names, here, settings, market_calendar)
    assert [(f.symbol, f.error) for f in alone.failures] == [
        ("MISSING", "NoDataError") for n in names if n == "MISSING"
    ]
    assert alone.degraded["hedge:no_chain"] == ("LONELY",)
    fanout = RayFanout(session, PLANS[granularity], settings.run)
    receipt = odd_scan(names, there, settings, market_calendar, fanout)
    assert part_bytes(there) == part_bytes(here)
    assert_same(tables(there), tables(here))
    how = {"granularity", "hosts", "seconds"}
    assert receipt.model_dump(exclude=how) == alone.model_dump(exclude=how)
    assert receipt.granularity == granularity
