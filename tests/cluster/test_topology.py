"""Plans never exceed what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.topology import Budget, measure_budget, plan
from gnosis_ray.config import Config, load_config
from gnosis_ray.errors import ClusterError

RUN = load_config().config.run


@given(
    batches=st.integers(0, 2000),
    cores=st.integers(1, 256),
    memory_mb=st.integers(RUN.host_memory_mb, 10**6),
    auto=st.booleans(),
)
def test_a_plan_fits_and_wastes_nothing(batches: int, cores: int, memory_mb: int, auto: bool) -> None:
    made = plan(batches, Budget(cores, memory_mb), RUN, "auto" if auto else "shard")
    assert made.granularity == "shard"
    assert 1 <= made.hosts <= min(cores, max(1, batches))
    assert made.hosts * made.memory_mb <= memory_mb
    one_more = made.hosts + 1
    assert one_more > cores or one_more > batches or one_more * made.memory_mb > memory_mb
    assert made.note.startswith("auto: ") == auto


def test_no_room_for_a_host_is_said_with_figures_and_a_way_out(config: Config) -> None:
    with pytest.raises(ClusterError, match=r"1200 MB and one core, was 100 MB free and 8 cores.*inline") as caught:
        plan(4, Budget(8, 100), config.run, "auto")
    assert caught.value.exit_code == 5


def test_inline_needs_no_budget(config: Config) -> None:
    made = plan(40, Budget(0, 0), config.run, "inline")
    assert (made.granularity, made.hosts, made.window) == ("inline", 1, 1)


def test_the_note_names_what_binds(config: Config) -> None:
    assert "bound by memory" in plan(40, Budget(8, 2500), config.run, "shard").note
    assert "bound by cores" in plan(40, Budget(2, 10**6), config.run, "shard").note
    assert "bound by batches" in plan(1, Budget(8, 10**6), config.run, "shard").note


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_free_memory_is_what_the_system_says(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable: 2048000 kB\n")
    assert measure_budget(tmp_path).memory_mb == 2000


def test_a_container_of_the_second_kind_binds(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 8192000 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory.max", str(1000 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory.current", str(600 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory.stat", f"anon 5\ninactive_file {100 * 2**20}\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", "150000 100000\n")
    assert measure_budget(tmp_path) == Budget(cores=1, memory_mb=500)


def test_a_container_of_the_first_kind_binds(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 8192000 kB\n")
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(1000 * 2**20))
    write(tmp_path, "sys/fs/cgroup/memory/memory.usage_in_bytes", str(1200 * 2**20))
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert measure_budget(tmp_path) == Budget(cores=1, memory_mb=0)


def test_a_container_without_limits_does_not_bind(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemAvailable: 2048000 kB\n")
    before = measure_budget(tmp_path)
    write(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", "1\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert measure_budget(tmp_path) == before
