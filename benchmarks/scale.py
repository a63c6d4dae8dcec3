"""How a scan grows with hosts, nodes and symbols, on the SYNTHETIC market: ``python -m benchmarks.scale [PART ...]``.

Every figure is of a pass over a universe by shard hosts of one Polars thread, from the first receipt to the last, so
that starting processes is left out. Takes a quarter of an hour on two cores.
"""

from __future__ import annotations

import math
import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from ray.cluster_utils import Cluster
from rich.console import Console
from rich.table import Table

from actors.fanout import RayFanout
from benchmarks.processes import DRIVER, Spending, watched
from benchmarks.report import WIDTH, talk
from cluster.session import Session, connect
from cluster.topology import HostPlan
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.jobs.scan import ScanJob
from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.schemas.run_schemas import BatchReceipt, RunManifest

HOST_SYMBOLS = 1000
NODE_SYMBOLS = 2000
NODES = (1, 2, 4)
NODE_HOSTS = 4
UNIVERSES = (500, 2000, 8000)
ROUNDS = 3
COORDINATOR, HOST = "Coordinator", "Worker"
"""The classes of their actors."""


@dataclass(frozen=True)
class Pass:
    """One pass. ``elapsed``: seconds from the first receipt to the last, scaled to all batches."""

    symbols: int
    elapsed: float
    worked: float
    spending: Spending

    @property
    def coordinator_share(self) -> float:
        """Of the core seconds of coordinator and hosts."""
        coordinator = self.spending.core_seconds(COORDINATOR)
        return coordinator / (coordinator + self.spending.core_seconds(HOST))


def one_pass(session: Session, symbols: int, hosts: int) -> Pass:
    """A scan of so many symbols by so many hosts, into a ledger of its own that is thrown away."""
    config = load_config(flags={"run.polars_threads": 1}).config
    plan = HostPlan("shard", hosts, config.run.window_per_host, config.run.host_memory_mb, "benchmark")
    heard: list[float] = []
    worked: list[float] = []

    def note(receipt: BatchReceipt) -> None:
        heard.append(time.perf_counter())
        worked.append(sum(receipt.seconds.values()))

    with tempfile.TemporaryDirectory(prefix="gnosis-ray-scale-") as folder:
        job, manifest = _job(config, symbols, Path(folder))
        batches = manifest.batches()
        with watched() as spending:
            RayFanout(session, plan, config.run).run(job, batches, note)
    # The first batch of each host is still cold, and its start is not seen: what came after it stands for all.
    elapsed = (heard[-1] - heard[hosts - 1]) * len(batches) / (len(batches) - hosts)
    return Pass(symbols, elapsed, sum(worked), spending)


def _job(config: Config, symbols: int, folder: Path) -> tuple[ScanJob, RunManifest]:
    as_of = config.data.synthetic.as_of
    manifest = RunManifest(
        run_id="scale",
        run_date=as_of.date(),
        as_of=as_of,
        provider="synthetic",
        synthetic=True,
        universe=f"{symbols} synthetic symbols",
        symbols=tuple(f"SYN{number:05}" for number in range(symbols)),
        batch_size=config.run.batch_size,
        config_hash=config.decision_hash(),
        config_json=config.model_dump_json(),
        version=version("gnosis-ray"),
    )
    writer = LedgerStore(folder, feature_specs(config)).begin(manifest)
    return ScanJob(config, build_calendar(config, as_of), writer), manifest


def hosts() -> Table:
    """One host against two, alternating: the least of each, since whatever else runs only adds."""
    taken: dict[int, list[Pass]] = {1: [], 2: []}
    with connect(None, 2) as session:
        for _ in range(ROUNDS):
            for count, passes in taken.items():
                passes.append(one_pass(session, HOST_SYMBOLS, count))
    best = {count: min(one.elapsed for one in passes) for count, passes in taken.items()}
    table = _table(f"hosts, {HOST_SYMBOLS} symbols", "hosts", "seconds", "times faster", "cores' seconds in hosts")
    for count, passes in taken.items():
        cores = min(one.spending.core_seconds(HOST) for one in passes)
        table.add_row(str(count), f"{best[count]:.1f}", f"{best[1] / best[count]:.2f}", f"{cores:.1f}")
    return table


def nodes() -> Table:
    """The same hosts on one node, on two and on four of this machine: what nodes cost, not what they bring."""
    table = _table(f"nodes, {NODE_SYMBOLS} symbols, {NODE_HOSTS} hosts", "nodes", "seconds", "against one node")
    logging.getLogger("ray").setLevel(logging.ERROR)
    taken = {count: min(_on_nodes(count) for _ in range(2)) for count in NODES}
    for count, seconds in taken.items():
        table.add_row(str(count), f"{seconds:.1f}", f"{seconds / taken[1]:.2f} x")
    return table


def _on_nodes(count: int) -> float:
    cores = NODE_HOSTS // count
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cores, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(num_cpus=cores)
        with connect(cluster.address, None) as session:
            return one_pass(session, NODE_SYMBOLS, NODE_HOSTS).elapsed
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


def universes() -> Table:
    """Universes that grow: time, memory, and the coordinator's share, by two hosts."""
    with connect(None, 2) as session:
        passes = [one_pass(session, symbols, 2) for symbols in UNIVERSES]
    table = _table(
        "universes, 2 hosts",
        *("symbols", "seconds", "ms a symbol", "slope"),
        *("host MB", "coordinator MB", "driver MB", "coordinator's share"),
    )
    for before, one in zip([None, *passes[:-1]], passes, strict=True):
        slope = math.log(one.elapsed / before.elapsed) / math.log(one.symbols / before.symbols) if before else math.nan
        memory = (f"{one.spending.memory_mb(title):.0f}" for title in (HOST, COORDINATOR, DRIVER))
        table.add_row(
            *(str(one.symbols), f"{one.elapsed:.1f}", f"{1000 * one.elapsed / one.symbols:.1f}"),
            *(f"{slope:.3f}" if before else "", *memory, f"{one.coordinator_share:.1%}"),
        )
    return table


PARTS: dict[str, Callable[[], Table]] = {"hosts": hosts, "nodes": nodes, "universes": universes}


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _measured(wanted: tuple[str, ...]) -> Iterator[Table]:
    for name in wanted or PARTS:
        talk(f"measuring {name} ...")
        yield PARTS[name]()


@click.command(help=__doc__)
@click.argument("part", nargs=-1, type=click.Choice(list(PARTS)))
def main(part: tuple[str, ...]) -> None:
    """Print a table a part."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    for table in _measured(part):
        console.print(table)


if __name__ == "__main__":
    main()
