"""From a budget of cores and memory to a plan of hosts, before anything is launched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gnosis_ray.config import RunConfig
from gnosis_ray.errors import ClusterError

Granularity = Literal["auto", "shard", "inline"]
MB = 2**20


@dataclass(frozen=True)
class Budget:
    """What may be used: whole cores, and memory in MB that is free now."""

    cores: int
    memory_mb: int


@dataclass(frozen=True)
class HostPlan:
    """What is launched. ``memory_mb`` is for each host; ``note`` says in a sentence why it is so."""

    granularity: Literal["shard", "inline"]
    hosts: int
    window: int
    memory_mb: int
    note: str


def plan(batches: int, budget: Budget, run: RunConfig, granularity: Granularity) -> HostPlan:
    """The hosts for ``batches`` batches: never more than cores, memory or batches allow.

    Raises :class:`ClusterError` where not one shard host fits the memory or the cores.
    """
    if granularity == "inline":
        return HostPlan("inline", 1, 1, run.host_memory_mb, "inline: in this process, without Ray")
    limits = {
        "cores": budget.cores,
        "memory": budget.memory_mb // run.host_memory_mb,
        "batches": max(1, batches),
    }
    hosts = min(limits.values())
    if hosts < 1:
        raise ClusterError(
            f"Expected room for one host of {run.host_memory_mb} MB and one core, was {budget.memory_mb} MB free and "
            f"{budget.cores} cores. Free some memory, lower run.host_memory_mb, or use --granularity inline."
        )
    binding = ", ".join(name for name, limit in limits.items() if limit == hosts)
    note = f"{hosts} shard {'host' if hosts == 1 else 'hosts'}, bound by {binding}"
    if granularity == "auto":
        note = f"auto: {note}; many symbols a host is the finest granularity that this pipeline has"
    return HostPlan("shard", hosts, run.window_per_host, run.host_memory_mb, note)


def measure_budget(root: Path = Path("/")) -> Budget:
    """What this machine has to spare: affinity, free memory, and the limits of a container (cgroup v1 and v2).

    ``root`` is where ``proc`` and ``sys`` are looked for. Raises :class:`ClusterError` where memory cannot be told.
    """
    return Budget(cores=_cores(root), memory_mb=_free_memory(root) // MB)


def _cores(root: Path) -> int:
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quotas = [affinity]
    v2 = _words(root / "sys/fs/cgroup/cpu.max")
    if len(v2) == 2 and v2[0] != "max":
        quotas.append(int(v2[0]) // int(v2[1]))
    v1 = [_number(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period")]
    if v1[0] is not None and v1[1] is not None and v1[0] > 0:
        quotas.append(v1[0] // v1[1])
    return max(1, min(quotas))


def _free_memory(root: Path) -> int:
    """Bytes."""
    free = [_system_memory(root)]
    for folder, limit, usage, cache in (
        ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        most, used = _number(root / folder / limit), _number(root / folder / usage)
        if most is not None and used is not None:
            statistics = _words(root / folder / "memory.stat")
            reclaimable = int(statistics[statistics.index(cache) + 1]) if cache in statistics else 0
            free.append(max(0, most - used + reclaimable))
    return min(free)


def _system_memory(root: Path) -> int:
    words = _words(root / "proc/meminfo")
    if "MemAvailable:" in words:
        return int(words[words.index("MemAvailable:") + 1]) * 1024
    try:  # no /proc: half of the installed memory, since what is free cannot be told
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError) as error:
        raise ClusterError(f"Cannot tell how much memory this machine has: {error}") from error


def _words(path: Path) -> list[str]:
    """A small system file's words; none where it cannot be read, as on systems without it."""
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    words = _words(path)
    return int(words[0]) if words and words[0].lstrip("-").isdigit() else None
