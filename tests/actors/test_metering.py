"""Figures reach Ray under their names, and no trouble with them reaches the run."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from actors import metering
from actors.metering import RayMeter
from gnosis_ray.monitoring.run_meter import RunMeter
from gnosis_ray.schemas.run_schemas import BatchReceipt

RECEIPT = BatchReceipt(
    batch=0,
    attempt=1,
    rows={"snapshots": 3},
    degraded={"hedge:stale_quotes": ("A",)},
    seconds={"load": 0.5},
    quote_age_sessions=2.0,
)


class Recorder:
    """Stands in for each class of ``ray.util.metrics``; like those, it refuses tags that were not declared."""

    made: list[Recorder]
    broken = False

    def __init__(self, name: str, description: str, tag_keys: tuple[str, ...], **_: Any) -> None:
        self.name, self.tag_keys = name, tag_keys
        self.seen: list[float] = []
        self.made.append(self)

    def inc(self, value: float, tags: dict[str, str]) -> None:
        if self.broken:
            raise RuntimeError("no agent")
        assert set(tags) == set(self.tag_keys)
        assert value > 0
        self.seen.append(value)

    set = observe = inc


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []
    kind = type("Recorder", (Recorder,), {"made": made})
    monkeypatch.setattr(metering, "metrics", SimpleNamespace(Counter=kind, Gauge=kind, Histogram=kind))
    return made


def test_each_figure_goes_to_the_metric_of_its_name(recorders: list[Recorder]) -> None:
    meter = RayMeter()
    meter.record(RunMeter("shard").on_receipt(RECEIPT))
    meter.record(RunMeter("shard").on_receipt(RECEIPT))
    assert {each.name: each.seen for each in recorders if each.seen} == {
        "gnosis_batches_done": [1, 1],
        "gnosis_symbols_done": [3, 3],
        "gnosis_symbols_degraded": [1, 1],
        "gnosis_ledger_rows": [3, 3],
        "gnosis_stage_seconds": [0.5, 0.5],
        "gnosis_quote_age_sessions": [2.0, 2.0],
    }


def test_an_error_of_metrics_is_logged_once_and_ends_no_run(
    recorders: list[Recorder], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Recorder, "broken", True)
    meter = RayMeter()
    with caplog.at_level(logging.WARNING, logger="actors.metering"):
        meter.record(RunMeter("shard").on_receipt(RECEIPT))
        meter.record(RunMeter("shard").on_receipt(RECEIPT))
    assert [record.getMessage() for record in caplog.records] == ["no more metrics of this run: RuntimeError: no agent"]
