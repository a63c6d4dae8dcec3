"""Symbols that each get a process of their own: who starts when, who is tried again, who is given up. Pure decisions.

No Ray, no threads, no clock. The same events in the same order give the same decisions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gnosis_ray.fanout.contract import late

SYMBOL_STRIKES = 2
"""Failed tries that a symbol has alone before it is given up."""


@dataclass(frozen=True)
class Start:
    """One try of one symbol, in a process of its own."""

    symbol: str
    attempt: int


class Roster:
    """Lets at most ``at_once`` symbols be at work, each alone, until each has an outcome or a reason why not.

    A symbol that fails goes behind those that wait; with ``SYMBOL_STRIKES`` failures it is given up. Time limits: until
    it is ready ``start_s`` seconds, then ``timeout_s``.
    """

    def __init__(self, symbols: Sequence[str], *, at_once: int, timeout_s: float, start_s: float) -> None:
        if at_once < 1:
            raise ValueError(f"Expected room for one symbol or more, was {at_once}")
        self._waiting = deque(symbols)
        self._strikes = dict.fromkeys(symbols, 0)
        self._at_once = at_once
        self._timeout_s = timeout_s
        self._start_s = start_s
        self._started: dict[Start, float] = {}
        self._ready: dict[Start, float] = {}
        self.outcomes: dict[str, Any] = {}
        self.lost: dict[str, str] = {}

    @property
    def done(self) -> bool:
        """Whether every symbol has its outcome or its reason."""
        return len(self.outcomes) + len(self.lost) == len(self._strikes)

    def due(self, now: float) -> list[Start]:
        """What to start now."""
        starts = []
        while self._waiting and len(self._started) < self._at_once:
            symbol = self._waiting.popleft()
            start = Start(symbol, self._strikes[symbol] + 1)
            self._started[start] = now
            starts.append(start)
        return starts

    def on_ready(self, start: Start, now: float) -> None:
        """Its process has opened the job: from now on it works."""
        if start in self._started:
            self._ready[start] = now

    def on_done(self, start: Start, outcome: Any) -> None:
        """It has worked its symbol."""
        if self._take(start):
            self.outcomes[start.symbol] = outcome

    def on_failed(self, start: Start, reason: str) -> None:
        """It raised, died, or was ended for being late."""
        if not self._take(start):
            return
        self._strikes[start.symbol] += 1
        if self._strikes[start.symbol] >= SYMBOL_STRIKES:
            self.lost[start.symbol] = reason
        else:
            self._waiting.append(start.symbol)

    def overdue(self, now: float) -> list[tuple[Start, str]]:
        """Tries past their limit, each with the reason. The caller ends each and reports it failed."""
        found = []
        for start, since in self._started.items():
            ready = self._ready.get(start)
            if ready is None and now - since > self._start_s:
                found.append((start, f"timed out: its process was not ready after {self._start_s:g} s"))
            elif ready is not None and now - ready > self._timeout_s:
                found.append((start, late(self._timeout_s)))
        return found

    def _take(self, start: Start) -> bool:
        self._ready.pop(start, None)
        return self._started.pop(start, None) is not None
