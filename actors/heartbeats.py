"""Who is to be asked whether it is there, and who has been silent too long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

RETRY_S = 1.0
"""Until the next question to a host whose connection broke."""


@dataclass
class _Pulse:
    heard: float
    next: float | None
    """When to ask again; None while a question is under way."""


class Heartbeats:
    """Asks every watched host each ``interval_s``, one question at a time. Times are seconds on any steady scale."""

    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._interval_s = interval_s
        self._pulses: dict[int, _Pulse] = {}

    def watch(self, host: int, now: float) -> None:
        """A host is there from now on."""
        self._pulses[host] = _Pulse(now, now + self._interval_s)

    def forget(self, host: int) -> None:
        """A host is gone, or was given another number."""
        self._pulses.pop(host, None)

    def due(self, now: float) -> list[int]:
        """Hosts to ask now."""
        hosts = [host for host, pulse in self._pulses.items() if pulse.next is not None and pulse.next <= now]
        for host in hosts:
            self._pulses[host].next = None
        return hosts

    def on_answer(self, host: int, now: float) -> None:
        """A host is there."""
        if host in self._pulses:
            self._pulses[host] = _Pulse(now, now + self._interval_s)

    def on_broken(self, host: int, now: float) -> None:
        """The connection to a host broke: it may be there. Ask soon, if no question is under way that will tell."""
        if host in self._pulses:
            self._pulses[host].next = now + RETRY_S

    def silent(self, now: float) -> list[int]:
        """Hosts that have not been heard of for too long."""
        return [host for host, pulse in self._pulses.items() if now - pulse.heard > self.timeout_s]

    def next_moment(self) -> float | None:
        """When somebody is to be asked next."""
        return min((pulse.next for pulse in self._pulses.values() if pulse.next is not None), default=None)
