"""What came of a seed, and which errors a command may end in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from gnosis_ray.errors import ClusterError, DataError, GnosisError, IntegrityError, LedgerError, ResourceError
from tests.simulation.places import SimulatedPlace
from tests.simulation.world import FaultKind, KilledError, PowerCutError, Work, World

Ending = Literal["undisturbed", "went on by itself", "resumed", "damage found"]

RESUMABLE = (ResourceError, LedgerError, ClusterError, DataError)
"""What a run or an append may end in: who repeats the command once the cause is gone has lost nothing."""


class WrongError(AssertionError):
    """Rows are wrong or missing, or an error says nothing."""


class DamageFoundError(Exception):
    """A flipped bit was found: what was to be shown."""


@dataclass(frozen=True)
class Outcome:
    """How a seed ended: with the rows of an undisturbed run, or with an error that names damage."""

    scenario: str
    ending: Ending
    fired: tuple[FaultKind, ...]
    errors: tuple[str, ...]
    """The types of the errors that ended commands on the way."""


def require(truth: bool, what: str) -> None:
    """Raise :class:`WrongError` unless it is so."""
    if not truth:
        raise WrongError(what)


@contextmanager
def reading(world: World) -> Iterator[None]:
    """While somebody reads: nothing goes wrong, and no error is right but that flipped bits were found."""
    with world.quiet():
        try:
            yield
        except IntegrityError as error:
            if not world.damaged:
                raise WrongError(f"a reader found damage where there is none: {error}") from error
            raise DamageFoundError from error
        except GnosisError as error:
            raise WrongError(f"a reader failed: {error!r}") from error


class Commands:
    """Commands in processes of their own, one after the other; some of them stay stopped beside the next ones."""

    def __init__(self, place: SimulatedPlace) -> None:
        self.place = place
        self.count = 0
        self.errors: list[str] = []
        self._verdicts: list[Exception] = []
        self._succeeded: Work | None = None

    def run(self, name: str, command: Callable[[], object], on_success: Callable[[], None]) -> bool:
        """Run one to its end, or to that of its process or of the power; or leave it stopped. Whether it succeeded.

        Raises :class:`WrongError` where it, or another that went on meanwhile, ended in an error that it may not end
        in, and :class:`DamageFoundError`.
        """
        self.count += 1
        require(self.count < _TOO_MANY, "the command succeeds never, though nothing is wrong any more")
        self.place.flip_bit_if_due()

        def ended(work: Work) -> None:
            if work.error is None:
                on_success()
                self._succeeded = work
            elif isinstance(work.error, Exception):
                self._judge(work.error)
            elif not isinstance(work.error, KilledError):
                raise work.error

        try:
            work = self.place.world.spawn(name, command, ended)
        except PowerCutError:
            work = None
            self.place.cut_power()
        self.place.world.lasting.clear()
        for verdict in self._verdicts:
            raise verdict
        return work is not None and work is self._succeeded

    def outcome(self, scenario: str, needed: int, *, damage: bool = False) -> Outcome:
        """What came of it; ``needed``: commands where nothing goes wrong."""
        fired = self.place.world.fired
        by_itself: Ending = "went on by itself" if fired else "undisturbed"
        ending: Ending = "damage found" if damage else "resumed" if self.count > needed else by_itself
        return Outcome(f"{scenario} in a {self.place.kind}", ending, fired, tuple(self.errors))

    def _judge(self, error: Exception) -> None:
        """Keep the verdict: whoever runs now is another process, and not to be disturbed by it."""
        world = self.place.world
        if world.damaged and isinstance(error, IntegrityError):
            self._verdicts.append(DamageFoundError())
        elif not isinstance(error, RESUMABLE):
            self._verdicts.append(WrongError(f"ended in {type(error).__name__}: {error}"))
        elif not world.fired:
            self._verdicts.append(WrongError(f"failed though nothing was wrong: {error!r}"))
        elif str(self.place.root) not in str(error) and not isinstance(error, ClusterError):
            self._verdicts.append(WrongError(f"the error names no place: {error!r}"))
        else:
            self.errors.append(type(error).__name__)
        if self._verdicts:
            self._verdicts[-1].__cause__ = error


_TOO_MANY = 20
