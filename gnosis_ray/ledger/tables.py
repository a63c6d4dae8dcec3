"""Column contracts of the ledger's tables, as Polars schemas.

In the tables of a batch, ``symbol`` and ``timestamp`` are the record's; ``record`` is its position in the batch and
ties rows of different tables together. A figure that was not computed is null. Only ``runs`` holds clock readings.
Each table of a batch ends with :data:`ORIGIN`: where the figures come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gnosis_ray.errors import LedgerError
from gnosis_ray.ledger.evidence import EVIDENCE
from gnosis_ray.market.columns import DETAILS, KEYS, UTC_TIME
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS, EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

_Columns = Mapping[str, pl.DataType | type[pl.DataType]]


def _schema(columns: _Columns) -> pl.Schema:
    return pl.Schema(columns)


ENTRIES = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
NAMED_VALUES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))
LEGS = pl.List(
    pl.Struct(
        {
            "instrument_type": pl.String,  # "C", "P" or "STOCK"
            "direction": pl.String,  # "buy" or "sell"
            "qty": pl.Int64,  # shares, or contracts of 100 shares
            "strike": pl.Float64,
            "expiry": pl.String,  # YYYY-MM-DD
            "price": pl.Float64,  # the fill that the cost counts on, USD per share
        }
    )
)

FAILURES = _schema(
    {
        "symbol": pl.String,
        "stage": pl.String,
        "error": pl.String,
        "message": pl.String,
        "kind": pl.String,  # one of ``gnosis_ray.errors.FailureKind``; null in ledgers from before there were kinds
    }
)
"""Why a symbol has no result, one row each."""

_RECORD_KEY: _Columns = {"record": pl.UInt32, "symbol": pl.String, "timestamp": UTC_TIME}

CONFIDENCE_COLUMNS: dict[EngineKind, str] = {kind: f"{kind}__confidence" for kind in ENGINE_KINDS}
"""Each engine's confidence, beside its features; no feature may have the name ``confidence``."""

ENGINES = pl.List(
    pl.Struct(
        {
            "kind": pl.String,
            "confidence": pl.Float64,
            "regime": pl.String,
            "degraded": pl.List(pl.String),
            "absent": pl.List(pl.String),
        }
    )
)
"""The summaries of a snapshot's engines, in the usual order of the engines."""

_SNAPSHOTS: _Columns = {
    **_RECORD_KEY,
    "regime": pl.String,
    "degraded": pl.String,  # comma-separated reasons of all engines, sorted; null where there is none
    **dict.fromkeys(CONFIDENCE_COLUMNS.values(), pl.Float64),
    "realized_pnl": pl.Float64,  # USD
    "snapshot_symbol": pl.String,  # the snapshot's own field
    "snapshot_timestamp": UTC_TIME,
    "metadata": ENTRIES,  # sorted by key
    "engines": ENGINES,  # null in ledgers from before there was this column
}

SUGGESTIONS = _schema(
    {
        **_RECORD_KEY,
        "position": pl.UInt32,  # among the primary suggestions; the composite comes after them
        "composite": pl.Boolean,
        "id": pl.String,
        "layer": pl.String,
        "action": pl.String,
        "confidence": pl.Float64,
        "forecast": NAMED_VALUES,  # sorted by name
        "reasoning": pl.String,
        "tags": pl.List(pl.String),
        "suggestion_symbol": pl.String,  # the suggestion's own field
        "suggestion_timestamp": UTC_TIME,  # null where the agent left it out
    }
)
"""One stance of one agent a row."""

TRADE_IDEAS = _schema(
    {
        **_RECORD_KEY,
        "position": pl.UInt32,
        "id": pl.String,
        "strategy_type": pl.String,
        "side": pl.String,
        "legs": LEGS,
        "cost_per_unit": pl.Float64,  # USD; a credit is negative
        "max_loss": pl.Float64,  # USD a unit; infinite where unbounded
        "max_profit": pl.Float64,  # USD a unit; null where unbounded
        "breakeven_levels": pl.List(pl.Float64),
        "probability_of_profit": pl.Float64,  # at expiry, under the smile
        "expected_value": pl.Float64,  # USD a unit, under the smile, costs counted
        "expected_edge": pl.Float64,  # USD a unit that the stance adds to it, by the configured view
        "target_exit_price": pl.Float64,
        "stop_loss_price": pl.Float64,
        "recommended_units": pl.Int64,
        "confidence": pl.Float64,
        "rationale": pl.String,
        "tags": pl.List(pl.String),
        "idea_symbol": pl.String,  # the idea's own field
    }
)
"""One costed trade a row."""

TRAFFIC = _schema(
    {
        "vendor": pl.String,
        "requests": pl.Int64,
        "retries": pl.Int64,
        "throttled": pl.Int64,
        "failures": pl.Int64,
        "breaker_openings": pl.Int64,
        "coalesced": pl.Int64,
        "reused": pl.Int64,
        "rows": pl.Int64,
        "dropped_after_as_of": pl.Int64,
        "wait_seconds": pl.Float64,
    }
)
"""What went over the wire to a vendor; see :class:`gnosis_ray.schemas.run_schemas.VendorTraffic`."""

