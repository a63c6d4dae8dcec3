"""The doctor's findings, and its checks of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster.address import asks_for_token
from cluster.preflight import ADVICE, NodeFinding, survey
from cluster.session import Session, connect
from cluster.topology import Load, plan
from gnosis_ray.config import Config, home
from gnosis_ray.errors import ClusterError
from gnosis_ray.storage.location import Location, resolved

CLOSE_ADVICE = (
    "Whoever reaches its ports can run code. Start every node with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH, and "
    "keep the ports closed to others."
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


def _node(finding: NodeFinding) -> Iterator[DoctorCheck]:
    name = f"node {finding.node}"
    if finding.fit:
        yield DoctorCheck(name, True, "same code, versions, settings, store and ledger", "")
    for each in finding.differences:
        yield DoctorCheck(name, False, f"{each.fact}: Expected {each.expected}, was {each.found}", ADVICE[each.fact])
