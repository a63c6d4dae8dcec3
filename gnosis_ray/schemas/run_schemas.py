"""What a run over a universe is made of: its manifest, batches, receipts and failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from gnosis_ray.errors import FailureKind, GnosisError, error_types, text_of
from gnosis_ray.exit_codes import ExitCode
from gnosis_ray.plain_text import PlainText
from gnosis_ray.schemas.core_schemas import EngineKind, FrozenModel, UtcDatetime
from gnosis_ray.schemas.feature_spec import FeatureSpec

T = TypeVar("T")

RunStatus = Literal["done", "done_with_failures", "no_data", "interrupted"]

_EXIT_CODES: Mapping[RunStatus, ExitCode] = {
    "done": ExitCode.DONE,
    "done_with_failures": ExitCode.FINDINGS,
    "no_data": ExitCode.NO_DATA,
    "interrupted": ExitCode.INTERRUPTED,
}

MANIFEST_FORMAT = 2
"""Of manifests and receipts that this version writes. 1: of scans alone, receipts count snapshots and ideas."""

FORMAT_1_TABLES = ("snapshots", "suggestions", "trade_ideas", "details", "failures")
"""The tables of every run of format 1: its manifests do not name them."""

QUARANTINED = "Quarantined"
"""The ``error`` of a symbol that was written off because its process failed."""

_OLDER_KINDS: Mapping[str, FailureKind] = {
    QUARANTINED: "quarantined",
    **{error.__name__: error.failure_kind for error in error_types()},
}
_OLDER_STAGES: Mapping[str, FailureKind] = {
    "fetch": "provider",
    **dict.fromkeys(("engine", "snapshot", "agent", "composer", "trade_agent"), "component"),
}


class Failure(FrozenModel):
    """Why one symbol has no result, as a row.

    ``stage``: where, such as ``engine.hedge`` or ``fetch.chains``. ``error``: the name of the error's type, or what it
    names as its cause, such as ``HTTP 503``.
    """

    symbol: str
    stage: PlainText
    kind: FailureKind
    error: PlainText
    message: PlainText

    @classmethod
    def of(cls, error: BaseException, *, symbol: str, stage: str, untyped: FailureKind = "unexpected") -> Failure:
        """The failure that ``error`` stands for; a typed error's own stage wins. ``untyped``: the kind of others."""
        typed = error if isinstance(error, GnosisError) else None
        return cls(
            symbol=symbol,
            stage=(typed.stage if typed and typed.stage else stage),
            kind=typed.failure_kind if typed else untyped,
            error=(typed.cause if typed and typed.cause else type(error).__name__),
            message=typed.message if typed else text_of(error),
        )

    @classmethod
    def quarantined(cls, symbol: str, reason: str) -> Failure:
        """The failure of a symbol that was written off because its process failed."""
        return cls(symbol=symbol, stage="host", kind="quarantined", error=QUARANTINED, message=reason)

    @model_validator(mode="before")
    @classmethod
    def _of_before_kinds(cls, values: Any) -> Any:
        """A failure from before there were kinds has that of its error's name, else of its stage."""
        if not isinstance(values, Mapping) or values.get("kind") is not None:
            return values
        by_stage = _OLDER_STAGES.get(str(values.get("stage")).partition(".")[0], "unexpected")
        return {**values, "kind": _OLDER_KINDS.get(str(values.get("error")), by_stage)}


class Batch(FrozenModel):
    """A fixed group of symbols at fixed moments: the unit of work, of retry and of writing."""

    index: Annotated[int, Field(ge=0)]
    symbols: tuple[str, ...]
    timestamps: tuple[UtcDatetime, ...] = ()
    """The as-of moments at which each symbol is worked; ascending."""

    @property
    def name(self) -> str:
        """The name of its part in every table: ``batch-00007``."""
        return f"batch-{self.index:05d}"

    def only(self, symbols: Sequence[str]) -> Batch:
        """The same unit of work for some of its symbols."""
        return Batch(index=self.index, symbols=tuple(symbols), timestamps=self.timestamps)


