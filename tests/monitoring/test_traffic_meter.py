"""What a meter says of the traffic with vendors."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.monitoring.traffic_meter import OUTCOMES, TOTALS, TrafficMeter
from gnosis_ray.schemas.run_schemas import VendorTraffic

COUNTS = st.fixed_dictionaries({name: st.integers(0, 50) for name in (*TOTALS, *OUTCOMES)})


def test_every_counter_is_observed() -> None:
    assert {*TOTALS, *OUTCOMES} == {*VendorTraffic.model_fields} - {"vendor"}


@given(st.lists(st.tuples(st.sampled_from(["cboe", "yahoo"]), COUNTS), max_size=12))
def test_figures_add_up_to_what_was_told_last(steps: list[tuple[str, dict[str, int]]]) -> None:
    meter, seen = TrafficMeter(), Counter[tuple[str, ...]]()
    standing: dict[str, Counter[str]] = {"cboe": Counter(), "yahoo": Counter()}
    for vendor, growth in steps:
        standing[vendor].update(growth)
        told = VendorTraffic.model_validate({"vendor": vendor, **standing[vendor]})
        for each in meter.on_traffic([told]):
            assert each.value > 0  # Ray refuses to count nothing
            assert set(each.tags) == set(each.metric.tags)
            seen[each.metric.name, *each.tags.values()] += int(each.value)
    for vendor, counts in standing.items():
        assert seen["gnosis_vendor_requests", vendor] == counts["requests"]
        assert seen["gnosis_vendor_rows", vendor] == counts["rows"]
        assert all(seen["gnosis_vendor_events", vendor, name] == counts[name] for name in OUTCOMES)
