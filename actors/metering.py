"""The figures of a run as Ray metrics, which Prometheus reads on each node's metrics port."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ray.util import metrics

from gnosis_ray.monitoring.catalogue import METRICS, Metric
from gnosis_ray.monitoring.run_meter import Observation

logger = logging.getLogger(__name__)


class RayMeter:
    """Records observations. It never raises: after an error it logs a warning once and records no more."""

    def __init__(self) -> None:
        self._broken = False
        self._recorders: dict[Metric, Any] = {}

    def record(self, observations: Iterable[Observation]) -> None:
        """Record figures with Ray, which exports them every few seconds. Takes microseconds each."""
        if self._broken:
            return
        try:
            if not self._recorders:
                self._recorders = {metric: _recorder(metric) for metric in METRICS}
            for each in observations:
                _put(self._recorders[each.metric], each)
        except Exception as error:  # noqa: BLE001 - metrics must not end a run
            self._broken = True
            logger.warning("no more metrics of this run: %s: %s", type(error).__name__, error)


def _recorder(metric: Metric) -> Any:
    if metric.kind == "counter":
        return metrics.Counter(metric.name, description=metric.meaning, tag_keys=metric.tags)
    if metric.kind == "gauge":
        return metrics.Gauge(metric.name, description=metric.meaning, tag_keys=metric.tags)
    return metrics.Histogram(
        metric.name, description=metric.meaning, boundaries=list(metric.bounds), tag_keys=metric.tags
    )


def _put(recorder: Any, each: Observation) -> None:
    tags = dict(each.tags)
    if each.metric.kind == "counter":
        recorder.inc(each.value, tags=tags)
    elif each.metric.kind == "gauge":
        recorder.set(each.value, tags=tags)
    else:
        recorder.observe(each.value, tags=tags)
