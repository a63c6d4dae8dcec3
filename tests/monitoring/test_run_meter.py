"""What a meter says of receipts and reports."""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.fanout import FanoutReport
from gnosis_ray.monitoring.catalogue import METRICS
from gnosis_ray.monitoring.run_meter import Observation, RunMeter
from gnosis_ray.schemas.run_schemas import BatchReceipt, Failure

REPORT = FanoutReport("shard", 2, 0, 0, 0, (), 0.0)
LOST = Failure.quarantined("X", "the process at work on it died")
SYMBOLS = st.lists(st.text(string.ascii_uppercase, min_size=1, max_size=5), unique=True, max_size=6).map(tuple)


def failures(*stages: str) -> tuple[Failure, ...]:
    return tuple(
        Failure(symbol=f"S{i}", stage=s, kind="component", error="E", message="m") for i, s in enumerate(stages)
    )


RECEIPTS = st.builds(
    BatchReceipt,
    batch=st.integers(0, 99),
    attempt=st.just(1),
    rows=st.fixed_dictionaries({"snapshots": st.integers(0, 50), "trade_ideas": st.integers(0, 200)}),
    degraded=st.dictionaries(st.sampled_from(["hedge:stale_quotes", "liquidity:no_bars"]), SYMBOLS),
    failures=st.lists(st.sampled_from(["load", "engine.hedge", "host"]), max_size=5).map(lambda each: failures(*each)),
    seconds=st.dictionaries(st.sampled_from(["load", "agents", "ledger"]), st.floats(0, 1000)),
    quote_age_sessions=st.none() | st.integers(0, 30).map(float),
)


def total(observations: list[Observation]) -> dict[str, float]:
    """Sums by metric and tags."""
    sums: Counter[str] = Counter()
    for each in observations:
        where = {name: value for name, value in each.tags.items() if name != "granularity"}
        sums[" ".join([each.metric.name, *where.values()])] += each.value  # type: ignore[assignment]
    return dict(sums)


def test_a_receipt_in_figures() -> None:
    receipt = BatchReceipt(
        batch=7,
        attempt=2,
        rows={"snapshots": 3, "trade_ideas": 5, "failures": 4},
        degraded={"hedge:stale_quotes": ("A", "B"), "sentiment:short_history": ("C",)},
        failures=(*failures("load", "engine.hedge", "load"), LOST),
        seconds={"load": 0.5, "engine.hedge": 0.25},
        quote_age_sessions=2.0,
    )
    assert total(RunMeter("shard").on_receipt(receipt)) == {
        "gnosis_batches_done": 1,
        "gnosis_symbols_done": 3,
        "gnosis_symbols_degraded hedge stale_quotes": 2,
        "gnosis_symbols_degraded sentiment short_history": 1,
        "gnosis_symbols_quarantined": 1,
        "gnosis_symbols_failed host": 1,
        "gnosis_symbols_failed load": 2,
        "gnosis_symbols_failed engine.hedge": 1,
        "gnosis_ledger_rows snapshots": 3,
        "gnosis_ledger_rows trade_ideas": 5,
        "gnosis_ledger_rows failures": 4,
        "gnosis_stage_seconds load": 0.5,
        "gnosis_stage_seconds engine.hedge": 0.25,
        "gnosis_quote_age_sessions": 2.0,
    }


@given(st.lists(RECEIPTS, max_size=8))
def test_figures_add_up_to_what_the_receipts_say(receipts: list[BatchReceipt]) -> None:
    meter = RunMeter("symbol")
    seen = [each for receipt in receipts for each in meter.on_receipt(receipt)]
    sums = total([each for each in seen if each.metric.kind == "counter"])
    assert sums.get("gnosis_batches_done", 0) == len(receipts)
    assert sums.get("gnosis_symbols_done", 0) == sum(receipt.rows["snapshots"] for receipt in receipts)
    assert sums.get("gnosis_ledger_rows trade_ideas", 0) == sum(receipt.rows["trade_ideas"] for receipt in receipts)
    failed = sum(value for name, value in sums.items() if name.startswith("gnosis_symbols_failed"))
    assert failed == sum(len(receipt.failures) for receipt in receipts)
    observed = [each for each in seen if each.metric.kind == "histogram"]
    assert len(observed) == sum(len(receipt.seconds) for receipt in receipts)


@given(st.lists(RECEIPTS, max_size=8))
def test_no_figure_names_a_symbol_and_each_has_the_tags_of_its_metric(receipts: list[BatchReceipt]) -> None:
    meter = RunMeter("shard")
    for receipt in receipts:
        for each in meter.on_receipt(receipt):
            assert set(each.tags) == set(each.metric.tags)
            assert "symbol" not in each.tags
            assert each.metric.kind != "counter" or each.value > 0  # Ray refuses to count nothing


def test_the_age_of_quotes_is_that_of_the_oldest_so_far() -> None:
    meter = RunMeter("shard")
    ages = [0.0, 3.0, None, 1.0, 4.0]
    receipts = [
        BatchReceipt(batch=i, attempt=1, rows={"snapshots": 0}, quote_age_sessions=age) for i, age in enumerate(ages)
    ]
    seen = [each.value for receipt in receipts for each in meter.on_receipt(receipt) if each.metric.kind == "gauge"]
    assert seen == [0.0, 3.0, 4.0]


def test_reports_of_one_run_are_counted_by_what_they_grew() -> None:
    meter = RunMeter("shard")
    first = replace(REPORT, hosts_lost=1, requeued=2)
    assert total(meter.on_report(first)) == {"gnosis_hosts_lost": 1, "gnosis_batches_requeued": 2}
    assert meter.on_report(first) == []
    later = replace(first, hosts_lost=3, reissued=1)
    assert total(meter.on_report(later)) == {"gnosis_hosts_lost": 2, "gnosis_batches_copied": 1}


def test_names_are_told_apart_and_parted_by_no_symbol() -> None:
    names = [name for metric in METRICS for name in metric.exported]
    assert len(names) == len(set(names))
    assert all("symbol" not in metric.tags for metric in METRICS)
    assert all(metric.bounds == tuple(sorted(set(metric.bounds))) for metric in METRICS)