class BatchReceipt(FrozenModel):
    """What came of a batch: counts and names, not objects."""

    batch: int
    attempt: int
    rows: dict[str, int] = Field(default_factory=dict)
    """Table -> rows."""
    digests: dict[str, str] = Field(default_factory=dict)
    """Table -> SHA-256 of the file of the batch's part; older batches have none, and are called unverified."""
    degraded: dict[PlainText, tuple[str, ...]] = Field(default_factory=dict)
    """Reason -> symbols, sorted."""
    failures: tuple[Failure, ...] = ()
    seconds: dict[str, float] = Field(default_factory=dict)
    """Stage -> seconds of work, for the summary; never part of a ledger table but ``runs``."""
    quote_age_sessions: float | None = None
    """Sessions that closed since the oldest quotes in use were made; None where there are no quotes."""

    @model_validator(mode="before")
    @classmethod
    def _of_format_1(cls, values: Any) -> Any:
        """A receipt of format 1 counts snapshots and ideas by name."""
        if not isinstance(values, Mapping) or "rows" in values or "snapshots" not in values:
            return values
        others = {name: value for name, value in values.items() if name not in ("snapshots", "ideas")}
        return {**others, "rows": {"snapshots": values["snapshots"], "trade_ideas": values.get("ideas", 0)}}


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
    """Fixed before launch, whatever runs it: the symbols, sorted, the moments, and the batch boundaries."""

    format: int = 1
    """See :data:`MANIFEST_FORMAT`; a manifest that states none is of the first."""
    kind: str = "scan"
    """Which of the run kinds: what a batch of it does, and into which tables."""
    tables: tuple[str, ...] = FORMAT_1_TABLES
    """The tables in which every batch has a part."""
    run_id: str
    run_date: date
    as_of: UtcDatetime
    provider: str
    synthetic: bool
    universe: str
    symbols: tuple[str, ...]
    batch_size: Annotated[int, Field(gt=0)]
    """Symbols a batch."""
    timestamps: tuple[UtcDatetime, ...] = ()
    """The moments at which the symbols are worked, ascending; none: at ``as_of``."""
    batch_timestamps: Annotated[int, Field(gt=0)] = 1
    """Moments a batch."""
    config_hash: str
    feature_hash: str = ""
    """Of the settings and the code that measure: whose history of features the run reads and adds to."""
    history_parts: tuple[str, ...] = ()
    """The parts of that history that were there when the run began: it reads these and no others."""
    config_json: str
    """The frozen settings, so that a resumed run decides as the first did."""
    version: str
    features: dict[EngineKind, tuple[FeatureSpec, ...]] = Field(default_factory=dict)
    """What the engines of the run measure, so that its ledger explains itself; none in older manifests."""
    traffic: tuple[VendorTraffic, ...] = ()
    """With vendors, before the pass; none where market data lay in a store."""
    fetch_failures: tuple[Failure, ...] = ()
    """What could not be fetched; its symbols are worked on what the store knows."""
    universe_note: str = ""
    """Where the symbols come from, and what to distrust in them."""

    def batches(self) -> tuple[Batch, ...]:
        """The moments and the universe cut into batches: by moment, then by symbol."""
        cuts = [
            (symbols, timestamps)
            for timestamps in _cut(self.timestamps or (self.as_of,), self.batch_timestamps)
            for symbols in _cut(self.symbols, self.batch_size)
        ]
        return tuple(Batch(index=i, symbols=s, timestamps=t) for i, (s, t) in enumerate(cuts))


class RunReceipt(FrozenModel):
    """One row of ``runs``: what was asked, what came of it, how long it took."""

    format: int = 1
    kind: str = "scan"
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
    rows: dict[str, int]
    """Table -> rows."""
    degraded: dict[PlainText, tuple[str, ...]]
    failures: tuple[Failure, ...]
    seconds: dict[str, float]
    config_hash: str
    version: str
    started_at: UtcDatetime
    finished_at: UtcDatetime
    traffic: tuple[VendorTraffic, ...] = ()
    universe_note: str = ""
    content_digest: str | None = None
    """Of the digests of all parts, see :func:`content_digest`; None where a batch has none."""

    @property
    def snapshots(self) -> int:
        """Symbols that a scan measured."""
        return self.rows.get("snapshots", 0)

    @property
    def ideas(self) -> int:
        """Trades that a scan made."""
        return self.rows.get("trade_ideas", 0)

    @property
    def ended(self) -> bool:
        """Whether the run is finished; one that was interrupted can be resumed."""
        return self.status != "interrupted"

    @property
    def exit_code(self) -> ExitCode:
        """Of the command that made the run."""
        return _EXIT_CODES[self.status]

    @property
    def wall_seconds(self) -> float:
        """From start to seal."""
        return (self.finished_at - self.started_at).total_seconds()


def content_digest(receipts: Sequence[BatchReceipt]) -> str | None:
    """One SHA-256 for the parts of all batches, whatever order they come in; None where a batch has no digests."""
    if not all(receipt.digests for receipt in receipts):
        return None
    parts = sorted((r.batch, table, digest) for r in receipts for table, digest in r.digests.items())
    return sha256("".join(f"{batch} {table} {digest}\n" for batch, table, digest in parts).encode()).hexdigest()


def new_run_id(started: datetime, salt: str) -> str:
    """A run's partition name, ``20260712T120000123-1f3a``: sortable, and never an input of any decision."""
    return f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03d}-{salt}"


def _cut(items: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    return (items[start : start + size] for start in range(0, len(items), size))
