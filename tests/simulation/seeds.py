"""One seed, whatever it simulates."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.simulation.ledger_runs import run_ledger
from tests.simulation.market_appends import run_market
from tests.simulation.outcomes import Outcome
from tests.simulation.places import PlaceKind
from tests.simulation.world import World

_SCENARIOS: tuple[tuple[Callable[[PlaceKind, World], Outcome], PlaceKind], ...] = (
    *((run_ledger, "folder"),) * 5,
    *((run_ledger, "bucket"),) * 2,
    *((run_market, "folder"),) * 2,
    (run_market, "bucket"),
)
"""What is named more often is drawn more often."""

_SHOWN = 400
"""Steps that a failing seed prints."""


class SeedError(AssertionError):
    """A seed that did not end as it has to."""

    def __init__(self, seed: int, reason: str, steps: str = "") -> None:
        super().__init__(f"seed {seed}: {reason}. Replay it with: make simulate N=1 SEED={seed}")
        self.seed = seed
        self.reason = reason
        self.steps = steps

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.seed, self.reason, self.steps)


def run_seed(seed: int) -> Outcome:
    """The outcome of a seed. Raises :class:`SeedError` where rows are wrong or missing, or an error says nothing."""
    chance = Random(seed)  # noqa: S311  faults by seed, not secrets
    run, kind = chance.choice(_SCENARIOS)
    world = World(chance)
    try:
        return run(kind, world)
    except Exception as error:
        drawn = ", ".join(f"{fault.kind} at {fault.at}" for fault in world.faults)
        reason = " ".join(str(error).split()) or repr(error)
        what = f"{run.__name__.removeprefix('run_')} in a {kind} under {drawn}: {type(error).__name__}: {reason}"
        raise SeedError(seed, what, "\n".join(" ".join(map(str, step)) for step in world.trace[-_SHOWN:])) from error


def outcome_or_error(seed: int) -> Outcome | SeedError:
    """What came of a seed, as a value that travels to another process."""
    try:
        return run_seed(seed)
    except SeedError as error:
        return error
