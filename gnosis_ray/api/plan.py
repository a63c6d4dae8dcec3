"""What a run would do, before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gnosis_ray.storage.location import Location
from gnosis_ray.vendors.fetching import VendorPlan


@dataclass(frozen=True)
class RunPlan:
    """What a run would do: its symbols, what it would fetch, and the processes that would work it.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> plan = gr.plan_scan(symbols="AAPL,MSFT", granularity="inline")
    >>> plan.universe, plan.batches, plan.synthetic, plan.vendors
    ('list', 1, True, ())
    """

    kind: str
    timestamps: int
    """Moments at which each symbol is worked."""
    symbols: tuple[str, ...]
    universe: str
    """The name of the universe that the symbols are; ``list`` where they were listed."""
    as_of: datetime | None
    """The moment of the decisions, UTC; None where it is the one at which everything is fetched."""
    provider: str
    synthetic: bool
    vendors: tuple[VendorPlan, ...]
    """What would be requested of each vendor, and the seconds that takes at its rate."""
    batches: int
    batch_size: int
    """Symbols a batch, at most."""
    granularity: str
    """What one Ray actor runs: a component of a symbol, a symbol, a shard of symbols; ``inline``: no Ray."""
    hosts: int
    actors: int
    """The most alive at once; none without Ray."""
    waves: int
    """How often the hosts are filled with symbols until all are done."""
    memory_mb: int
    """The most memory reserved at once."""
    placement: str
    """One sentence about the hosts and what bounds their number."""
    ledger: Location
