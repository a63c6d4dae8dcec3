"""Is a cluster fit to run on? What the doctor finds by joining it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cluster.address import asks_for_token
from cluster.check import Check, check
from cluster.preflight import ADVICE, NodeFinding, survey
from cluster.session import Session, connect
from cluster.topology import Load, plan
from gnosis_ray.config import Config, home
from gnosis_ray.errors import ClusterError
from gnosis_ray.storage.location import Location

CLOSE_ADVICE = (
    "Whoever reaches its ports can run code. Start every node with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH, and "
    "keep the ports closed to others."
)


def examine_cluster(address: str, config: Config, ledger: Location) -> list[Check]:
    """Join the cluster at ``address`` and look at its token, its room and every node; raises nothing for what it finds.

    ``ledger``: a folder that exists here, or a bucket, as every node has to see it. Takes a few seconds.
    """
    try:
        with connect(address, None) as session:
            return [
                Check("cluster", True, f"joined at {session.gcs_address}", ""),
                _token(session.gcs_address),
                _room(session, config),
                *_nodes(session, config, ledger),
            ]
    except ClusterError as error:
        return [Check("cluster", False, str(error), "See the message; no node was looked at.")]


def _token(address: str) -> Check:
    """One that is asked for need not be a secret: where the file lies, and who reads it, is the owner's to see to."""
    asked = asks_for_token(address)
    return check("cluster token", asked, "asked for" if asked else "not asked for", CLOSE_ADVICE)


def _room(session: Session, config: Config) -> Check:
    budget = session.budget()
    try:
        fitting = plan(Load(0, max(1, budget.cores), 0), budget, config.run, "shard")
    except ClusterError as error:
        return Check("cluster room", False, str(error), "Add nodes, or lower run.host_memory_mb.")
    found = f"{budget.cores} cores, {budget.memory_mb} MB: room for {fitting.hosts} hosts"
    return Check("cluster room", True, found, "")


def _nodes(session: Session, config: Config, ledger: Location) -> Iterator[Check]:
    place = config.data.dir or home() / "market"
    data = config.data.model_copy(update={"dir": place.expanduser().resolve() if isinstance(place, Path) else place})
    for finding in survey(session, config.model_copy(update={"data": data}), ledger):
        yield from _node(finding)


def _node(finding: NodeFinding) -> Iterator[Check]:
    name = f"node {finding.node}"
    if finding.fit:
        yield Check(name, True, "same code, versions, settings, store and ledger", "")
    for each in finding.differences:
        yield Check(name, False, f"{each.fact}: Expected {each.expected}, was {each.found}", ADVICE[each.fact])
