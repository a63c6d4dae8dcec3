"""How the hosts of these tests are cut."""

from __future__ import annotations

from cluster.topology import HostPlan

SHARDS = HostPlan("shard", hosts=2, window=2, memory_mb=300, note="for tests")
PLANS = {
    "shard": SHARDS,
    "symbol": HostPlan("symbol", 1, 1, 100, "for tests", symbols_at_once=3, parts=1, part_memory_mb=100),
    "component": HostPlan("component", 1, 1, 100, "for tests", symbols_at_once=1, parts=10, part_memory_mb=100),
}
