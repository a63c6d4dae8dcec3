"""Plans hosts from a budget of cores and memory, before anything is launched."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gnosis_ray.config import RunConfig
from gnosis_ray.errors import ClusterError

Granularity = Literal["auto", "component", "symbol", "shard", "inline"]
MB = 2**20


@dataclass(frozen=True)
class Budget:
    """Available resources: whole cores, and memory in MB that is free now."""

    cores: int
    memory_mb: int


@dataclass(frozen=True)
class Load:
    """The work: symbols, the batches they are in, and ``parts``: the engines and agents of one symbol."""

    symbols: int
    batches: int
    parts: int


@dataclass(frozen=True)
class HostPlan:
    """The hosts to launch. ``memory_mb`` is for each host; ``note`` is a sentence that explains the plan.

    With granularity ``symbol`` or ``component`` a host leads ``symbols_at_once`` symbols at a time, each computed by
    ``parts`` processes of ``part_memory_mb``, until the universe is done after ``waves``.
    """

    granularity: Literal["component", "symbol", "shard", "inline"]
    hosts: int
    window: int
    memory_mb: int
    note: str
    symbols_at_once: int = 0
    parts: int = 0
    part_memory_mb: int = 0
    waves: int = 1

    @property
    def processes(self) -> int:
        """The largest number that compute at once; leaders are not counted."""
        return self.hosts * self.symbols_at_once * self.parts or self.hosts

    @property
    def actors(self) -> int:
        """The largest number alive at once, leaders included; none without Ray."""
        return 0 if self.granularity == "inline" else self.hosts * (1 + self.symbols_at_once * self.parts)

    @property
    def total_memory_mb(self) -> int:
        """The largest reservation at any time."""
        return self.hosts * (self.memory_mb + self.symbols_at_once * self.parts * self.part_memory_mb)


def plan(load: Load, budget: Budget, run: RunConfig, granularity: Granularity) -> HostPlan:
    """The hosts for a load: never more alive at once than cores and memory allow.

    ``auto`` is the finest granularity for which the whole universe fits at once, within its own bound on processes a
    core, and ``shard`` where none does. The others run in waves. Raises :class:`ClusterError` where not one host fits
    the memory or the cores.
    """
    if granularity == "inline":
        return HostPlan("inline", 1, 1, run.host_memory_mb, "inline: in this process, without Ray")
    if granularity == "component":
        return _plan_parts(load, budget, run, "component")
    if granularity == "symbol":
        return _plan_parts(load, budget, run, "symbol")
    if granularity == "auto":
        return _plan_auto(load, budget, run)
    return _plan_shards(load, budget, run)


def _plan_auto(load: Load, budget: Budget, run: RunConfig) -> HostPlan:
    finer: tuple[Literal["component", "symbol"], ...] = ("component", "symbol")
    run = run.replaced(actors_per_core=min(run.actors_per_core, run.auto_actors_per_core))
    for granularity in finer:
        if _room(load, budget, run, granularity, leaders=1) >= max(1, load.symbols):
            found = _plan_parts(load, budget, run, granularity)
            if found.waves == 1:
                return replace(found, note=f"auto: {found.note}")
    shards = _plan_shards(load, budget, run)
    return replace(shards, note=f"auto: {shards.note}; anything finer would need several waves")


def _plan_shards(load: Load, budget: Budget, run: RunConfig) -> HostPlan:
    limits = {
        "cores": budget.cores,
        "memory": budget.memory_mb // run.host_memory_mb,
        "batches": max(1, load.batches),
    }
    hosts = min(limits.values())
    if hosts < 1:
        raise ClusterError(
            f"Expected room for one host of {run.host_memory_mb} MB and one core, was {budget.memory_mb} MB free and "
            f"{budget.cores} cores. Free some memory, lower run.host_memory_mb, or use --granularity inline."
        )
    binding = ", ".join(name for name, limit in limits.items() if limit == hosts)
    note = f"{hosts} shard {'host' if hosts == 1 else 'hosts'}, bound by {binding}"
    return HostPlan("shard", hosts, run.window_per_host, run.host_memory_mb, note)


def _plan_parts(load: Load, budget: Budget, run: RunConfig, granularity: Literal["component", "symbol"]) -> HostPlan:
    """Leaders share the room for symbols. One leads a batch at a time, so that a large room needs several."""
    batches, symbols = max(1, load.batches), max(1, load.symbols)
    batch_size = math.ceil(symbols / batches)
    parts, part_mb = _cost(load, run, granularity)
    leaders = min(batches, max(1, _room(load, budget, run, granularity, leaders=1) // batch_size))
    at_once = min(batch_size, _room(load, budget, run, granularity, leaders) // leaders)
    if at_once < 1:
        raise ClusterError(
            f"Expected room for one symbol: {1 + parts} processes and {run.symbol_memory_mb + parts * part_mb} MB, was "
            f"{budget.cores * run.actors_per_core} processes ({budget.cores} cores, run.actors_per_core) and "
            f"{budget.memory_mb} MB free. Use --granularity shard or inline."
        )
    waves = math.ceil(batches / leaders) * math.ceil(batch_size / at_once)
    each = "one actor a symbol" if granularity == "symbol" else f"{parts} actors a symbol"
    note = f"{each}, {leaders * at_once} of {symbols} symbols at once, {waves} {'wave' if waves == 1 else 'waves'}"
    return HostPlan(granularity, leaders, 1, run.symbol_memory_mb, note, at_once, parts, part_mb, waves)


def _cost(load: Load, run: RunConfig, granularity: Literal["component", "symbol"]) -> tuple[int, int]:
    """Processes a symbol, and MB for each. A component's runner is one more process."""
    return (1, run.symbol_memory_mb) if granularity == "symbol" else (load.parts + 1, run.component_memory_mb)


def _room(load: Load, budget: Budget, run: RunConfig, granularity: Literal["component", "symbol"], leaders: int) -> int:
    """Symbols that fit in addition to so many leaders."""
    parts, part_mb = _cost(load, run, granularity)
    by_memory = (budget.memory_mb - leaders * run.symbol_memory_mb) // (parts * part_mb)
    by_cores = (budget.cores * run.actors_per_core - leaders) // parts
    return max(0, min(by_memory, by_cores))


def measure_budget(root: Path = Path("/")) -> Budget:
    """What this machine has available: affinity, free memory, and the limits of a container (cgroup v1 and v2).

    ``root`` is where ``proc`` and ``sys`` are read from. Raises :class:`ClusterError` where memory cannot be measured.
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
    try:  # no /proc: half of the installed memory, since free memory cannot be measured
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError) as error:
        raise ClusterError(f"Cannot measure the memory of this machine: {error}") from error


def _words(path: Path) -> list[str]:
    """A small system file's words; none where it cannot be read, as on systems without it."""
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    words = _words(path)
    return int(words[0]) if words and words[0].lstrip("-").isdigit() else None
