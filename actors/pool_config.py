"""How many hosts a run has, what each runs and how long it may take: decided from the plan and the settings. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.topology import HostPlan
from gnosis_ray.config import RunConfig
from gnosis_ray.fanout import SYMBOL_FAILURE_LIMIT, FanoutLimits
from gnosis_ray.schemas.run_schemas import Batch

START_SECONDS = 120.0
"""Seconds that a host may take to be ready, even where batches may take less: a busy cluster starts slowly."""


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

    @classmethod
    def of(cls, plan: HostPlan, run: RunConfig, batches: Sequence[Batch], name: str) -> PoolConfig:
        """The pool for ``batches``, at least one of them, by hosts of ``plan``; ``name``: of the run.

        A leader may take longer than the settings allow a batch or a symbol: its symbols have time limits of their own.
        """
        limits = FanoutLimits(
            window=plan.window,
            max_attempts=run.max_attempts,
            batch_timeout_s=run.batch_timeout_s + _leader_s(plan, run, max(len(batch.symbols) for batch in batches)),
            symbol_timeout_s=run.symbol_timeout_s + _leader_s(plan, run, symbols=1),
            straggler_factor=run.straggler_factor,
        )
        return cls(
            granularity=plan.granularity,
            hosts=plan.hosts,
            limits=limits,
            start_s=max(START_SECONDS, run.batch_timeout_s),
            heartbeat_s=run.heartbeat_s,
            heartbeat_timeout_s=run.heartbeat_timeout_s,
            processes=plan.processes,
            run=name,
        )


def _leader_s(plan: HostPlan, run: RunConfig, symbols: int) -> float:
    """Seconds that a leader may need in addition, if every attempt at each of its symbols times out."""
    if not plan.symbols_at_once:
        return 0.0
    waves = math.ceil(symbols / plan.symbols_at_once)
    return waves * SYMBOL_FAILURE_LIMIT * (START_SECONDS + run.symbol_timeout_s)
