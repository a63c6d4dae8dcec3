"""Turns what went over the wire to vendors into figures with names. No Ray."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gnosis_ray.monitoring import catalogue
from gnosis_ray.monitoring.catalogue import OUTCOME, VENDOR, Metric
from gnosis_ray.monitoring.run_meter import Observation
from gnosis_ray.schemas.run_schemas import VendorTraffic

FIGURES: Mapping[str, Metric] = {
    "requests": catalogue.VENDOR_REQUESTS,
    "rows": catalogue.VENDOR_ROWS,
    "wait_seconds": catalogue.VENDOR_WAITS,
}
TROUBLES = ("retries", "throttled", "failures", "breaker_openings", "coalesced", "reused", "dropped_after_as_of")
"""Counted in one metric, apart by its tag."""


class TrafficMeter:
    """Observes one gateway: what its counters grew by since they were last told."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def on_traffic(self, traffic: Iterable[VendorTraffic]) -> list[Observation]:
        """Counters that did not grow are left out."""
        found = []
        for vendor in traffic:
            for name, metric in FIGURES.items():
                if grown := self._growth(vendor, name):
                    found.append(Observation(metric, grown, {VENDOR: vendor.vendor}))
            for name in TROUBLES:
                if grown := self._growth(vendor, name):
                    tags = {VENDOR: vendor.vendor, OUTCOME: name}
                    found.append(Observation(catalogue.VENDOR_EVENTS, grown, tags))
        return found

    def _growth(self, vendor: VendorTraffic, name: str) -> float:
        now = float(getattr(vendor, name))
        grown = now - self._seen.get((vendor.vendor, name), 0.0)
        self._seen[vendor.vendor, name] = now
        return grown
