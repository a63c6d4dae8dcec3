"""Contracts to frames and back: the same records always give the same frames, and come back equal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import polars as pl
from pydantic import ValidationError

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.evidence import no_evidence
from gnosis_ray.ledger.tables import (
    CONFIDENCE_COLUMNS,
    FAILURES,
    PARTITION_COLUMNS,
    RUNS,
    SUGGESTIONS,
    TRADE_IDEAS,
    feature_column,
    snapshots_schema,
)
from gnosis_ray.schemas.core_schemas import (
    ENGINE_KINDS,
    EngineKind,
    EngineSummary,
    LedgerRecord,
    StandardSnapshot,
    Suggestion,
    TradeIdea,
    TradeLeg,
    reason_names,
)
from gnosis_ray.schemas.formats import checked_format
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, Failure, RunReceipt, VendorTraffic

Row = dict[str, Any]
_SUGGESTION_FIELDS = ("id", "layer", "action", "confidence", "reasoning", "tags")
_IDEA_FIELDS = tuple(name for name in TradeIdea.model_fields if name not in ("symbol", "legs"))
_ADDED = ("traffic", "universe_note", "format", "kind", "rows", "content_digest")
"""Columns of ``runs`` that older ones lack."""

_ROW_DIGEST = "sha256"

_RUN_FIELDS = tuple(
    name for name in RUNS if name not in ("snapshots", "ideas", "degraded", "failures", "seconds", _ROW_DIGEST, *_ADDED)
)


def degraded_reasons(snapshot: StandardSnapshot) -> tuple[str, ...]:
    """The reasons of all engines, sorted, each once."""
    return tuple(sorted({reason for summary in snapshot.engines.values() for reason in summary.degraded}))


def snapshots_frame(records: Sequence[LedgerRecord], known_features: Sequence[str]) -> pl.DataFrame:
    """One row a record. Feature columns: the known ones in their order, then any other that occurs, sorted."""
    features = [_features(record.snapshot) for record in records]
    others = sorted(set().union(*features).difference(known_features))
    columns = (*known_features, *others)
    rows = [_snapshot_row(i, record) for i, record in enumerate(records)]
    for row, values in zip(rows, features, strict=True):
        row.update({column: values.get(column) for column in columns})
    return _frame(rows, snapshots_schema(columns))


def suggestions_frame(records: Sequence[LedgerRecord]) -> pl.DataFrame:
    """One row a suggestion: of each record the primary ones in their order, then the composite."""
    rows = []
    for i, record in enumerate(records):
        primary = len(record.primary_suggestions)
        for position, suggestion in enumerate((*record.primary_suggestions, record.composite_suggestion)):
            row = _key(i, record) | {name: getattr(suggestion, name) for name in _SUGGESTION_FIELDS}
            row |= {"position": position, "composite": position == primary}
            row |= {"suggestion_symbol": suggestion.symbol, "suggestion_timestamp": suggestion.timestamp}
            row["forecast"] = _pairs(suggestion.forecast, "name", "value")
            rows.append(row)
    return _frame(rows, SUGGESTIONS)


def trade_ideas_frame(records: Sequence[LedgerRecord]) -> pl.DataFrame:
    """One row a trade idea, in the order of each record."""
    rows = []
    for i, record in enumerate(records):
        for position, idea in enumerate(record.trade_ideas):
            row = _key(i, record) | {name: getattr(idea, name) for name in _IDEA_FIELDS}
            row |= {"position": position, "idea_symbol": idea.symbol}
            row["legs"] = [dict(leg) for leg in idea.legs]
            rows.append(row)
    return _frame(rows, TRADE_IDEAS)


def failures_frame(failures: Sequence[Failure]) -> pl.DataFrame:
    """One row a failure."""
    return _frame([dict(failure) for failure in failures], FAILURES)


def failures_of(failures: pl.DataFrame) -> Iterator[Failure]:
    """The failures in rows of ``failures``."""
    own = [name for name in FAILURES if name in failures.columns]  # older ledgers have no ``kind``
    return (Failure(**row) for row in failures.select(own).iter_rows(named=True))


def scan_frames(
    records: Sequence[LedgerRecord],
    details: pl.DataFrame,
    failures: Sequence[Failure],
    known_features: Sequence[str],
    evidence: Mapping[str, pl.DataFrame] | None = None,
) -> dict[str, pl.DataFrame]:
    """The tables of a scan. ``details``: ``columns.DETAILS``; ``known_features``: the feature columns of ``snapshots``
    that are there whether or not they occur; ``evidence``: by table, none where there is none."""
    return {
        "snapshots": snapshots_frame(records, known_features),
        "suggestions": suggestions_frame(records),
        "trade_ideas": trade_ideas_frame(records),
        "details": details,
        "failures": failures_frame(failures),
        **(no_evidence() if evidence is None else evidence),
    }


def runs_frame(receipt: RunReceipt) -> pl.DataFrame:
    """The row of one run."""
    row = {name: getattr(receipt, name) for name in _RUN_FIELDS}
    row["degraded"] = [{"reason": r, "symbols": list(s)} for r, s in sorted(receipt.degraded.items())]
    row["failures"] = [dict(failure) for failure in receipt.failures]
    row["seconds"] = _pairs(receipt.seconds, "stage", "seconds")
    row["traffic"] = [dict(vendor) for vendor in receipt.traffic]
    row |= {name: getattr(receipt, name) for name in ("snapshots", "ideas", *_ADDED) if name not in row}
    row["rows"] = _pairs(receipt.rows, "table", "rows")
    frame = _frame([row | {_ROW_DIGEST: None}], RUNS)
    return frame.with_columns(pl.lit(row_digest(frame), pl.String).alias(_ROW_DIGEST))


def row_digest(runs: pl.DataFrame) -> str:
    """SHA-256 of the values of a row of ``runs``, but for its own; the same in every version that reads them."""
    values = runs.drop(_ROW_DIGEST, *PARTITION_COLUMNS, strict=False).row(0, named=True)
    return sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def receipt_of(runs: pl.DataFrame) -> RunReceipt:
    """The receipt in the one row of ``runs`` with its partition columns.

    Raises :class:`IntegrityError` where the row is not what was written, or is no receipt.
    """
    if runs.height != 1:
        raise IntegrityError(f"it holds no receipt: Expected one row, was {runs.height}")
    row = runs.row(0, named=True)
    stated = row.get(_ROW_DIGEST)
    older = stated is None and row.get("content_digest") is None
    if not older and stated != row_digest(runs):
        raise IntegrityError(f"it is not what was written: its {_ROW_DIGEST} is that of other values")
    try:
        return _receipt(row)
    except (KeyError, TypeError, ValidationError) as error:
        raise IntegrityError("it holds no receipt", cause=type(error).__name__) from error


def records_of(snapshots: pl.DataFrame, suggestions: pl.DataFrame, ideas: pl.DataFrame) -> Iterator[LedgerRecord]:
    """The records of one batch, in their order, out of its parts."""
    suggested, traded = _by_record(suggestions), _by_record(ideas)
    for row in snapshots.sort("record").iter_rows(named=True):
        *primary, composite = [_suggestion(r) for r in suggested[row["record"]]]
        yield LedgerRecord(
            timestamp=row["timestamp"],
            symbol=row["symbol"],
            snapshot=_snapshot(row),
            primary_suggestions=primary,
            composite_suggestion=composite,
            trade_ideas=[_idea(r) for r in traded[row["record"]]],
            realized_pnl=row["realized_pnl"],
        )


def _frame(rows: Sequence[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame({name: [row[name] for row in rows] for name in schema}, schema=schema)


def _key(i: int, record: LedgerRecord) -> Row:
    return {"record": i, "symbol": record.symbol, "timestamp": record.timestamp}


def _pairs(values: Mapping[str, Any], key: str, value: str) -> list[Row]:
    return [{key: name, value: values[name]} for name in sorted(values)]


def _unpaired(pairs: Sequence[Row], key: str, value: str) -> dict[str, Any]:
    return {pair[key]: pair[value] for pair in pairs}


def _features(snapshot: StandardSnapshot) -> dict[str, float]:
    return {feature_column(k, name): value for k in ENGINE_KINDS for name, value in getattr(snapshot, k).items()}


def _snapshot_row(i: int, record: LedgerRecord) -> Row:
    snapshot = record.snapshot
    row = _key(i, record) | {"regime": snapshot.regime, "realized_pnl": record.realized_pnl}
    row |= {"snapshot_symbol": snapshot.symbol, "snapshot_timestamp": snapshot.timestamp}
    engines = {kind: snapshot.engines[kind] for kind in ENGINE_KINDS if kind in snapshot.engines}
    row |= dict.fromkeys(CONFIDENCE_COLUMNS.values())
    row |= {CONFIDENCE_COLUMNS[kind]: summary.confidence for kind, summary in engines.items()}
    row["engines"] = [{"kind": kind, **dict(summary)} for kind, summary in engines.items()]
    row["degraded"] = ",".join(degraded_reasons(snapshot)) or None
    row["metadata"] = _pairs(snapshot.metadata, "key", "value")
    return row


def _by_record(frame: pl.DataFrame) -> Mapping[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in frame.sort("record", "position").iter_rows(named=True):
        rows[row["record"]].append(row)
    return rows


def _snapshot(row: Row) -> StandardSnapshot:
    features: dict[str, dict[str, float]] = {kind: {} for kind in ENGINE_KINDS}
    for column, value in row.items():
        kind, separator, name = column.partition("__")
        if separator and value is not None and kind in features and column not in CONFIDENCE_COLUMNS.values():
            features[kind][name] = value
    metadata = _unpaired(row["metadata"], "key", "value")
    return StandardSnapshot(
        symbol=row["snapshot_symbol"],
        timestamp=row["snapshot_timestamp"],
        regime=row["regime"],
        metadata=metadata,
        engines=_older_engines(row, metadata) if row.get("engines") is None else _engines(row["engines"]),
        **features,
    )


def _engines(rows: Sequence[Row]) -> dict[EngineKind, EngineSummary]:
    return {row["kind"]: EngineSummary(**{name: row[name] for name in row if name != "kind"}) for row in rows}


def _older_engines(row: Row, metadata: Mapping[str, str]) -> dict[EngineKind, EngineSummary]:
    """The summaries of a snapshot from before they had a column: its columns of confidence, its texts."""
    confidences = {kind: row.get(column) for kind, column in CONFIDENCE_COLUMNS.items()}
    return {
        kind: EngineSummary(
            confidence=confidence,
            regime=metadata.get(f"{kind}.regime"),
            degraded=reason_names(metadata.get(f"{kind}.degraded")),
            absent=reason_names(metadata.get(f"{kind}.absent")),
        )
        for kind, confidence in confidences.items()
        if confidence is not None and 0.0 <= confidence <= 1.0  # appended by hand, it may be any number
    }


def _suggestion(row: Row) -> Suggestion:
    return Suggestion(
        symbol=row["suggestion_symbol"],
        timestamp=row["suggestion_timestamp"],
        forecast=_unpaired(row["forecast"], "name", "value"),
        **{name: row[name] for name in _SUGGESTION_FIELDS},
    )


def _idea(row: Row) -> TradeIdea:
    legs = [TradeLeg(**leg) for leg in row["legs"]]
    return TradeIdea(symbol=row["idea_symbol"], legs=legs, **{name: row[name] for name in _IDEA_FIELDS})


def _receipt(row: Row) -> RunReceipt:
    counted = _unpaired(row.get("rows") or (), "table", "rows")
    return RunReceipt(
        format=checked_format(
            row.get("format") or 1, MANIFEST_FORMAT, f"The receipt of run {row['run_id']}", IntegrityError
        ),
        kind=row.get("kind") or "scan",
        rows=counted or {"snapshots": row["snapshots"], "trade_ideas": row["ideas"]},
        run_id=row["run_id"],
        run_date=row["run_date"],
        degraded=_unpaired(row["degraded"], "reason", "symbols"),
        failures=tuple(Failure(**failure) for failure in row["failures"]),
        seconds=_unpaired(row["seconds"], "stage", "seconds"),
        traffic=tuple(VendorTraffic(**vendor) for vendor in row.get("traffic") or ()),  # older runs have none
        universe_note=row.get("universe_note") or "",
        content_digest=row.get("content_digest"),
        **{name: row[name] for name in _RUN_FIELDS},
    )
