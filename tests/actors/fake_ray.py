"""Ray's calls carried out in this process: actors are plain objects, and each call runs when it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayTaskError

import actors.component
import actors.coordinator
import actors.fanout
import actors.gateway
import actors.metering
import actors.ray_symbol_worker_pool
import actors.ray_worker_pool
import actors.worker

MODULES = (
    actors.component,
    actors.fanout,
    actors.gateway,
    actors.ray_symbol_worker_pool,
    actors.ray_worker_pool,
)
NAMED = (
    (actors.worker, "WorkerActor", actors.worker.Worker),
    (actors.ray_symbol_worker_pool, "WorkerActor", actors.worker.Worker),
    (actors.ray_symbol_worker_pool, "ComponentActor", actors.component.Component),
    (actors.fanout, "CoordinatorActor", actors.coordinator.Coordinator),
    (actors.gateway, "GatewayActor", actors.gateway.GatewayHost),
)
LOGGING = (actors.component, actors.coordinator, actors.gateway, actors.worker)

PENDING = object()
"""In place of an error: the call never returns."""


@dataclass(frozen=True)
class Stored:
    """A value in the object store."""

    value: Any


@dataclass(eq=False)
class Reference:
    """The result of a call: a value, an error, or nothing yet."""

    value: Any = None
    error: Exception | None = None
    ready: bool = True


@dataclass(eq=False)
class Handle:
    """An actor: a plain object behind Ray's calls."""

    ray: FakeRay
    options: dict[str, Any]
    instance: Any

    @property
    def name(self) -> str:
        return str(self.options.get("name", ""))

    def __getattr__(self, method: str) -> Method:
        return Method(self, method)


@dataclass(frozen=True)
class Method:
    """A method of an actor."""

    actor: Handle
    name: str

    def options(self, **_options: Any) -> Method:
        return self

    def remote(self, *arguments: Any) -> Reference:
        return self.actor.ray.call(self, arguments)


@dataclass(frozen=True)
class FakeActorClass:
    """A class whose objects are actors."""

    ray: FakeRay
    plain: Callable[..., Any]
    given: dict[str, Any] = field(default_factory=dict)

    def options(self, **options: Any) -> FakeActorClass:
        return FakeActorClass(self.ray, self.plain, options)

    def remote(self, *arguments: Any) -> Handle:
        values = [argument.value if isinstance(argument, Stored) else argument for argument in arguments]
        handle = Handle(self.ray, self.given, self.plain(*values))
        self.ray.started.append(handle)
        return handle


class FakeRay:
    """Stands in for the module ``ray``. ``errors``: by actor and method, what its next calls end with, in order."""

    def __init__(self) -> None:
        self.errors: dict[tuple[str, str], list[Any]] = {}
        self.late_errors: dict[tuple[str, str], Exception] = {}
        """By actor and method: the error of a call that has done its work."""
        self.started: list[Handle] = []
        self.killed: list[str] = []
        self.runs: list[str] = []
        """What the log lines of each process name."""

    def names(self) -> list[str]:
        return [handle.name for handle in self.started]

    def call(self, method: Method, arguments: Sequence[Any]) -> Reference:
        planned = self.errors.get((method.actor.name, method.name))
        if planned:
            error = planned.pop(0)
            return Reference(ready=False) if error is PENDING else Reference(error=error)
        try:
            value = getattr(method.actor.instance, method.name)(*arguments)
            return Reference(value, self.late_errors.get((method.actor.name, method.name)))
        except Exception as error:  # noqa: BLE001 - as Ray does: every error is the result of the call
            wrapped: Any = RayTaskError(method.name, "", error)  # type: ignore[no-untyped-call]
            return Reference(error=wrapped.as_instanceof_cause())

    def get(self, reference: Reference) -> Any:
        if reference.error is not None:
            raise reference.error
        return reference.value

    def wait(
        self, references: Sequence[Reference], *, num_returns: int = 1, timeout: float = 0, fetch_local: bool = True
    ) -> tuple[list[Reference], list[Reference]]:
        ready = [reference for reference in references if reference.ready][:num_returns]
        return ready, [reference for reference in references if reference not in ready]

    def put(self, value: Any) -> Stored:
        return Stored(value)

    def kill(self, actor: Handle) -> None:
        self.killed.append(actor.name)

    def get_runtime_context(self) -> SimpleNamespace:
        return SimpleNamespace(get_node_id=lambda: "ab" * 28, get_actor_id=lambda: "leader")


def install(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """Put a fake in the place of Ray in every module of actors."""
    fake = FakeRay()
    for module in MODULES:
        monkeypatch.setattr(module, "ray", fake)
    for module, name, plain in NAMED:
        monkeypatch.setattr(module, name, FakeActorClass(fake, plain))
    for module in LOGGING:
        monkeypatch.setattr(module, "write_lines", fake.runs.append)
    return fake
