"""The contract of a primary agent (:class:`gnosis_ray.agents.base.PrimaryAgent`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gnosis_ray.agents.base import PrimaryAgent
from gnosis_ray.errors import StageError
from gnosis_ray.pipeline.entry_checks import checked_suggestion
from gnosis_ray.schemas.core_schemas import StandardSnapshot, Suggestion
from gnosis_ray.testing.checking import require, require_picklable
from gnosis_ray.testing.samples import sample_snapshots

MakeAgent = Callable[[], PrimaryAgent]


def check_answers(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that an agent answers every snapshot with a suggestion about its symbol and moment, in one layer."""
    agent, layers = make(), set[str]()
    for snapshot in snapshots:
        stance = agent.step(snapshot)
        about = f"the stance on {snapshot.symbol}"
        require(isinstance(stance, Suggestion), f"Expected {about} to be a Suggestion, was {type(stance).__name__}")
        require(stance.symbol == snapshot.symbol, f"Expected {about} to name it, was {stance.symbol}")
        same = stance.timestamp in (None, snapshot.timestamp)
        require(same, f"Expected {about} to be of {snapshot.timestamp} or to leave that out, was {stance.timestamp}")
        layers.add(stance.layer)
    require(len(layers) == 1 and "" not in layers, f"Expected one layer for every snapshot, was {sorted(layers)}")


def check_finite_answers(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that confidences are within 0 and 1, forecasts finite, and all else as the pipeline takes it."""
    agent = make()
    for snapshot in snapshots:
        stance = agent.step(snapshot)
        sure = 0.0 <= stance.confidence <= 1.0
        require(sure, f"Expected a confidence within 0 and 1 on {snapshot.symbol}, was {stance.confidence}")
        bad = {name: value for name, value in stance.forecast.items() if not math.isfinite(value)}
        require(not bad, f"Expected a finite forecast on {snapshot.symbol}, was {bad}")
        try:
            checked_suggestion(stance, snapshot.symbol, snapshot.timestamp)
        except StageError as error:
            raise AssertionError(f"On {snapshot.symbol}: {error.message}") from error


def check_ignorance(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that an agent has confidence 0 in a snapshot in which nothing was measured."""
    nothing = StandardSnapshot(symbol="NOTHING", timestamp=snapshots[0].timestamp)
    stance = make().step(nothing)
    require(stance.confidence == 0.0, f"Expected confidence 0 where nothing was measured, was {stance.confidence}")


def check_pure(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that the same snapshot has the same answer, from whichever agent and after whichever others."""
    agent = make()
    first = [agent.step(snapshot) for snapshot in snapshots]
    again = [agent.step(snapshot) for snapshot in reversed(snapshots)][::-1]
    other = [make().step(snapshot) for snapshot in snapshots]
    for snapshot, *answers in zip(snapshots, first, again, other, strict=True):
        same = answers[0] == answers[1] == answers[2]
        require(same, f"Expected the same stance on {snapshot.symbol} each time, was {answers}")


def check_snapshots_kept(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that an agent leaves a snapshot as it is: other agents read it too."""
    agent = make()
    for snapshot in snapshots:
        copy = snapshot.model_copy(deep=True)
        agent.step(copy)
        require(copy == snapshot, f"Expected the snapshot of {snapshot.symbol} to be left as it is, was changed")


def check_picklable_answers(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Check that answers can be sent to another process."""
    agent = make()
    for snapshot in snapshots:
        require_picklable(agent.step(snapshot), f"a stance on {snapshot.symbol}")


CHECKS = (
    check_answers,
    check_finite_answers,
    check_ignorance,
    check_pure,
    check_snapshots_kept,
    check_picklable_answers,
)
"""Every check of an agent."""


def check_agent(make: MakeAgent, snapshots: Sequence[StandardSnapshot]) -> None:
    """Run every check of a primary agent.

    Parameters
    ----------
    make
        Makes the agent, anew each time.
    snapshots
        What it is asked about: :func:`gnosis_ray.testing.sample_snapshots`, or the plug-in's own.

    Raises
    ------
    AssertionError
        For the first check that fails.
    """
    for check in CHECKS:
        check(make, snapshots)


class AgentContract:
    """Tests of a primary agent: subclass it, and make the agent; ``snapshots`` may be the plug-in's own."""

    def make_agent(self) -> PrimaryAgent:
        """Make the agent under test."""
        raise NotImplementedError

    def snapshots(self) -> Sequence[StandardSnapshot]:
        """Give what the agent is asked about."""
        return sample_snapshots()

    def test_agent_answers_every_snapshot(self) -> None:
        """See :func:`check_answers`."""
        check_answers(self.make_agent, self.snapshots())

    def test_answers_are_finite(self) -> None:
        """See :func:`check_finite_answers`."""
        check_finite_answers(self.make_agent, self.snapshots())

    def test_agent_is_unsure_where_nothing_was_measured(self) -> None:
        """See :func:`check_ignorance`."""
        check_ignorance(self.make_agent, self.snapshots())

    def test_agent_is_pure(self) -> None:
        """See :func:`check_pure`."""
        check_pure(self.make_agent, self.snapshots())

    def test_agent_changes_no_snapshot(self) -> None:
        """See :func:`check_snapshots_kept`."""
        check_snapshots_kept(self.make_agent, self.snapshots())

    def test_answers_can_be_pickled(self) -> None:
        """See :func:`check_picklable_answers`."""
        check_picklable_answers(self.make_agent, self.snapshots())
