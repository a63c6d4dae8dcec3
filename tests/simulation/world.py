"""Simulated processes: whose turn it is, which step comes next, and what goes wrong at it. One runs at a time.

A step is one call of a disk or one request to an object store. Every choice is drawn from one seed, so that a seed
replays to the step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

FaultKind = Literal[
    "power cut",
    "process killed",
    "process stopped",
    "disk full",
    "quota used up",
    "I/O error",
    "I/O errors that last",
    "bits flipped",
    "answer late",
    "answer twice",
    "request lost",
    "answer lost",
    "request late",
    "request repeated",
    "store refuses",
]
"""What can go wrong. ``process stopped``: and goes on later, alone or beside those that took its work over."""

LONGEST_SLEEP = 400
"""Steps after which a stopped process has gone on."""


LEFT = 0.3
"""The chance of a step where room, quota or service gave out: small files may still fit, some requests pass."""


COMES_BACK = 0.1
"""The chance of such a step to be the last one that fails: others make room meanwhile."""


class KilledError(BaseException):
    """The process is gone: no code of ours may catch this."""


class PowerCutError(BaseException):
    """All processes are gone, and with them what was not synced."""


@dataclass
class Fault:
    """Something that goes wrong at the first fitting step from ``at`` on."""

    kind: FaultKind
    at: int
    fired: bool = False


class Process:
    """A process: it makes steps until it is done, or dead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.durable_folders: set[Path] = set()
        self.work: Work | None = None
        """What it does in a thread of its own, in which alone it can be stopped."""


class Work:
    """A call in a simulated process: it runs until it ends or is stopped, and nobody else meanwhile."""

    def __init__(self, world: World, process: Process, call: Callable[[], Any]) -> None:
        self.process, self.ended = process, False
        self.result: Any = None
        self.error: BaseException | None = None
        self._world, self._call = world, call
        self._turn, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        process.work = self

    def go(self) -> bool:
        """Run until it ends, then True, or is stopped. A power cut ends the caller too."""
        before, self._world.current = self._world.current, self.process
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._turn.release()
        self._back.acquire()
        self._world.current = before
        if self.ended:
            self._thread.join()
            if isinstance(self.error, PowerCutError):
                raise self.error
        return self.ended

    def stop(self) -> None:
        """In its own thread: let the others go on until somebody calls :meth:`go`."""
        self._back.release()
        self._turn.acquire()
        if not self.process.alive:
            raise KilledError

    def kill(self) -> None:
        """Unwind it where it was stopped."""
        self.process.alive = False
        while not self.ended:
            self.go()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001  whoever goes on with it judges
            self.error = error
        self.ended = True
        self._back.release()


@dataclass
class Sleeper:
    """A stopped process, and the step at which it goes on."""

    work: Work
    wakes: int
    on_end: Callable[[Work], None]


