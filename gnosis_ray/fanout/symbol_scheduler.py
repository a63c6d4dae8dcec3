"""Schedules symbols that each run in a process of their own: when each starts, retries and gives up. Pure decisions.

No Ray, no threads, no clock. The same events in the same order give the same decisions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnosis_ray.fanout.contract import late

SYMBOL_FAILURE_LIMIT = 2
"""Attempts of a symbol alone that may fail before the symbol is given up."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at one symbol, in a process of its own. ``number`` counts from 1 for each symbol."""

    symbol: str
    number: int


class SymbolScheduler:
    """Runs at most ``at_once`` symbols at a time, each alone, until each has an outcome or a reason for having none.

    A symbol that fails is queued behind those that wait; after ``SYMBOL_FAILURE_LIMIT`` failures it is given up. An
    attempt may take ``start_s`` seconds until its process is ready, and ``timeout_s`` seconds from then on.
    """

    def __init__(self, symbols: Sequence[str], *, at_once: int, timeout_s: float, start_s: float) -> None:
        if at_once < 1:
            raise ValueError(f"Expected room for one symbol or more, was {at_once}")
        self._waiting = deque(symbols)
        self._failures = dict.fromkeys(symbols, 0)
        self._at_once = at_once
        self._timeout_s = timeout_s
        self._start_s = start_s
        self._started: dict[Attempt, float] = {}
        self._ready: dict[Attempt, float] = {}
        self.outcomes: dict[str, Any] = {}
        self.quarantined: dict[str, str] = {}
        """Symbols that were given up, each with the reason of its last failure."""

    @property
    def done(self) -> bool:
        """Whether every symbol has its outcome or is quarantined."""
        return len(self.outcomes) + len(self.quarantined) == len(self._failures)

    def due(self, now: float) -> list[Attempt]:
        """The attempts to start now."""
        attempts = []
        while self._waiting and len(self._started) < self._at_once:
            symbol = self._waiting.popleft()
            attempt = Attempt(symbol, self._failures[symbol] + 1)
            self._started[attempt] = now
            attempts.append(attempt)
        return attempts

    def on_ready(self, attempt: Attempt, now: float) -> None:
        """The process has opened the job and starts to work."""
        if attempt in self._started:
            self._ready[attempt] = now

    def on_done(self, attempt: Attempt, outcome: Any) -> None:
        """The process has computed its symbol."""
        if self._finish(attempt):
            self.outcomes[attempt.symbol] = outcome

    def on_failed(self, attempt: Attempt, reason: str) -> None:
        """The process raised, died or was ended because it was late."""
        if not self._finish(attempt):
            return
        self._failures[attempt.symbol] += 1
        if self._failures[attempt.symbol] >= SYMBOL_FAILURE_LIMIT:
            self.quarantined[attempt.symbol] = reason
        else:
            self._waiting.append(attempt.symbol)

    def overdue(self, now: float) -> list[tuple[Attempt, str]]:
        """Attempts past their time limit, each with the reason. The caller ends each and reports it as failed."""
        found = []
        for attempt, since in self._started.items():
            ready = self._ready.get(attempt)
            if ready is None and now - since > self._start_s:
                found.append((attempt, f"timed out: its process was not ready after {self._start_s:g} s"))
            elif ready is not None and now - ready > self._timeout_s:
                found.append((attempt, late(self._timeout_s)))
        return found

    def _finish(self, attempt: Attempt) -> bool:
        """Whether the attempt was running; it no longer is."""
        self._ready.pop(attempt, None)
        return self._started.pop(attempt, None) is not None
