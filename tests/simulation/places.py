"""Where a simulated ledger or store lies: on a disk or in a bucket, and what can go wrong there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal
from unittest.mock import patch

from gnosis_ray.storage.backend import mount_disk, mount_store
from gnosis_ray.storage.location import Location, S3Url
from tests.simulation.simulated_disk import SimulatedDisk
from tests.simulation.simulated_store import SimulatedStore
from tests.simulation.world import FaultKind, World

PlaceKind = Literal["folder", "bucket"]

FAULTS: dict[PlaceKind, tuple[FaultKind, ...]] = {
    "folder": (
        *("power cut", "process killed", "process stopped") * 2,
        *("disk full", "quota used up", "I/O error", "I/O errors that last"),
        *("answer late", "answer twice", "bits flipped"),
    ),
    "bucket": (
        *("power cut", "process killed", "process stopped"),
        *("request lost", "answer lost", "request late", "request repeated") * 2,
        *("store refuses", "answer late", "answer twice", "bits flipped"),
    ),
}
"""What can go wrong; what is named twice does so twice as often."""

HOME = Path("/simulated")
BUCKET = "simulated"


@dataclass(frozen=True)
class SimulatedPlace:
    """A disk or a bucket, mounted."""

    kind: PlaceKind
    world: World
    medium: SimulatedDisk | SimulatedStore

    def __truediv__(self, name: str) -> Location:
        return self.root / name

    @property
    def root(self) -> Location:
        """The folder or bucket."""
        return HOME if self.kind == "folder" else S3Url(BUCKET)

    def contents(self) -> dict[str, bytes]:
        """All files or objects, by name."""
        return self.medium.contents()

    def cut_power(self) -> None:
        """End all processes; a disk loses what was not durable."""
        self.world.power_on()
        if isinstance(self.medium, SimulatedDisk):
            self.medium.cut_power()

    def flip_bit_if_due(self) -> None:
        """Change one bit that lies there, where that was drawn.

        Of buckets, which compare digests of their own, in a ledger alone: parts of a market store there are read in
        pieces, and compared as wholes by ``gnosis-ray data verify``.
        """
        if self.world.happens("bits flipped"):
            below = f"{HOME}/" if self.kind == "folder" else "ledger/"
            name = self.medium.flip_bit(below)
            self.world.damaged = name is not None
            self.world.trace.append((self.world.steps, "nobody", "flips a bit of", name))

    def last_checks(self, check: Callable[[], None]) -> None:
        """What was done is durable, and whatever was stopped or late changes nothing any more."""
        with self.world.quiet():
            if self.world.chance.random() < 0.5:
                self.cut_power()
                check()
            self.world.wake_all()
            check()
            self.cut_power()
            check()
        self.flip_bit_if_due()
        with self.world.quiet():
            check()


@contextmanager
def simulated(kind: PlaceKind, world: World) -> Iterator[SimulatedPlace]:
    """An empty place, while names that nobody else uses are drawn from the seed, and time is the world's."""
    names = Random(world.chance.random())  # noqa: S311
    disk, store = SimulatedDisk(world, HOME), SimulatedStore(world, BUCKET)
    with (
        mount_disk(HOME, disk),
        mount_store(BUCKET, store),
        patch("uuid.uuid4", lambda: uuid.UUID(int=names.getrandbits(128))),
        patch("gnosis_ray.clock.monotonic_seconds", world.clock),
    ):
        try:
            yield SimulatedPlace(kind, world, disk if kind == "folder" else store)
        finally:
            world.power_on()  # leaves no thread behind
