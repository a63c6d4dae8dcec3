"""One request as it arrived, and one answer as it will be sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"


@dataclass(frozen=True)
class ReplayRequest:
    """A request. ``at`` is seconds on the monotonic clock; ``query`` keeps the first value of each name."""

    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    at: float

    @property
    def target(self) -> str:
        """Path and query, in one spelling: two asks for the same thing have the same target."""
        words = "&".join(f"{name}={value}" for name, value in sorted(self.query.items()))
        return f"{self.path}?{words}" if words else self.path


@dataclass(frozen=True)
class ReplayResponse:
    """An answer, and the ways in which it may fail to arrive.

    ``wait_s`` passes before the first byte; ``hangs``: no byte ever; ``sent`` bytes of the body, although its whole
    length was promised.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    hangs: bool = False
    sent: int | None = None


Route = Callable[[ReplayRequest], ReplayResponse | None]
"""What a vendor answers; None for what is not its own."""


def json_reply(body: Any, status: int = 200) -> ReplayResponse:
    """A JSON answer, as compact as vendors write it."""
    return ReplayResponse(status, json.dumps(body, separators=(",", ":")).encode())
