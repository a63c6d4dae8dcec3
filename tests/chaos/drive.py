"""Runs one fan-out after another over a Ray of its own and prints what came of each: started by test_chaos.py."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.cluster_utils import Cluster

from actors.fanout import RayFanout
from cluster.session import Session, connect
from cluster.topology import HostPlan
from gnosis_ray.config import load_config
from gnosis_ray.errors import GnosisError
from gnosis_ray.schemas.run_schemas import BatchReceipt
from tests.actors import toys

SCENARIOS: dict[str, dict[str, Any]] = {
    "healthy": {},
    "battered": {"dying": {1, 2}, "hanging": {3}, "once": {2, 3}},
    "dead_on_arrival": {"dead_on_arrival": True},
}
BATCHES = 6
TIMEOUT_S = 3.0


def play(session: Session, faults: dict[str, Any]) -> dict[str, Any]:
    """The receipts and the report of a run with such faults, or its error."""
    attempts = 1 if faults.get("dead_on_arrival") else 2
    run = load_config().config.run.model_copy(update={"max_attempts": attempts, "batch_timeout_s": TIMEOUT_S})
    plan = HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests")
    job = toys.ToyJob(Path(tempfile.mkdtemp()), **faults)
    seen: list[BatchReceipt] = []
    try:
        report = RayFanout(session, plan, run).run(job, toys.batches(BATCHES), seen.append)
    except GnosisError as error:
        return {"error": type(error).__name__, "text": str(error)}
    return {
        "snapshots": {receipt.batch: receipt.snapshots for receipt in seen},
        "receipts": len(seen),
        "reasons": sorted({failure.message for receipt in seen for failure in receipt.failures}),
        "committed": sorted(path.name for path in job.folder.glob("batch-?????")),
        "quarantined": report.quarantined,
        "hosts_lost": report.hosts_lost,
    }


def main(names: list[str], *, own_cluster: bool) -> None:
    """Play the named scenarios and print their outcomes as one JSON object."""
    cloudpickle.register_pickle_by_value(toys)  # type: ignore[no-untyped-call]
    address = start_cluster() if own_cluster else None
    with connect(address, None if address else 2) as session:
        json.dump({name: play(session, SCENARIOS[name]) for name in names}, sys.stdout)


def start_cluster() -> str:
    """A cluster of two nodes with a core each on this machine, ended with this process; its address."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    address: str = cluster.address
    return address
