"""How many hosts a run has, and how long they may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gnosis_ray.fanout import FanoutLimits


@dataclass(frozen=True)
class PoolConfig:
    """How many hosts a run has, and how long they may take."""

    granularity: str
    hosts: int
    limits: FanoutLimits
    start_s: float
    """Seconds for a host to be placed, to start and to open the job."""
    heartbeat_s: float
    """Seconds between two pings of a host."""
    heartbeat_timeout_s: float
    """Seconds of silence after which a host is lost."""
    processes: int
    """At once, for the report: more than ``hosts`` where these lead others."""
    run: str = ""
    """The run's name, for the log."""
