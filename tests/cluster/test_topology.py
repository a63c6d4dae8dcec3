"""Plans never exceed what there is."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.topology import Budget, Granularity, Load, measure_budget, plan
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ClusterError

RUN = load_config().config.run


PARTS = 9


def load(symbols: int, batch_size: int = 64) -> Load:
    return Load(symbols, math.ceil(symbols / batch_size), PARTS)


BUDGETS = st.builds(Budget, cores=st.integers(1, 256), memory_mb=st.integers(RUN.host_memory_mb, 10**6))


@given(batches=st.integers(0, 2000), budget=BUDGETS)
def test_shard_hosts_fill_the_budget_and_no_more(batches: int, budget: Budget) -> None:
    made = plan(Load(batches * 64, batches, PARTS), budget, RUN, "shard")
    assert made.granularity == "shard"
    assert 1 <= made.hosts <= min(budget.cores, max(1, batches))
    assert made.total_memory_mb <= budget.memory_mb
    one_more = made.hosts + 1
    assert one_more > budget.cores or one_more > batches or one_more * made.memory_mb > budget.memory_mb


@given(symbols=st.integers(1, 3000), budget=BUDGETS, granularity=st.sampled_from(["auto", "component", "symbol"]))
def test_actors_fit_the_budget_and_waves_cover_all_symbols(
    symbols: int, budget: Budget, granularity: Granularity
) -> None:
    wanted = load(symbols)
    try:
        made = plan(wanted, budget, RUN, granularity)
    except ClusterError:
        assert granularity == "component"
        least_mb = RUN.symbol_memory_mb + (PARTS + 1) * RUN.component_memory_mb
        assert budget.cores * RUN.actors_per_core < PARTS + 2 or budget.memory_mb < least_mb
        return
    assert made.total_memory_mb <= budget.memory_mb
    assert made.note.startswith("auto: ") == (granularity == "auto")
    if made.granularity == "shard":
        return
    assert made.actors <= budget.cores * RUN.actors_per_core
    assert made.parts == (1 if made.granularity == "symbol" else PARTS + 1)
    assert made.hosts <= wanted.batches
    assert made.hosts * made.symbols_at_once * made.waves >= symbols
    assert granularity != "auto" or (made.waves == 1 and made.actors <= budget.cores * RUN.auto_actors_per_core)


def test_auto_is_the_finest_granularity_that_fits_in_one_wave(config: Config) -> None:
    budget = Budget(cores=8, memory_mb=10**6)
    most = 8 * config.run.auto_actors_per_core - 1
    both = most // (PARTS + 1)
    found = [plan(load(n), budget, config.run, "auto").granularity for n in (both, both + 1, most, most + 1)]
    assert found == ["component", "symbol", "symbol", "shard"]
    assert plan(load(2), Budget(64, 2000), config.run, "auto").granularity == "symbol"
    assert plan(load(9), Budget(64, 2000), config.run, "auto").granularity == "shard"


def test_a_universe_beyond_the_budget_runs_in_waves(config: Config) -> None:
    made = plan(load(100), Budget(2, 10**6), config.run, "symbol")
    at_once = 2 * config.run.actors_per_core - 1
    assert (made.hosts, made.symbols_at_once, made.actors) == (1, at_once, at_once + 1)
    assert made.waves == 2 * math.ceil(50 / at_once)
    assert f"{at_once} of 100 symbols at once, {made.waves} waves" in made.note


def test_a_large_budget_has_several_leaders(config: Config) -> None:
    made = plan(load(640), Budget(128, 10**6), config.run, "symbol")
    assert (made.hosts, made.symbols_at_once, made.waves) == (10, 64, 1)


def test_too_small_a_budget_is_an_error_with_figures_and_advice(config: Config) -> None:
    with pytest.raises(ClusterError, match=r"1200 MB and one core, was 100 MB free and 8 cores.*inline") as caught:
        plan(load(200), Budget(8, 100), config.run, "auto")
    assert caught.value.exit_code == 5
    with pytest.raises(ClusterError, match=r"11 processes and 2250 MB, was 6 processes .*shard or inline"):
        plan(load(200), Budget(1, 9000), config.run, "component")


def test_inline_needs_no_budget(config: Config) -> None:
    made = plan(load(40), Budget(0, 0), config.run, "inline")
    assert (made.granularity, made.hosts, made.window, made.actors) == ("inline", 1, 1, 0)


def test_the_note_names_what_binds(config: Config) -> None:
    assert "bound by memory" in plan(load(2000), Budget(8, 2500), config.run, "shard").note
    assert "bound by cores" in plan(load(2000), Budget(2, 10**6), config.run, "shard").note
    assert "bound by batches" in plan(load(1), Budget(8, 10**6), config.run, "shard").note


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_free_memory_is_what_the_system_reports(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable: 2048000 kB\n")
    assert measure_budget(tmp_path).memory_mb == 2000


def test_limits_of_cgroup_v2_apply(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 8192000 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory.max", str(1000 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory.current", str(600 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory.stat", f"anon 5\ninactive_file {100 * 2**20}\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", "150000 100000\n")
    assert measure_budget(tmp_path) == Budget(cores=1, memory_mb=500)


def test_limits_of_cgroup_v1_apply(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 8192000 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(1000 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory/memory.usage_in_bytes", str(1200 * 2**20))
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert measure_budget(tmp_path) == Budget(cores=1, memory_mb=0)


def test_a_container_without_limits_does_not_limit(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 2048000 kB\n")
    before = measure_budget(tmp_path)
    write(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", "1\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert measure_budget(tmp_path) == before