@dataclass
class World:
    """The processes of one seed."""

    chance: Random
    faults: list[Fault] = field(default_factory=list)
    now: float = 0.0
    """Seconds; only waiting takes time."""
    steps: int = 0
    sleepers: list[Sleeper] = field(default_factory=list)
    late: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    """Requests that are still on their way, and the step at which they arrive."""
    lasting: set[FaultKind] = field(default_factory=set)
    """What stays so until its cause is removed."""
    trace: list[tuple[int, str, str, object]] = field(default_factory=list)
    """The steps so far: number, process, what it did, where."""
    damaged: bool = False
    """Whether bits were flipped that somebody may read."""
    dark: bool = False
    """Whether the power is off."""

    def __post_init__(self) -> None:
        self.current = Process("reader")
        self._quiet = False

    @property
    def fired(self) -> tuple[FaultKind, ...]:
        """What has gone wrong so far."""
        return tuple(fault.kind for fault in self.faults if fault.fired)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing goes wrong, and nothing lasts; those that were stopped may go on."""
        self.lasting.clear()
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def clock(self) -> float:
        """The time, for those who are given a clock."""
        return self.now

    def step(self, what: str, place: object, fitting: tuple[FaultKind, ...]) -> FaultKind | None:
        """Another step of the current process, to which faults of some kinds can happen: which one does.

        Raises :class:`KilledError` and :class:`PowerCutError`; stops the process where that is due.
        """
        if not self.current.alive:
            raise KilledError
        if self.dark:
            raise PowerCutError
        self.steps += 1
        self.trace.append((self.steps, self.current.name, what, place))
        self._arrive()
        self._wake()
        if self._quiet:
            return None
        fault = next((f for f in self.faults if not f.fired and f.at <= self.steps and self._fits(f, fitting)), None)
        if fault is None:
            return self._what_lasts(fitting)
        fault.fired = True
        self.trace.append((self.steps, self.current.name, "fault", fault.kind))
        if fault.kind == "process killed":
            self.current.alive = False
            raise KilledError
        if fault.kind == "power cut":
            self.dark = True
            raise PowerCutError
        if fault.kind == "process stopped" and self.current.work is not None:
            self.current.work.stop()
            return None
        if fault.kind in ("disk full", "quota used up", "I/O errors that last", "store refuses"):
            self.lasting.add(fault.kind)
        return fault.kind

    def happens(self, kind: FaultKind) -> bool:
        """Whether a fault that is none of a step, such as a late answer, is due now."""
        due = (f for f in self.faults if not f.fired and f.at <= self.steps and f.kind == kind)
        fault = None if self._quiet else next(due, None)
        if fault is not None:
            fault.fired = True
        return fault is not None

    def spawn(self, name: str, call: Callable[[], Any], on_end: Callable[[Work], None]) -> Work:
        """Run a call in a new process until it ends, then ``on_end``, or is stopped: it goes on by itself later."""
        return self.run(Process(name), call, on_end)

    def run(self, process: Process, call: Callable[[], Any], on_end: Callable[[Work], None]) -> Work:
        """As :meth:`spawn`, in a process that is there."""
        work = Work(self, process, call)
        self._go(work, on_end)
        return work

    def wake_all(self) -> None:
        """Let all stopped processes go on, and late requests arrive: years later."""
        while self.sleepers or self.late:
            late, self.late = self.late, []
            for _, arrive in late:
                arrive()
            if self.sleepers:
                sleeper = self.sleepers.pop(0)
                self._go(sleeper.work, sleeper.on_end)

    def power_on(self) -> None:
        """After a power cut: no process is left. Requests are still on their way to a store elsewhere."""
        for sleeper in self.sleepers:
            sleeper.work.kill()
        self.sleepers.clear()
        self.dark = False

    def forget(self, work: Work) -> None:
        """Kill a stopped process."""
        self.sleepers = [sleeper for sleeper in self.sleepers if sleeper.work is not work]
        work.kill()

    def _go(self, work: Work, on_end: Callable[[Work], None]) -> None:
        if work.go():
            on_end(work)
        else:
            self.sleepers.append(Sleeper(work, self.steps + self.chance.randint(1, LONGEST_SLEEP), on_end))

    def _fits(self, fault: Fault, fitting: tuple[FaultKind, ...]) -> bool:
        if fault.kind == "process stopped":
            return self.current.work is not None
        return fault.kind in ("process killed", "power cut") or fault.kind in fitting

    def _what_lasts(self, fitting: tuple[FaultKind, ...]) -> FaultKind | None:
        kind = next((kind for kind in fitting if kind in self.lasting and self.chance.random() > LEFT), None)
        if kind is not None and self.chance.random() < COMES_BACK:
            self.lasting.discard(kind)
        return kind

    def _arrive(self) -> None:
        for due in [one for one in self.late if one[0] <= self.steps]:
            self.late.remove(due)
            due[1]()

    def _wake(self) -> None:
        for sleeper in [one for one in self.sleepers if one.wakes <= self.steps]:
            if sleeper in self.sleepers:
                self.sleepers.remove(sleeper)
                self._go(sleeper.work, sleeper.on_end)


def drawn_faults(chance: Random, kinds: tuple[FaultKind, ...], steps: int) -> list[Fault]:
    """One to four faults of some kinds, at steps of a work that takes so many, or while it is repeated."""
    count = chance.choice((1, 1, 2, 3, 4))
    return [Fault(chance.choice(kinds), chance.randint(1, steps + steps // 2)) for _ in range(count)]
