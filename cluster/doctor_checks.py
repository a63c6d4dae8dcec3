"""The doctor's findings, and its checks of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.address import asks_for_token
from cluster.preflight import ADVICE, NodeFinding, ask_every_node, survey
from cluster.ray_folder import writable_by_others
from cluster.session import Session, connect
from cluster.topology import Load, plan
from gnosis_ray.config import Config, home
from gnosis_ray.errors import ClusterError
from gnosis_ray.storage.location import Location, resolved

CLOSE_ADVICE = (
    "Whoever reaches its ports can run code. Start every node with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH, and "
    "keep the ports closed to others."
)
FOLDER_ADVICE = (
    "Every user of that machine can run code in our workers there. Start Ray with --temp-dir=FOLDER/ray, where FOLDER "
    "is its user's own, with a short path and mode 700: Ray opens to everybody the folder that it is given, not FOLDER."
)


@dataclass(frozen=True)
class DoctorCheck:
    """One finding of the doctor. ``advice`` is empty where ``ok``."""

    name: str
    ok: bool
    found: str
    advice: str


def check(name: str, ok: bool, found: str, advice: str) -> DoctorCheck:
    """A finding, with its advice only where it is not ``ok``."""
    return DoctorCheck(name, ok, found, "" if ok else advice)


def examine_cluster(address: str, config: Config, ledger: Location) -> list[DoctorCheck]:
    """Join the cluster at ``address`` and check its token, its capacity and every node; no finding raises.

    ``ledger``: a folder that exists here, or a bucket, as every node has to see it. Takes a few seconds.
    """
    try:
        with connect(address, None) as session:
            return [
                DoctorCheck("cluster", True, f"joined at {session.gcs_address}", ""),
                _token(session.gcs_address),
                _capacity(session, config),
                *_nodes(session, config, ledger),
                *_folders(),
            ]
    except ClusterError as error:
        return [DoctorCheck("cluster", False, str(error), "See the message; no node was looked at.")]


def _token(address: str) -> DoctorCheck:
    """Whether the token is required; that it stays secret is up to the owner of the file."""
    asked = asks_for_token(address)
    return check("cluster token", asked, "asked for" if asked else "not asked for", CLOSE_ADVICE)


def _capacity(session: Session, config: Config) -> DoctorCheck:
    budget = session.budget()
    try:
        fitting = plan(Load(0, max(1, budget.cores), 0), budget, config.run, "shard")
    except ClusterError as error:
        return DoctorCheck("cluster room", False, str(error), "Add nodes, or lower run.host_memory_mb.")
    found = f"{budget.cores} cores, {budget.memory_mb} MB: room for {fitting.hosts} hosts"
    return DoctorCheck("cluster room", True, found, "")


def _nodes(session: Session, config: Config, ledger: Location) -> Iterator[DoctorCheck]:
    place = config.data.dir or home() / "market"
    data = config.data.replaced(dir=resolved(place))
    for finding in survey(session, config.replaced(data=data), ledger):
        yield from _node(finding)


def _folders() -> Iterator[DoctorCheck]:
    """Whether other users of a node can swap what workers import there."""
    for node, found in ask_every_node(open_folder, ()):
        if not isinstance(found, str):  # else the checks of the node say why it does not answer
            place = found["open"]
            said = f"others may write to {place}" if place else "closed to others"
            yield check(f"ray's folder on {node}", not place, said, FOLDER_ADVICE)


def open_folder() -> dict[str, str]:
    """On a node: the folder from Ray's session folder up that others may write to; empty if there is none."""
    import ray

    node: Any = ray._private.worker._global_node
    place = writable_by_others(Path(node.get_session_dir_path()))
    return {"open": "" if place is None else str(place)}


def _node(finding: NodeFinding) -> Iterator[DoctorCheck]:
    name = f"node {finding.node}"
    if finding.fit:
        yield DoctorCheck(name, True, "same code, versions, settings, store and ledger", "")
    for each in finding.differences:
        yield DoctorCheck(name, False, f"{each.fact}: Expected {each.expected}, was {each.found}", ADVICE[each.fact])
