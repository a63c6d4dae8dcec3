"""Checks (declared expressions over a table), and the counter of their findings over many partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import polars as pl

from gnosis_ray.schemas.core_schemas import DATA_KINDS, DataKind

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""``error``: results computed from it would be wrong. ``warning``: inspect before use. ``note``: for information."""

FINDINGS = pl.Schema(
    [
        ("severity", pl.String()),
        ("kind", pl.String()),
        ("finding", pl.String()),
        ("symbols", pl.UInt32()),
        ("rows", pl.UInt64()),
        ("share", pl.Float64()),  # of the rows that could have been so
        ("most", pl.List(pl.String())),  # the symbols with the most such rows, most first
        ("example", pl.String()),
    ]
)
"""One row per check with findings: the worst severity first, then by kind and rows."""

_MOST = 5
_COUNT, _OF = "count", "of"


@dataclass(frozen=True)
class Check:
    """One possible defect of a kind of market data, and the expression that detects it.

    ``count`` is what a row of the check's table adds to the finding: a flag, or how many rows it stands for (the
    contracts of a snapshot, the missing bars before a bar); null adds nothing. ``of`` is what it adds at most, so that
    ``share`` is the sum of the one over the sum of the other. ``shows``: the columns that an example shows.
    """

    kind: DataKind
    name: str
    severity: Severity
    doc: str
    count: pl.Expr
    shows: tuple[str, ...] = ()
    of: pl.Expr | None = None


class FindingCounter:
    """Counts findings over many tables; its size grows with symbols and checks, not with rows."""

    def __init__(self) -> None:
        self._checks: dict[tuple[DataKind, str], Check] = {}
        self._counts: dict[tuple[DataKind, str], pl.DataFrame] = {}
        self._examples: dict[tuple[DataKind, str], str] = {}

    def add(self, checks: Sequence[Check], table: pl.DataFrame) -> None:
        """Apply checks to a table that has a ``symbol`` column, its rows in the order in which examples are looked for.

        A symbol may come in many tables. Side effect: counts.
        """
        if not checks or table.is_empty():
            return
        summed = _by_symbol(checks, table)
        for position, check in enumerate(checks):
            key = (check.kind, check.name)
            self._checks[key] = check
            found = summed.select("symbol", count=f"{_COUNT}{position}", of=f"{_OF}{position}")
            before = self._counts.get(key)
            both = found if before is None else pl.concat([before, found])
            self._counts[key] = both.group_by("symbol").agg(pl.col(_COUNT, _OF).sum())
            if key not in self._examples and found[_COUNT].sum():
                self._examples[key] = _example(check, table)

    def findings(self) -> pl.DataFrame:
        """What was found so far: :data:`FINDINGS`."""
        rows = [row for key, check in self._checks.items() if (row := self._finding(check, self._counts[key]))]
        found = pl.DataFrame(rows, schema=FINDINGS, orient="row")
        order = {name: place for place, name in enumerate((*SEVERITIES, *DATA_KINDS))}
        return found.sort(
            pl.col("severity").replace_strict(order, return_dtype=pl.Int32),
            pl.col("kind").replace_strict(order, return_dtype=pl.Int32),
            -pl.col("rows").cast(pl.Int64),
            "finding",
        )

    def _finding(self, check: Check, counts: pl.DataFrame) -> tuple[object, ...] | None:
        affected = counts.filter(pl.col(_COUNT) > 0).sort(_COUNT, "symbol", descending=[True, False])
        if affected.is_empty():
            return None
        rows = int(affected[_COUNT].sum())
        share = rows / max(int(counts[_OF].sum()), 1)
        most = affected["symbol"].head(_MOST).to_list()
        example = self._examples[check.kind, check.name]
        return (check.severity, check.kind, check.name, affected.height, rows, share, most, example)


def _by_symbol(checks: Sequence[Check], table: pl.DataFrame) -> pl.DataFrame:
    """The sum of each check's ``count`` and ``of`` a symbol."""
    counts = [check.count.fill_null(0).cast(pl.UInt64).alias(f"{_COUNT}{i}") for i, check in enumerate(checks)]
    of = [
        check.of.fill_null(0).cast(pl.UInt64).alias(f"{_OF}{i}")
        for i, check in enumerate(checks)
        if check.of is not None
    ]
    whole = [pl.len().cast(pl.UInt64).alias(f"{_OF}{i}") for i, check in enumerate(checks) if check.of is None]
    return table.select("symbol", *counts, *of).group_by("symbol").agg(pl.exclude("symbol").sum(), *whole)


def _example(check: Check, table: pl.DataFrame) -> str:
    row = table.filter(check.count.fill_null(0).cast(pl.UInt64) > 0).head(1).select("symbol", *check.shows)
    symbol, *values = row.row(0)
    return ", ".join(
        [
            str(symbol),
            *(f"{name.replace('_', ' ')} {_text(value)}" for name, value in zip(check.shows, values, strict=True)),
        ]
    )


def _text(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
