"""Two Ray hosts against this process alone, every process with as many Polars threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.market import Market
from benchmarks.passes import Passes, warm_passes
from benchmarks.report import Row
from gnosis_ray.fanout import InlineFanout

HOSTS = 2
PASSES = 4
ROUNDS = 2


def rows(market: Market, scratch: Path) -> Iterator[Row]:
    """Passes on warm hosts, and what handing out costs: wall time that no host spent inside a batch."""
    from actors.fanout import RayFanout  # Ray takes most of a second to import, and sets the environment
    from cluster.session import connect
    from cluster.topology import HostPlan

    run = market.config.run
    plan = HostPlan("shard", HOSTS, run.window_per_host, run.host_memory_mb, "benchmark")
    inline: list[Passes] = []
    shard: list[Passes] = []
    with connect(None, HOSTS) as session:
        for _ in range(ROUNDS):
            inline.append(warm_passes(market, InlineFanout(run.max_attempts), scratch, PASSES))
            shard.append(warm_passes(market, RayFanout(session, plan, run), scratch, PASSES))
    here, there = _elapsed(inline), _elapsed(shard)
    batches = shard[0].batches
    overhead = (there - median(p.worked for p in shard) / HOSTS) / batches
    yield Row(
        f"whole warm pass on {HOSTS} Ray hosts",
        there,
        "the same inline",
        here,
        times_faster=True,
        note=f"the limit: {HOSTS}",
    )
    yield Row(
        f"  fan-out, each of {batches} batches", overhead, note="wall seconds outside batches, idle tail included"
    )
    slower = median(p.worked for p in shard) / median(p.worked for p in inline) - 1.0
    yield Row(
        "  a batch beside another", note=f"{slower:+.0%} against a batch alone: memory, disk and cores are shared"
    )


def _elapsed(passes: list[Passes]) -> float:
    return median(p.elapsed for p in passes)
