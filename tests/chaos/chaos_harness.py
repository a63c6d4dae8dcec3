"""Real scans of a small synthetic universe with faults, and what their ledgers must be."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polars.testing import assert_frame_equal

from actors.fanout import RayFanout
from cluster.session import Session
from cluster.topology import HostPlan
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.scan import ScanJob
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import GnosisError
from gnosis_ray.fanout import Fanout, FanoutReport, InlineFanout, Job, OnReceipt
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.runs.life import execute_run
from gnosis_ray.schemas.run_schemas import Batch, BatchReceipt, RunManifest, RunReceipt
from tests.chaos.faults import FaultyJob, SymbolFault
from tests.support.scans import manifest_of, part_bytes, tables, unbatched

STARTED = datetime(2026, 7, 13, tzinfo=UTC)
PLANS = {
    "shard": HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests"),
    "symbol": HostPlan("symbol", 1, 1, 100, "for tests", symbols_at_once=4, parts=1, part_memory_mb=50),
    "component": HostPlan("component", 1, 1, 100, "for tests", symbols_at_once=1, parts=10, part_memory_mb=50),
}
ACTORS = {
    "host": r"Worker\.",
    "coordinator": r"Coordinator\.",
    "component": r"Component\.",
    "gateway": "(gateway|GatewayHost)",
}
"""How the titles begin of the actors that can be killed; all but the gateway are at work then."""
STOPPED = "stopped "
"""Before the kind of a process that is stopped for a time (SIGSTOP), not killed."""


@dataclass(frozen=True)
class FaultPlan:
    """The faults of a run: by symbol, a full disk, and kills from outside, each a kind and seconds to wait."""

    symbol_faults: Mapping[str, SymbolFault] = field(default_factory=dict)
    once: bool = False
    full_disk: bool = False
    kills: Sequence[tuple[str, float]] = ()
    seconds: float = 0.0
    stop_s: float = 60.0
    """How long a process is stopped whose kind begins with :data:`STOPPED`."""

    @property
    def failing_symbols(self) -> set[str]:
        """Symbols that can never be computed."""
        return set() if self.once else set(self.symbol_faults)


@dataclass(frozen=True)
class FaultRun:
    """The outcome of a run with faults. ``killed``: kinds of processes that were found and killed."""

    receipt: RunReceipt | None
    report: FanoutReport | None
    error: GnosisError | None
    killed: tuple[str, ...]
    ledger: Path


class ChaosHarness:
    """A market, its undisturbed ledgers, and the settings that make faults show quickly."""

    def __init__(self, **run: float) -> None:
        config = load_config().config
        quick = {"max_attempts": 2, "batch_timeout_s": 20.0, "symbol_timeout_s": 10.0, **run}
        self.config: Config = config.replaced(run=quick)
        self.as_of = self.config.data.synthetic.as_of
        self.calendar = build_calendar(self.config, self.as_of)
        self._undisturbed: dict[str, Path] = {}

    def manifest(self, symbols: Sequence[str], batch_size: int) -> RunManifest:
        """A run over some symbols."""
        made = manifest_of(self.config, self.calendar, list(symbols), self.as_of)
        return made.model_copy(update={"batch_size": batch_size})

    def undisturbed(self, manifest: RunManifest) -> Path:
        """The ledger of an undisturbed run in this process."""
        key = manifest.model_dump_json()
        if key not in self._undisturbed:
            root = Path(tempfile.mkdtemp(prefix="undisturbed-"))
            self.scan(root, manifest, FaultPlan(), InlineFanout(1))
            self._undisturbed[key] = root
        return self._undisturbed[key]

    def scan(self, root: Path, manifest: RunManifest, plan: FaultPlan, fanout: Fanout) -> RunReceipt:
        """Start or resume a scan with faults."""
        writer = LedgerStore(root, feature_specs(self.config)).begin(manifest)
        job = ScanJob(self.config, self.calendar, writer)
        over = _Substitute(fanout, lambda: self._faulty(job, plan))
        return execute_run(job, manifest, writer, over, lambda: STARTED, _nothing, STARTED, {})

    def run(
        self, session: Session, granularity: str, manifest: RunManifest, plan: FaultPlan, ledger: Path | None = None
    ) -> FaultRun:
        """A scan over Ray with faults, into a new ledger, or resuming the one in ``ledger``."""
        root = ledger or Path(tempfile.mkdtemp(prefix="faulted-"))
        fanout = _Reporting(RayFanout(session, PLANS[granularity], self.config.run))
        killers = [ProcessKiller(kind, seconds, plan.stop_s) for kind, seconds in plan.kills]
        for killer in killers:
            killer.start()
        receipt: RunReceipt | None = None
        error: GnosisError | None = None
        try:
            receipt = self.scan(root, manifest, plan, fanout)
        except GnosisError as raised:
            error = raised
        finally:
            for killer in killers:
                killer.stop()
        killed = tuple(killer.kind for killer in killers if killer.killed)
        return FaultRun(receipt, fanout.report, error, killed, root)

    def differences(self, root: Path, manifest: RunManifest, failing_symbols: set[str]) -> list[str]:
        """How a ledger differs from the undisturbed one: failing symbols must be failures, all else equal bits."""
        undisturbed = self.undisturbed(manifest)
        if not failing_symbols:
            ours, theirs = part_bytes(root), part_bytes(undisturbed)
            return [path for path in sorted(ours | theirs) if ours.get(path) != theirs.get(path)]
        found = []
        ours_tables, their_tables = unbatched(tables(root)), unbatched(tables(undisturbed))
        for name, frame in their_tables.items():
            mine = ours_tables[name]
            if name == "failures":
                if set(mine["symbol"]) != failing_symbols or mine.height != len(failing_symbols):
                    found.append(name)
                continue
            try:
                wanted = frame.filter(~frame["symbol"].is_in(sorted(failing_symbols)))
                assert_frame_equal(mine, wanted, check_exact=True)
            except AssertionError:
                found.append(name)
        return found

    @staticmethod
    def _faulty(job: ScanJob, plan: FaultPlan) -> FaultyJob:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        return FaultyJob(job, folder, dict(plan.symbol_faults), plan.once, plan.full_disk, plan.seconds)


@dataclass
class _Substitute:
    """A fan-out that works another job than it is given."""

    fanout: Fanout
    make: Any

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        return self.fanout.run(self.make(), batches, on_receipt)


@dataclass
class _Reporting:
    """A fan-out that keeps its report."""

    fanout: Fanout
    report: FanoutReport | None = None

    def run(self, job: Job, batches: Sequence[Batch], on_receipt: OnReceipt) -> FanoutReport:
        self.report = self.fanout.run(job, batches, on_receipt)
        return self.report


class ProcessKiller(threading.Thread):
    """Kills one process of a kind among this process's own descendants, ``seconds`` after one is at work.

    One that is to be stopped instead goes on after ``stop_s`` seconds, unless it was ended for being silent.
    """

    def __init__(self, kind: str, seconds: float, stop_s: float = 60.0) -> None:
        super().__init__(daemon=True)
        self.kind = kind
        self.killed = False
        self._stops = kind.startswith(STOPPED)
        self._stop_s = stop_s
        self._seconds = seconds
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            if self._found():
                if self._over.wait(self._seconds):
                    return
                for pid in self._found()[:1]:
                    os.kill(pid, signal.SIGSTOP if self._stops else signal.SIGKILL)
                    self.killed = True
                    if self._stops:
                        self._over.wait(self._stop_s)
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGCONT)
                    return

    def stop(self) -> None:
        """The run is over."""
        self._over.set()
        self.join()

    def _found(self) -> list[int]:
        at_work = re.compile(rf"ray::(\S+:)?{ACTORS[self.kind.removeprefix(STOPPED)]}")
        return [pid for pid in descendants(os.getpid()) if at_work.match(title_of(pid))]


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started; ascending."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found, new = set[int](), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return sorted(found)


def title_of(pid: int) -> str:
    """The title of a process, as ``ray::AAPL/hedge:Component.call``; empty where it is gone."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
    return ""


def _nothing(_receipt: BatchReceipt) -> None:
    """Ignore a receipt."""
