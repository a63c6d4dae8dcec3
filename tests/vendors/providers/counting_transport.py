"""Wires without a rate: they count what is asked, and ask again at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gnosis_ray.errors import TransientError

T = TypeVar("T")


class CountingTransport:
    """Asks up to ``attempts`` times; ``calls`` counts requests, ``waits`` what vendors said with what may pass."""

    def __init__(self, attempts: int = 1) -> None:
        self.attempts = attempts
        self.calls = 0
        self.waits: list[float | None] = []
        self.rows = 0

    def call(self, ask: Callable[[], T]) -> T:
        for left in reversed(range(self.attempts)):
            self.calls += 1
            try:
                return ask()
            except TransientError as error:
                self.waits.append(error.retry_after_s)
                if not left:
                    raise
        raise AssertionError("no attempts")

    def take_rows(self, count: int) -> None:
        self.rows += count
