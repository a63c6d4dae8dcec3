"""Turns the counters of vendors' traffic into observations of metrics. No Ray."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gnosis_ray.monitoring import catalogue
from gnosis_ray.monitoring.catalogue import OUTCOME, VENDOR, Metric
from gnosis_ray.monitoring.run_meter import Observation
from gnosis_ray.schemas.run_schemas import VendorTraffic

TOTALS: Mapping[str, Metric] = {
    "requests": catalogue.VENDOR_REQUESTS,
    "rows": catalogue.VENDOR_ROWS,
    "wait_seconds": catalogue.VENDOR_WAITS,
}
OUTCOMES = ("retries", "throttled", "failures", "breaker_openings", "coalesced", "reused", "dropped_after_as_of")
"""Counted in one metric, separated by its tag."""


class TrafficMeter:
    """Observes one gateway: the increments of its counters since the last call."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def on_traffic(self, traffic: Iterable[VendorTraffic]) -> list[Observation]:
        """Counters that did not grow are left out."""
        found = []
        for vendor in traffic:
            for name, metric in TOTALS.items():
                if grown := self._growth(vendor, name):
                    found.append(Observation(metric, grown, {VENDOR: vendor.vendor}))
            for name in OUTCOMES:
                if grown := self._growth(vendor, name):
                    tags = {VENDOR: vendor.vendor, OUTCOME: name}
                    found.append(Observation(catalogue.VENDOR_EVENTS, grown, tags))
        return found

    def _growth(self, vendor: VendorTraffic, name: str) -> float:
        now = float(getattr(vendor, name))
        grown = now - self._seen.get((vendor.vendor, name), 0.0)
        self._seen[vendor.vendor, name] = now
        return grown
