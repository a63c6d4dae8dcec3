"""Runs one fan-out after another over a Ray of its own and prints what came of each: started by driving.py."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
from collections.abc import Callable
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
from tests.actors import fake_job as toys
from tests.chaos import faults
from tests.chaos.chaos_harness import Arena, Attack

ATTACKS: dict[str, tuple[str, Attack]] = {
    "culprits": ("shard", Attack({"SYN1": "raises", "SYN3": "exits", "SYN4": "eats"})),
    "hanging": ("shard", Attack({"SYN2": "hangs"})),
    "host killed": ("shard", Attack(kills=(("host", 0.3),), seconds=0.3)),
    "coordinator killed": ("shard", Attack(kills=(("coordinator", 0.5),), seconds=0.3)),
    "symbols alone": ("symbol", Attack({"SYN1": "killed", "SYN2": "hangs"})),
}
SYMBOLS = tuple(f"SYN{number}" for number in range(6))
BATCH_SIZE = 2
TOYS = 6


def play(arena: Arena, session: Session, name: str) -> dict[str, Any]:
    """The end of an attacked scan."""
    granularity, attack = ATTACKS[name]
    manifest = arena.manifest(SYMBOLS, BATCH_SIZE)
    ending = arena.attack(session, granularity, manifest, attack)
    if ending.receipt is None or ending.report is None:
        return {"error": str(ending.error)}
    return {
        "differences": arena.differences(ending.ledger, manifest, attack.culprits),
        "reasons": {failure.symbol: failure.message for failure in ending.receipt.failures},
        "killed": ending.killed,
        "hosts_lost": ending.report.hosts_lost,
        "coordinators_lost": ending.report.coordinators_lost,
    }


def component_killed(arena: Arena, session: Session) -> dict[str, Any]:
    """One symbol taken apart, one of its parts killed."""
    manifest = arena.manifest(SYMBOLS[:1], BATCH_SIZE)
    ending = arena.attack(session, "component", manifest, Attack(kills=(("component", 0.0),), seconds=0.5))
    return {"differences": arena.differences(ending.ledger, manifest, set()), "killed": ending.killed}


def full_disk(arena: Arena, session: Session) -> dict[str, Any]:
    """A scan that cannot write, then, with room again, the same run finished elsewhere."""
    manifest = arena.manifest(SYMBOLS, BATCH_SIZE)
    ending = arena.attack(session, "shard", manifest, Attack(full_disk=True))
    arena.scan(ending.ledger, manifest, Attack(), InlineFanout(1))
    return {"error": str(ending.error), "differences": arena.differences(ending.ledger, manifest, set())}


def dead_on_arrival(session: Session) -> dict[str, Any]:
    """Hosts that die while they open the job."""
    run = load_config().config.run.model_copy(update={"max_attempts": 1})
    plan = HostPlan("shard", hosts=2, window=2, memory_mb=100, note="for tests")
    job = toys.ToyJob(Path(tempfile.mkdtemp()), dead_on_arrival=True)
    try:
        RayFanout(session, plan, run).run(job, toys.batches(TOYS), lambda _: None)
    except GnosisError as error:
        return {"error": type(error).__name__, "text": str(error)}
    return {"error": None}


def node_removed(cluster: Cluster, session: Session) -> dict[str, Any]:
    """A node of two goes while its host is at work."""
    node = cluster.worker_nodes.copy().pop()
    run = load_config().config.run
    plan = HostPlan("shard", hosts=2, window=1, memory_mb=100, note="for tests")
    job = toys.ToyJob(Path(tempfile.mkdtemp()), seconds=0.3)
    seen: list[BatchReceipt] = []
    removal = threading.Thread(target=cluster.remove_node, args=(node, False))

    def remove(receipt: BatchReceipt) -> None:
        seen.append(receipt)
        if len(seen) == 2:
            removal.start()

    report = RayFanout(session, plan, run).run(job, toys.batches(12), remove)
    removal.join()
    written = {path.name: path.read_text() for path in sorted(job.folder.glob("batch-?????"))}
    return {"receipts": sorted(r.batch for r in seen), "written": written, "hosts_lost": report.hosts_lost}


def main(names: list[str]) -> None:
    """Play the named scenes on a local Ray and print their outcomes as one JSON object."""
    for module in (toys, faults):
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    patient, impatient = Arena(batch_timeout_s=120.0), Arena(max_attempts=1, batch_timeout_s=10.0, symbol_timeout_s=6.0)
    with connect(None, 2) as session:
        special: dict[str, Callable[[], dict[str, Any]]] = {
            "dead on arrival": lambda: dead_on_arrival(session),
            "component killed": lambda: component_killed(patient, session),
            "full disk": lambda: full_disk(patient, session),
        }
        timed = ("hanging", "symbols alone")
        outcomes = {
            name: special[name]() if name in special else play(impatient if name in timed else patient, session, name)
            for name in names
        }
    json.dump(outcomes, sys.stdout)


def on_a_cluster() -> None:
    """Work on two nodes of a core each, found by address, and lose one of them."""
    cloudpickle.register_pickle_by_value(toys)  # type: ignore[no-untyped-call]
    logging.getLogger("ray").setLevel(logging.ERROR)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    address: str = cluster.address
    with connect(address, None) as session:
        json.dump(node_removed(cluster, session), sys.stdout)
