"""Runs with faults over a Ray of their own, printed as JSON: started by run_in_subprocess.py."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.cluster_utils import Cluster

from actors.fanout import RayFanout
from cluster.session import Session, connect
from cluster.topology import HostPlan
from gnosis_ray.config import load_config
from gnosis_ray.errors import GnosisError
from gnosis_ray.fanout import InlineFanout
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors import fake_job
from tests.chaos import faults
from tests.chaos.chaos_harness import ChaosHarness, FaultPlan
from tests.chaos.random_faults import run_random_faults

FAULT_PLANS: dict[str, tuple[str, FaultPlan]] = {
    "failing symbols": ("shard", FaultPlan({"SYN1": "raises", "SYN3": "exits", "SYN4": "exhausts memory"})),
    "hanging": ("shard", FaultPlan({"SYN2": "hangs"})),
    "host killed": ("shard", FaultPlan(kills=(("host", 0.3),), seconds=0.3)),
    "coordinator killed": ("shard", FaultPlan(kills=(("coordinator", 0.5),), seconds=0.3)),
    "symbols alone": ("symbol", FaultPlan({"SYN1": "killed", "SYN2": "hangs"})),
}
SYMBOLS = tuple(f"SYN{number}" for number in range(6))
BATCH_SIZE = 2
BATCH_COUNT = 6
SAMPLE_SEED = 2810


def run_fault_plan(session: Session, harness: ChaosHarness, name: str) -> dict[str, Any]:
    """The outcome of a scan with faults."""
    granularity, plan = FAULT_PLANS[name]
    manifest = harness.manifest(SYMBOLS, BATCH_SIZE)
    outcome = harness.run(session, granularity, manifest, plan)
    if outcome.receipt is None or outcome.report is None:
        return {"error": str(outcome.error)}
    return {
        "differences": harness.differences(outcome.ledger, manifest, plan.failing_symbols),
        "reasons": {failure.symbol: failure.message for failure in outcome.receipt.failures},
        "killed": outcome.killed,
        "hosts_lost": outcome.report.hosts_lost,
        "coordinators_lost": outcome.report.coordinators_lost,
    }


def component_killed(harness: ChaosHarness, session: Session) -> dict[str, Any]:
    """One symbol by components, one of which is killed."""
    manifest = harness.manifest(SYMBOLS[:1], BATCH_SIZE)
    outcome = harness.run(session, "component", manifest, FaultPlan(kills=(("component", 0.0),), seconds=0.5))
    return {"differences": harness.differences(outcome.ledger, manifest, set()), "killed": outcome.killed}


def full_disk(harness: ChaosHarness, session: Session) -> dict[str, Any]:
    """A scan that cannot write, then, with room again, the same run finished elsewhere."""
    manifest = harness.manifest(SYMBOLS, BATCH_SIZE)
    outcome = harness.run(session, "shard", manifest, FaultPlan(full_disk=True))
    harness.scan(outcome.ledger, manifest, FaultPlan(), InlineFanout(1))
    return {"error": str(outcome.error), "differences": harness.differences(outcome.ledger, manifest, set())}


def random_sample(session: Session) -> dict[str, Any]:
    """Two runs of ``make chaos``: a host that is stopped, and a control store of Ray's that is killed."""
    tables, wrong = run_random_faults(session, 2, SAMPLE_SEED, 3.0)
    return {"wrong": wrong, "tables": tables}


def dead_on_arrival(session: Session) -> dict[str, Any]:
    """Hosts that die while they open the job."""
    run = load_config().config.run.replaced(max_attempts=1)
    plan = HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests")
    job = fake_job.FakeJob(Path(tempfile.mkdtemp()), dead_on_arrival=True)
    try:
        RayFanout(session, plan, run).run(job, fake_job.batches(BATCH_COUNT), lambda _: None)
    except GnosisError as error:
        return {"error": type(error).__name__, "text": str(error)}
    return {"error": None}


def node_removed(cluster: Cluster, session: Session) -> dict[str, Any]:
    """One of two nodes is removed while its host is running."""
    node = cluster.worker_nodes.copy().pop()
    run = load_config().config.run
    plan = HostPlan("shard", hosts=2, window=1, memory_mb=100, note="for tests")
    job = fake_job.FakeJob(Path(tempfile.mkdtemp()), seconds=0.3)
    seen: list[BatchReceipt] = []
    removal = threading.Thread(target=cluster.remove_node, args=(node, False))

    def remove(receipt: BatchReceipt) -> None:
        seen.append(receipt)
        if len(seen) == 2:
            removal.start()

    report = RayFanout(session, plan, run).run(job, fake_job.batches(12), remove)
    removal.join()
    written = {path.name: path.read_text() for path in sorted(job.folder.glob("batch-?????"))}
    return {"receipts": sorted(r.batch for r in seen), "written": written, "hosts_lost": report.hosts_lost}


def main(names: list[str]) -> None:
    """Run the named faults on a local Ray and print the outcomes as one JSON object."""
    for module in (fake_job, faults):
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    patient = ChaosHarness(batch_timeout_s=120.0)
    impatient = ChaosHarness(max_attempts=1, batch_timeout_s=10.0, symbol_timeout_s=6.0)
    with connect(None, 2) as session:
        planned = partial(run_fault_plan, session)
        special: dict[str, Callable[[], dict[str, Any]]] = {
            "dead on arrival": lambda: dead_on_arrival(session),
            "component killed": lambda: component_killed(patient, session),
            "full disk": lambda: full_disk(patient, session),
            "random": lambda: random_sample(session),
        }
        timed = ("hanging", "symbols alone")
        outcomes = {
            name: special[name]() if name in special else planned(impatient if name in timed else patient, name)
            for name in names
        }
    json.dump(outcomes, sys.stdout)


def on_a_cluster() -> None:
    """Run on two nodes of a core each, joined by address, and lose one of them."""
    cloudpickle.register_pickle_by_value(fake_job)  # type: ignore[no-untyped-call]
    logging.getLogger("ray").setLevel(logging.ERROR)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    address: str = cluster.address
    with connect(address, None) as session:
        json.dump(node_removed(cluster, session), sys.stdout)
