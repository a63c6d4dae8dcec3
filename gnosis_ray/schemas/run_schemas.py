"""What a run over a universe is made of: its manifest, batches, receipts and failures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from gnosis_ray.errors import GnosisError
from gnosis_ray.schemas.core_schemas import FrozenModel, UtcDatetime

RunStatus = Literal["done", "done_with_failures", "no_data", "interrupted"]


QUARANTINED = "Quarantined"
"""The error of a symbol that was written off because its process failed."""


class Failure(FrozenModel):
    """Why one symbol has no result, as a row."""

    symbol: str
    stage: str
    error: str
    message: str

    @classmethod
    def of(cls, error: BaseException, *, symbol: str, stage: str) -> Failure:
        """The failure that ``error`` stands for; a typed error's own stage wins."""
        typed = error if isinstance(error, GnosisError) else None
        return cls(
            symbol=symbol,
            stage=(typed.stage if typed and typed.stage else stage),
            error=(typed.cause if typed and typed.cause else type(error).__name__),
            message=typed.message if typed else str(error),
        )


class Batch(FrozenModel):
    """A fixed group of symbols: the unit of work, of retry and of writing."""

    index: Annotated[int, Field(ge=0)]
    symbols: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its part in every table: ``batch-00007``."""
        return f"batch-{self.index:05d}"


class BatchReceipt(FrozenModel):
    """What came of a batch: counts and names, not objects."""

    batch: int
    attempt: int
    snapshots: int
    ideas: int
    degraded: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Reason -> symbols, sorted."""
    failures: tuple[Failure, ...] = ()
    seconds: dict[str, float] = Field(default_factory=dict)
    """Stage -> seconds of work, for the summary; never part of a ledger table but ``runs``."""
    quote_age_sessions: float | None = None
    """Sessions that closed since the oldest quotes in use were made; None where there are no quotes."""


class VendorTraffic(FrozenModel):
    """The traffic to one vendor in a run."""

    vendor: str
    requests: int = 0
    """Every try counts."""
    retries: int = 0
    throttled: int = 0
    """Answers that there were too many requests (429)."""
    failures: int = 0
    """Symbols and kinds that could not be had."""
    breaker_openings: int = 0
    coalesced: int = 0
    """Asked for while the same was in flight already."""
    reused: int = 0
    """Answers of before that were young enough."""
    rows: int = 0
    """Handed out."""
    dropped_after_as_of: int = 0
    """Rows of events that were still to come."""
    wait_seconds: float = 0.0
    """For the vendor's rate, summed over threads."""


class RunManifest(FrozenModel):
    """Fixed before launch, whatever runs it: the symbols, sorted, and the batch boundaries."""

    run_id: str
    run_date: date
    as_of: UtcDatetime
    provider: str
    synthetic: bool
    universe: str
    symbols: tuple[str, ...]
    batch_size: Annotated[int, Field(gt=0)]
    config_hash: str
    config_json: str
    """The frozen settings, so that a resumed run decides as the first did."""
    version: str
    traffic: tuple[VendorTraffic, ...] = ()
    """With vendors, before the pass; none where market data lay in a store."""
    fetch_failures: tuple[Failure, ...] = ()
    """What could not be fetched; its symbols are worked on what the store knows."""
    universe_note: str = ""
    """Where the symbols come from, and what to distrust in them."""

    def batches(self) -> tuple[Batch, ...]:
        """The universe cut into batches, in order."""
        size = self.batch_size
        return tuple(
            Batch(index=i, symbols=self.symbols[start : start + size])
            for i, start in enumerate(range(0, len(self.symbols), size))
        )


class RunReceipt(FrozenModel):
    """One row of ``runs``: what was asked, what came of it, how long it took."""

    run_id: str
    run_date: date
    status: RunStatus
    as_of: UtcDatetime
    provider: str
    synthetic: bool
    universe: str
    granularity: str
    hosts: int
    symbols: int
    snapshots: int
    ideas: int
    degraded: dict[str, tuple[str, ...]]
    failures: tuple[Failure, ...]
    seconds: dict[str, float]
    config_hash: str
    version: str
    started_at: UtcDatetime
    finished_at: UtcDatetime
    traffic: tuple[VendorTraffic, ...] = ()
    universe_note: str = ""

    @property
    def wall_seconds(self) -> float:
        """From start to seal."""
        return (self.finished_at - self.started_at).total_seconds()


def new_run_id(started: datetime, salt: str) -> str:
    """A run's partition name, ``20260712T120000123-1f3a``: sortable, and never an input of any decision."""
    return f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03d}-{salt}"
