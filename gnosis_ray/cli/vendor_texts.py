"""The text that commands print about vendors: what is planned to be asked of them, and what was."""

from __future__ import annotations

from collections.abc import Sequence

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.schemas.run_schemas import VendorTraffic
from gnosis_ray.vendors.fetching import VendorPlan


def describe_plans(plans: Sequence[VendorPlan]) -> list[tuple[str, str]]:
    """Rows of a dry run about the vendors."""
    return [
        (
            f"requests to {each.vendor}",
            f"about {each.requests:,} for {plural(each.fetches, 'answer')}: {_span(each.seconds)} at its rate",
        )
        for each in plans
    ]


def describe_traffic(traffic: VendorTraffic) -> str:
    """The counters of a vendor in one line; zeros are left out."""
    words = {
        "requests": plural(traffic.requests, "request"),
        "retries": f"{traffic.retries} tried again",
        "throttled": f"{traffic.throttled} refused as too many",
        "failures": f"{traffic.failures} failed",
        "breaker_openings": f"taken to be down {plural(traffic.breaker_openings, 'time')}",
        "coalesced": f"{traffic.coalesced} asked for twice at once",
        "reused": f"{traffic.reused} already cached",
        "dropped_after_as_of": f"{plural(traffic.dropped_after_as_of, 'row')} of later events dropped",
    }
    counts = [text for name, text in words.items() if name == "requests" or getattr(traffic, name)]
    waited = f"{traffic.wait_seconds:.0f} s waited for its rate"
    return f"{traffic.vendor}: {', '.join([*counts, plural(traffic.rows, 'row'), waited])}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
