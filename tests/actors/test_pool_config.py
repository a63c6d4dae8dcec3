"""A pool's limits come from the plan and the settings; leaders get the time that their symbols may need."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.pool_config import START_SECONDS, PoolConfig
from cluster.topology import HostPlan
from gnosis_ray.config import Config, RunConfig
from gnosis_ray.schemas.run_schemas import Batch

SHARDS = HostPlan("shard", hosts=2, window=3, memory_mb=300, note="for tests")
LED = HostPlan("symbol", 1, 1, 100, "for tests", symbols_at_once=3, parts=1, part_memory_mb=100)
BATCHES = (Batch(index=0, symbols=("A", "B")), Batch(index=1, symbols=tuple("CDEFGHI")))


@pytest.fixture
def run(config: Config) -> RunConfig:
    limits = {"batch_timeout_s": 50.0, "symbol_timeout_s": 7.0, "max_attempts": 4}
    return RunConfig.model_validate(config.run.model_dump() | limits)


def test_shard_hosts_have_the_limits_of_the_settings(run: RunConfig) -> None:
    pool = PoolConfig.of(SHARDS, run, BATCHES, "run-7")
    assert (pool.granularity, pool.hosts, pool.processes, pool.run) == ("shard", 2, 2, "run-7")
    assert (pool.limits.window, pool.limits.max_attempts) == (3, 4)
    assert (pool.limits.batch_timeout_s, pool.limits.symbol_timeout_s) == (50.0, 7.0)
    assert (pool.heartbeat_s, pool.heartbeat_timeout_s) == (run.heartbeat_s, run.heartbeat_timeout_s)


def test_a_leader_may_take_as_long_as_all_attempts_of_its_largest_batch(run: RunConfig) -> None:
    limits = PoolConfig.of(LED, run, BATCHES, "").limits
    attempt = START_SECONDS + 7.0
    assert limits.batch_timeout_s == 50.0 + 3 * 2 * attempt, "seven symbols, three at a time, twice each"
    assert limits.symbol_timeout_s == 7.0 + 2 * attempt


def test_processes_of_a_led_run_are_those_of_its_symbols(run: RunConfig) -> None:
    pool = PoolConfig.of(replace(LED, parts=10), run, BATCHES, "")
    assert (pool.hosts, pool.processes) == (1, 30)


def test_a_start_may_take_as_long_as_a_batch_and_never_less_than_its_own_limit(run: RunConfig) -> None:
    assert PoolConfig.of(SHARDS, run, BATCHES, "").start_s == START_SECONDS
    slow = RunConfig.model_validate(run.model_dump() | {"batch_timeout_s": 500.0})
    assert PoolConfig.of(SHARDS, slow, BATCHES, "").start_s == 500.0