RUNS = _schema(
    {
        "status": pl.String,
        "as_of": UTC_TIME,
        "provider": pl.String,
        "synthetic": pl.Boolean,
        "universe": pl.String,
        "granularity": pl.String,
        "hosts": pl.Int64,
        "symbols": pl.Int64,
        "snapshots": pl.Int64,
        "ideas": pl.Int64,
        "degraded": pl.List(pl.Struct({"reason": pl.String, "symbols": pl.List(pl.String)})),
        "failures": pl.List(pl.Struct(dict.fromkeys(FAILURES, pl.String))),
        "seconds": pl.List(pl.Struct({"stage": pl.String, "seconds": pl.Float64})),
        "config_hash": pl.String,
        "version": pl.String,
        "started_at": UTC_TIME,
        "finished_at": UTC_TIME,
        "traffic": pl.List(pl.Struct(dict(TRAFFIC))),  # a vendor each; empty where none was asked
        "universe_note": pl.String,  # where the symbols come from, and what to distrust in them
        "format": pl.Int64,
        "kind": pl.String,  # of run
        "rows": pl.List(pl.Struct({"table": pl.String, "rows": pl.Int64})),
        "content_digest": pl.String,  # SHA-256 of the digests of all parts; null where they have none
        "sha256": pl.String,  # of the other columns of this row, see ``rows.row_digest``; null in older runs
    }
)
"""One run a row; its date and id are the partition."""

PARTITION_COLUMNS = _schema({"run_date": pl.Date, "run_id": pl.String})
"""What every table has besides, from the names of its folders."""

ORIGIN = _schema({"provider": pl.String, "synthetic": pl.Boolean})
"""The last columns of every table of a batch: the run's provider, and whether its figures are made up; null in
records that were appended without a run."""


@dataclass(frozen=True)
class LedgerTable:
    """A table in which every batch of a run has a part: its columns but for :data:`ORIGIN`, and the order of its rows.

    ``open``: features may follow the columns, an f64 column each, as in ``snapshots``.
    """

    name: str
    schema: pl.Schema
    sort_key: tuple[str, ...]
    open: bool = False


FAILURES_TABLE = LedgerTable("failures", FAILURES, tuple(FAILURES))
"""Of every kind of run."""

_EVIDENCE_KEYS = {
    "considered": ("symbol", "timestamp", "position"),
    "leg_quotes": ("symbol", "timestamp", "idea_id", "leg"),
    "payoffs": ("symbol", "timestamp", "idea_id", "line", "x"),
    "curves": ("symbol", "timestamp", "name", "x"),
    "bars": ("symbol", "timestamp", "closed_at"),
    "headlines": ("symbol", "timestamp", "published_at", "source", "headline"),
}

RECORD_TABLES = (
    LedgerTable("snapshots", _schema(_SNAPSHOTS), ("record",), open=True),
    LedgerTable("suggestions", SUGGESTIONS, ("record", "position")),
    LedgerTable("trade_ideas", TRADE_IDEAS, ("record", "position")),
    LedgerTable("details", DETAILS, ("symbol", "timestamp", "name", "x", "value")),
    FAILURES_TABLE,
)
"""What was measured and decided, and what failed."""

EVIDENCE_TABLES = tuple(LedgerTable(name, EVIDENCE[name], key) for name, key in _EVIDENCE_KEYS.items())
"""The evidence behind records; see :mod:`gnosis_ray.ledger.evidence`."""

SCAN_TABLES = (*RECORD_TABLES, *EVIDENCE_TABLES)
"""What a scan writes."""

BACKFILL_TABLES = (
    LedgerTable("features", KEYS, ("symbol", "timestamp"), open=True),
    FAILURES_TABLE,
)
"""What a backfill writes: what the engines measured of each symbol at each moment, a column a feature."""

BATCH_TABLES: dict[str, LedgerTable] = {table.name: table for table in (*SCAN_TABLES, *BACKFILL_TABLES)}
"""Every table in which batches have parts, of whatever kind of run, by name."""

RUNS_TABLE = "runs"
TABLES = (*BATCH_TABLES, RUNS_TABLE)


def table_schema(table: str, feature_columns: Sequence[str] = ()) -> pl.Schema:
    """The columns of a table's files; ``feature_columns`` are those of ``snapshots``."""
    if table == RUNS_TABLE:
        return RUNS
    declared = BATCH_TABLES[table]
    features = dict.fromkeys(feature_columns if declared.open else (), pl.Float64())
    return pl.Schema({**declared.schema, **features, **ORIGIN})


def snapshots_schema(feature_columns: Sequence[str]) -> pl.Schema:
    """The wide table: what is always there, then one f64 column a feature."""
    return _schema({**_SNAPSHOTS, **dict.fromkeys(feature_columns, pl.Float64)})


def feature_column(kind: EngineKind, name: str) -> str:
    """The column of a feature: ``hedge__gamma_pressure``. Raises where the ledger needs that name itself."""
    column = f"{kind}__{name}"
    if column == CONFIDENCE_COLUMNS[kind]:
        raise LedgerError(f"No feature of '{kind}' can be named '{name}': the column {column} is the engine's own")
    return column


def feature_columns(features: Mapping[EngineKind, Sequence[FeatureSpec]]) -> tuple[str, ...]:
    """The feature columns of ``snapshots``, engines in their usual order, features in the order of their specs."""
    return tuple(feature_column(kind, spec.name) for kind in ENGINE_KINDS for spec in features.get(kind, ()))
