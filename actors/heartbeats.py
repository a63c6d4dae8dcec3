"""When to ping each host, and which hosts have been silent for too long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

RETRY_S = 1.0
"""Until the next ping of a host whose connection broke."""


@dataclass
class _Heartbeat:
    last_seen: float
    next_ping: float | None
    """None while a ping is under way."""


class Heartbeats:
    """Pings every watched host each ``interval_s``, one ping at a time. Times are seconds on any monotonic scale."""

    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._interval_s = interval_s
        self._heartbeats: dict[int, _Heartbeat] = {}

    def watch(self, host: int, now: float) -> None:
        """A host has started."""
        self._heartbeats[host] = _Heartbeat(now, now + self._interval_s)

    def forget(self, host: int) -> None:
        """A host has ended, or got another number."""
        self._heartbeats.pop(host, None)

    def due(self, now: float) -> list[int]:
        """Hosts to ping now."""
        hosts = [
            host
            for host, heartbeat in self._heartbeats.items()
            if heartbeat.next_ping is not None and heartbeat.next_ping <= now
        ]
        for host in hosts:
            self._heartbeats[host].next_ping = None
        return hosts

    def on_pong(self, host: int, now: float) -> None:
        """A host answered a ping."""
        if host in self._heartbeats:
            self.watch(host, now)

    def on_unavailable(self, host: int, now: float) -> None:
        """The connection to a host broke, and the host may live: ping it soon."""
        if host in self._heartbeats:
            self._heartbeats[host].next_ping = now + RETRY_S

    def silent(self, now: float) -> list[int]:
        """Hosts that have not answered for more than ``timeout_s``."""
        return [host for host, heartbeat in self._heartbeats.items() if now - heartbeat.last_seen > self.timeout_s]

    def next_due(self) -> float | None:
        """When the next ping is due."""
        pings = (heartbeat.next_ping for heartbeat in self._heartbeats.values())
        return min((ping for ping in pings if ping is not None), default=None)
