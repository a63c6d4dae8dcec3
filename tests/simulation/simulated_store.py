"""An object store whose requests get lost, repeated and late, and which refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from gnosis_ray.storage.location import S3Url
from gnosis_ray.storage.object_store import ObjectStoreError
from tests.simulation.simulated_disk import flipped, in_any_order
from tests.simulation.world import FaultKind, World

T = TypeVar("T")
R = TypeVar("R")

_READS: tuple[FaultKind, ...] = ("request lost", "answer lost", "store refuses")
_WRITES: tuple[FaultKind, ...] = (*_READS, "request late", "request repeated")
_REFUSALS = ("SlowDown: Please reduce your request rate", "AccessDenied: Access Denied", "QuotaExceeded: no room")
_LATEST = 300
"""Steps after which a late request has arrived."""


class SimulatedStore:
    """A :class:`gnosis_ray.storage.object_store.ObjectStore` in memory. What it holds is durable."""

    def __init__(self, world: World, bucket: str) -> None:
        self.world = world
        self._bucket = bucket
        self.objects: dict[str, bytes] = {}
        self._refusal = world.chance.choice(_REFUSALS)

    def get(self, key: str) -> bytes:
        return self._ask("get", key, lambda: self._held(key))

    def get_tail(self, key: str, length: int) -> bytes:
        return self.get(key)[-length:]

    def has(self, key: str) -> bool:
        return self._ask("has", key, lambda: key in self.objects)

    def put(self, key: str, body: bytes) -> None:
        self._change("put", key, lambda: self._put(key, body))

    def create(self, key: str, body: bytes) -> bool:
        return self._change("create", key, lambda: key not in self.objects and self._put(key, body))

    def copy(self, source: str, target: str) -> None:
        self._change("copy", source, lambda: self._put(target, self._held(source)))

    def delete(self, keys: Sequence[str]) -> None:
        self._change("delete", keys[0], lambda: [self.objects.pop(key, None) for key in keys])

    def sizes(self, prefix: str) -> dict[str, int]:
        def found() -> dict[str, int]:
            return {key: len(body) for key, body in self.objects.items() if key.startswith(f"{prefix}/" * bool(prefix))}

        return self._ask("list", prefix, found)

    def level(self, prefix: str) -> list[str]:
        above = f"{prefix}/" if prefix else ""
        below = [key.removeprefix(above).partition("/")[0] for key in self.sizes(prefix)]
        return [f"{above}{name}" for name in dict.fromkeys(below)]

    def map_each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        return in_any_order(self.world, function, items)

    def contents(self) -> dict[str, bytes]:
        """All objects."""
        return dict(self.objects)

    def flip_bit(self, below: str) -> str | None:
        """Change one bit of an object that holds any, with a key that begins so; its key, None where there is none."""
        keys = sorted(key for key, body in self.objects.items() if body and key.startswith(below))
        if not keys:
            return None
        key = self.world.chance.choice(keys)
        self.objects[key] = flipped(self.world, self.objects[key])
        return key

    def _held(self, key: str) -> bytes:
        if key not in self.objects:
            raise FileNotFoundError(f"No object {key}")
        return self.objects[key]

    def _put(self, key: str, body: bytes) -> bool:
        self.objects[key] = body
        return True

    def _ask(self, what: str, key: str, act: Callable[[], R]) -> R:
        fault = self.world.step(what, key, _READS)
        if fault is not None:
            raise self._error(key, fault)
        return act()

    def _change(self, what: str, key: str, act: Callable[[], R]) -> R:
        fault = self.world.step(what, key, _WRITES)
        if fault == "request repeated":
            answer = act()
            if self.world.chance.random() < 0.5:  # the client asked twice, and gets the second answer
                return act()
            self._later(act)
            return answer
        if fault == "request late":
            self._later(act)
        if fault == "answer lost":
            act()
        if fault is not None:
            raise self._error(key, fault)
        return act()

    def _later(self, act: Callable[[], object]) -> None:
        def arrive() -> None:
            try:
                act()
            except FileNotFoundError:
                return  # nobody waits for the answer

        self.world.late.append((self.world.steps + self.world.chance.randint(1, _LATEST), arrive))

    def _error(self, key: str, fault: FaultKind) -> ObjectStoreError:
        reason = self._refusal if fault == "store refuses" else "error sending request (timeout)"
        return ObjectStoreError(f"Cannot use {S3Url(self._bucket, key)}: {reason}")
