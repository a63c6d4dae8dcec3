"""A cluster of two nodes, one of them bad on demand: started by test_nodes.py in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ray import cloudpickle
from ray.cluster_utils import Cluster

from cluster import preflight
from cluster.doctor_checks import examine_cluster
from cluster.preflight import look, require_fit
from cluster.session import Session, connect
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ClusterError

BAD = "GNOSIS_RAY_TEST_BAD_NODE"


def look_with_a_bad_node(*question: Any) -> dict[str, str]:
    """What :func:`cluster.preflight.look` says, except on the node that its environment marks as bad."""
    facts = look(*question)
    if BAD in os.environ:
        facts |= {"polars": "0.1", "market store": "no parts in /data"}
    return facts


def fail_there(*question: Any) -> dict[str, str]:
    """As on a node without gnosis-ray."""
    if BAD in os.environ:
        raise ModuleNotFoundError("No module named 'cluster'")
    return look(*question)


def refusal(session: Session, config: Config, ledger: Path) -> list[str]:
    """The lines of the error that ends a preflight; none where all nodes are fit."""
    try:
        require_fit(session, config, ledger)
    except ClusterError as error:
        return str(error).splitlines()
    return []


def join_without_a_token(address: str) -> str:
    """The error of joining without the token, from a process that has none."""
    code = f"from cluster.session import connect\nwith connect({address!r}, None): pass"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    empty = tempfile.mkdtemp()
    seen = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"HOME": empty},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return seen.stderr.strip().splitlines()[-1]


def main(folder: str) -> None:
    """Print what came of each look at the cluster as one JSON object."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ledger, config = Path(folder), load_config().config
    cluster.add_node(num_cpus=1, env_vars={BAD: "yes"})
    address = cluster.address
    outcome: dict[str, Any] = {"stranger": join_without_a_token(address)}
    with connect(address, None) as session:
        outcome["fit"] = refusal(session, config, ledger)
        with patch.object(preflight, "look", look_with_a_bad_node):
            outcome["bad"] = refusal(session, config, ledger)
            outcome["doctor"] = [
                (check.name, check.ok, check.found) for check in examine_cluster(address, config, ledger)
            ]
        with patch.object(preflight, "look", fail_there):
            outcome["absent"] = refusal(session, config, ledger)
    outcome["left"] = [path.name for path in ledger.iterdir()]
    json.dump(outcome, sys.stdout)
