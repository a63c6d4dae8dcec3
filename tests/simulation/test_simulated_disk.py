"""The simulated disk forgets what was not synced. What a dead process wrote is durable once it counts for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.storage.backend import mount_disk
from gnosis_ray.storage.files import write_file, write_synced
from gnosis_ray.storage.folder import FolderBackend
from tests.data.store.frames import DAY, MONDAY, bar, keys
from tests.simulation.simulated_disk import SimulatedDisk
from tests.simulation.world import Fault, FaultKind, KilledError, Process, World

HOME = Path("/simulated")


class Worst(Random):
    """A power cut keeps nothing that was not durable."""

    def choice(self, options: Any) -> Any:
        return options[0]

    def random(self) -> float:
        return 0.99


@pytest.fixture
def world() -> World:
    return World(Worst())


@pytest.fixture
def disk(world: World) -> SimulatedDisk:
    return SimulatedDisk(world, HOME)


@contextmanager
def another_process(world: World) -> Iterator[None]:
    world.current, before = Process("another"), world.current
    yield
    world.current = before


def killed_at(world: World, step: int, act: Callable[[], object]) -> bool:
    """Whether a process of its own was killed at a step of what it did, so that it had not done it."""
    with another_process(world):
        world.faults = [Fault("process killed", world.steps + step)]
        try:
            act()
        except KilledError:
            return True
        finally:
            world.faults = []
        return False


def test_bytes_are_durable_with_their_file_and_names_with_their_folder(disk: SimulatedDisk) -> None:
    write_synced(HOME / "synced", b"body", disk)
    disk.sync_folder(HOME)
    with disk.create(HOME / "unsynced") as file:
        file.write(b"body")
    disk.sync_folder(HOME)
    write_synced(HOME / "nameless", b"body", disk)
    disk.cut_power()
    assert disk.contents() == {"/simulated/synced": b"body", "/simulated/unsynced": b""}


def test_a_rename_is_kept_in_both_folders_or_in_none(disk: SimulatedDisk) -> None:
    for name in ("from", "to"):
        disk.make_folder(HOME / name)
    write_file(HOME / "from" / "one", b"1", disk)
    write_file(HOME / "from" / "two", b"2", disk)
    for name in ("one", "two"):
        disk.rename(HOME / "from" / name, HOME / "to" / name)
        if name == "one":
            disk.sync_folder(HOME / "to")
    disk.cut_power()
    assert disk.contents() == {"/simulated/from/two": b"2", "/simulated/to/one": b"1"}


def test_what_a_dead_process_made_is_durable_once_another_writes_into_it(world: World, disk: SimulatedDisk) -> None:
    backend = FolderBackend(HOME / "root", disk)
    step, name = 1, "deep/1/er/name"
    while killed_at(world, step, partial(backend.put, name, b"1")):
        with another_process(world):
            backend.put(name, b"2")
        disk.cut_power()
        assert backend.get(name) == b"2"
        step, name = step + 1, f"deep/{step + 1}/er/name"
    assert step > 10


@pytest.mark.parametrize("create", [True, False])
def test_what_is_there_already_is_durable_when_that_is_said(world: World, disk: SimulatedDisk, create: bool) -> None:
    backend = FolderBackend(HOME / "root", disk)
    step, name = 1, "1/name"
    while killed_at(world, step, partial(backend.put_if_absent, name, b"1")):
        with another_process(world):
            if create:
                backend.put_if_absent(name, b"1")
            elif backend.exists(name):
                backend.make_durable(name.partition("/")[0])
        seen = backend.exists(name)
        disk.cut_power()
        assert backend.exists(name) == seen
        step, name = step + 1, f"{step + 1}/name"
    assert step > 5


def test_rows_of_a_dead_writer_are_durable_once_they_are_called_known(world: World, disk: SimulatedDisk) -> None:
    """``append_new`` does not write what the store has; who wrote it may have died before it was durable."""
    step, killed = 0, True
    while killed:
        step += 1
        root = HOME / f"market-{step}"
        with mount_disk(HOME, disk):
            killed = killed_at(world, step, partial(StoreWriter(root).append, "bars", bar("AAPL", 0)))
            with another_process(world):
                StoreWriter(root).append_new("bars", bar("AAPL", 0), MONDAY + DAY)
            disk.cut_power()
            assert StoreSource(root).bars(keys(("AAPL", MONDAY + 2 * DAY)), 9).height == 1
    assert step > 10


@pytest.mark.parametrize("kind", ["disk full", "I/O errors that last"])
def test_a_failed_write_is_torn_and_is_not_durable(world: World, disk: SimulatedDisk, kind: FaultKind) -> None:
    world.faults = [Fault(kind, 2)]
    with disk.create(HOME / "torn") as file, pytest.raises(OSError, match=r"^\[Errno \d+\] [A-Z][\w /]+$"):
        file.write(b"0123456789")
    assert disk.contents() == {"/simulated/torn": b"012345678"}
