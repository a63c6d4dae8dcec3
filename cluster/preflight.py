"""Checks every node of a cluster before a run: code, versions, settings, market store and ledger.

A task pinned to each node reports its facts, and the driver compares them with its own. Facts are plain text, so that
the report of a node with other code can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.fingerprint import code_digest, decision_hash, plugins, store_digest, versions
from cluster.session import Session
from cluster.storage_probe import check_shared, storage_probe
from gnosis_ray.config import Config
from gnosis_ray.errors import ClusterError
from gnosis_ray.storage.location import Location, locate

ANSWER_SECONDS = 60.0
"""Time limit for all nodes to answer: a busy node starts a process slowly."""

_INSTALL = "Give every node the same image, or install the same wheel and requirements.txt there."
ADVICE: Mapping[str, str] = {
    "code": "Install the driver's gnosis-ray there; an editable checkout has to be at the same commit, unchanged.",
    "python": _INSTALL,
    "ray": _INSTALL,
    "polars": _INSTALL,
    "numpy": _INSTALL,
    "plugins": "Install the same plug-ins there.",
    "settings": "Install the driver's gnosis-ray there.",
    "market store": "Mount the market store at the same path on every node; if an import is running, wait for it.",
    "ledger": "Put --out on storage that every node mounts at the same path and may write to, or on an object "
    "store that every node may write to by its own environment or role.",
    "answer": "Check that gnosis-ray is installed there, and see that node's logs in Ray's folder there (/tmp/ray).",
}
"""What to do where a node differs; also the order in which differences are listed."""

Facts = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One fact in which a node differs from the driver."""

    fact: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.fact}: Expected {self.expected}, was {self.found}. {ADVICE[self.fact]}"


@dataclass(frozen=True)
class NodeFinding:
    """A node, by name and address, and how it differs from the driver; fit where it does not."""

    node: str
    differences: tuple[Difference, ...]

    @property
    def fit(self) -> bool:
        """Whether the node can take part in a run."""
        return not self.differences


def require_fit(session: Session, config: Config, ledger: Location) -> None:
    """Check that every node can take part in a run, before it begins; arguments as for :func:`survey`.

    Raises :class:`ClusterError` naming each node that cannot, what was expected, what was found and what to do.
    """
    findings = survey(session, config, ledger)
    unfit = [finding for finding in findings if not finding.fit]
    if unfit:
        lines = [f"node {finding.node}: {difference}" for finding in unfit for difference in finding.differences]
        raise ClusterError("\n".join([f"{len(unfit)} of {len(findings)} nodes cannot take part.", *lines]))


def survey(session: Session, config: Config, ledger: Location) -> list[NodeFinding]:
    """The finding of each living node of an open session.

    ``config``: with absolute paths; ``ledger``: an existing folder, or the prefix of a bucket, that the run writes
    in. Side effect: a small file in ``ledger`` while it runs. Raises :class:`ClusterError` where the driver itself
    cannot write there.
    """
    session.check_open()
    store = str(config.data.dir) if config.data.reads_store else None
    with storage_probe(ledger) as (name, content):
        question = (config.model_dump_json(), store, str(locate(ledger)), name, content)
        expected = look(*question)
        answers = ask_every_node(look, question)
    return [NodeFinding(node, compare(expected, found)) for node, found in answers]


def compare(expected: Facts, found: Facts | str) -> tuple[Difference, ...]:
    """How a node's facts differ from the driver's; a text in place of facts is the reason why there are none."""
    if isinstance(found, str):
        return (Difference("answer", "facts about the node", found),)
    return tuple(
        Difference(fact, expected[fact], found.get(fact, "unknown"))
        for fact in ADVICE
        if fact in expected and found.get(fact) != expected[fact]
    )


def look(config_json: str, store: str | None, ledger: str, name: str, content: str) -> dict[str, str]:
    """The facts of this machine; see :data:`ADVICE` for their names. Raises nothing."""
    return {
        "code": f"gnosis-ray {code_digest()}",
        **versions(),
        "plugins": plugins(),
        "settings": decision_hash(config_json),
        "market store": store_digest(locate(store) if store is not None else None),
        "ledger": check_shared(ledger, name, content),
    }


def ask_every_node(question: Callable[..., Facts], arguments: Sequence[Any]) -> list[tuple[str, Facts | str]]:
    """The name of every living node, and what ``question`` returns there, or as a text why there is no answer.

    ``question`` runs in a task on each node of the Ray that this process is connected to.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    task: Any = ray.remote(num_cpus=0, max_retries=0)(question)
    calls = []
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        calls.append(task.options(scheduling_strategy=there).remote(*arguments))
    ready, late = ray.wait(calls, num_returns=len(calls), timeout=ANSWER_SECONDS)
    answers = {call: _answer(call) for call in ready}
    for call in late:
        ray.cancel(call, force=True)
        answers[call] = f"none within {ANSWER_SECONDS:g} s"
    return [(_name(node), answers[call]) for node, call in zip(nodes, calls, strict=True)]


def _answer(call: Any) -> Facts | str:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        facts: Facts = ray.get(call)
    except RayTaskError as error:
        return _first_line(error.cause if error.cause is not None else error)
    except RayError as error:
        return _first_line(error)
    return facts


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}, {node['NodeID'][:8]})"
