"""Runs over a Ray of its own, with its metrics agent, and prints what the metrics port serves.

Started by test_metrics.py in a process of its own.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import ray
from ray import cloudpickle

from actors.fanout import RayFanout
from cluster.session import Session, connect
from cluster.topology import HostPlan
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import load_config
from gnosis_ray.schemas.run_schemas import RunReceipt
from tests.actors import fake_job
from tests.support.scans import manifest_of, nothing, work

SYMBOLS = ["AAPL", "CVX", "JPM", "KO", "MSFT", "XOM"]
BATCHES = 3
PLAN = HostPlan("shard", hosts=1, window=2, memory_mb=300, note="for tests")
TIMEOUT_S = 30.0
SAMPLE = re.compile(r"^ray_(gnosis_\w+)\{(.*)\} (\S+)$", re.MULTILINE)
TAG = re.compile(r'(?:^|,)(?:reason|stage|table)="([^"]*)"')

Sums = dict[str, float]


def figures(port: int) -> Sums:
    """What is ours, summed over series that differ in other tags than stage, reason and table."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        text = page.read().decode()
    sums: Sums = {}
    for name, tags, value in SAMPLE.findall(text):
        if name.endswith("_bucket") and 'le="+Inf"' not in tags:
            continue
        key = " ".join([name, *sorted(TAG.findall(tags))])
        sums[key] = sums.get(key, 0.0) + float(value)
    return sums


def figures_with(port: int, name: str) -> Sums:
    """The same, once ``name`` is among them: Ray exports every few seconds."""
    until = time.monotonic() + TIMEOUT_S
    while name not in (sums := figures(port)) and time.monotonic() < until:
        time.sleep(0.2)
    return sums


def listening(port: int) -> list[str]:
    """The addresses, as the kernel writes them, on which a port is open."""
    tables = [Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    places = [row[1].split(":") for row in rows if row[3] == "0A"]
    return [address for address, number in places if int(number, 16) == port]


def log_lines() -> list[dict[str, Any]]:
    """The log lines of our processes on this Ray."""
    node: Any = ray._private.worker._global_node
    paths = sorted(Path(node.get_session_dir_path(), "logs").glob("worker-*.err"))
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def scan(session: Session, folder: Path) -> RunReceipt:
    """Six symbols in three batches."""
    config = load_config().config
    config = config.replaced(run={"batch_size": 2})
    calendar = build_calendar(config, config.data.synthetic.as_of)
    manifest = manifest_of(config, calendar, SYMBOLS, config.data.synthetic.as_of)
    return work(folder, config, calendar, manifest, RayFanout(session, PLAN, config.run, manifest.run_id))


def lose_a_host(session: Session, folder: Path) -> None:
    """A run in which a symbol takes its host with it, once."""
    job = fake_job.FakeJob(folder, dying=frozenset({"S1A"}), once=frozenset({"S1A"}))
    RayFanout(session, PLAN, load_config().config.run, "with_loss").run(job, fake_job.batches(BATCHES), nothing)


def main(folder: str) -> None:
    """Print the figures after a scan, those after a run with a loss, and what was logged, as one JSON object."""
    cloudpickle.register_pickle_by_value(fake_job)  # type: ignore[no-untyped-call]
    with connect(None, 2) as session:
        port = ray.nodes()[0]["MetricsExportPort"]  # type: ignore[no-untyped-call]
        receipt = scan(session, Path(folder) / "ledger")
        healthy = figures_with(port, "gnosis_symbols_done_total")
        fake = Path(folder) / "fake"
        fake.mkdir()
        lose_a_host(session, fake)
        outcome = {
            "receipt": receipt.model_dump(mode="json"),
            "healthy": healthy,
            "with_loss": figures_with(port, "gnosis_hosts_lost_total"),
            "listening": listening(port),
            "lines": log_lines(),
        }
    json.dump(outcome, sys.stdout)
