"""Imports a foreign data set: every row is stored, or refused with a reason, counted by symbol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from gnosis_ray.config import load_config
from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.mapping import ImportMapping, TableMapping
from gnosis_ray.data.importing.reading import read_source, to_target
from gnosis_ray.data.importing.row_places import place_text
from gnosis_ray.data.importing.rules import HINTS, RULES, Rule, blanked, first_refusal
from gnosis_ray.data.store.writer import StoreWriter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import plain_texts
from gnosis_ray.market.datasets import DATASETS, Dataset

OnProgress = Callable[[str, int, int], None]
"""Called with the current file, the tables done and the tables in all."""

FINDINGS = pl.Schema(
    {
        "table": pl.String,
        "symbol": pl.String,  # as the source spells it; null where it has none
        "column": pl.String,
        "reason": pl.String,
        "rows": pl.UInt32,
        "example": pl.String,  # the source's text in the first such row, and its file and line
    }
)

_ROW, _RULE, _LIKE_LAST = "__row", "__rule", "__like_last"
DUPLICATE = "duplicate of another row"
CONTRADICTED = "contradicted by a later row"
CONTRADICTS_STORE = "contradicts the store"

_SHOWN = 60
"""Characters of a cell that an example shows."""

_HINTS = HINTS | {
    CONTRADICTED: "Of different rows of one thing known at one time the last in the files is taken",
    CONTRADICTS_STORE: "What the store has stands, since it was read so. A correction is known later (`known_at`)",
}


@dataclass(frozen=True)
class ImportReport:
    """The result of an import. ``refused`` and ``notes`` are :data:`FINDINGS`; noted rows are stored, some repaired.

    ``rows_read`` = ``rows_written`` + ``rows_known`` (the store had them) + the refused rows. ``empty``: the tables
    whose files hold no row; ``refused_whole``: those all of whose rows were refused.
    """

    rows_read: int
    rows_written: int
    rows_known: int
    refused: pl.DataFrame
    notes: pl.DataFrame
    empty: tuple[str, ...] = ()
    refused_whole: tuple[str, ...] = ()

    @property
    def hints(self) -> tuple[str, ...]:
        """What to do about the reasons for which rows were refused or noted, where these do not say it."""
        reasons = sorted({*self.refused["reason"], *self.notes["reason"]})
        return tuple(f"{reason}: {_HINTS[reason]}." for reason in reasons if reason in _HINTS)

    def summary(self) -> pl.DataFrame:
        """Both tables over all symbols: ``table, column, reason, kept, rows, symbols, example``, most rows first."""
        both = pl.concat([self.refused.with_columns(kept=False), self.notes.with_columns(kept=True)])
        return (
            both.group_by("table", "column", "reason", "kept")
            .agg(pl.col("rows").sum(), symbols=pl.col("symbol").n_unique(), example=_of_first_symbol().first())
            .sort("rows", "table", "column", "reason", descending=[True, False, False, False])
        )


@dataclass(frozen=True)
class _CheckedRows:
    kept: pl.DataFrame
    refused: pl.DataFrame
    notes: pl.DataFrame

    def refusing(self, more: pl.DataFrame) -> _CheckedRows:
        return replace(self, refused=_stacked([self.refused, more]))


def import_dataset(
    folder: Path,
    mapping: ImportMapping,
    store: StoreWriter,
    calendar: SessionCalendar,
    progress: OnProgress | None = None,
    limits: FileLimits | None = None,
) -> ImportReport:
    """Read every table of ``mapping`` from ``folder`` into the store.

    A row that the store has is not stored again, whatever file told it; one that contradicts the store is refused. A
    table is read and checked completely before any of it is written. A file may be as large as ``limits``
    (None: ``data.files`` of the settings). Raises :class:`NoDataError` for a missing file, :class:`SchemaError` for a
    missing or mistyped column, :class:`DataError` for a file that is too large.
    """
    limits = limits or load_config().config.data.files
    total = len(mapping.tables)
    read = written = known = 0
    results, empty, refused_whole = [], [], []
    for done, table in enumerate(mapping.tables):
        if progress:
            progress(table.file, done, total)
        raw = read_source(Path(folder), table, limits)
        checked = _apply_rules(raw, table, calendar)
        appended = store.append(table.kind, checked.kept.drop(_ROW), leave_out_contradicting=True)
        disputed = _rows_of(checked.kept, appended.contradicting)
        event = DATASETS[table.kind].event
        results.append(checked.refusing(_findings(raw, table, event, CONTRADICTS_STORE, disputed)))
        read, written, known = read + raw.height, written + appended.written, known + appended.known
        empty += [] if raw.height else [table.file]
        refused_whole += [table.file] if raw.height and not (appended.written or appended.known) else []
        if progress:
            progress(table.file, done + 1, total)
    refused = pl.concat([checked.refused for checked in results])
    notes = pl.concat([checked.notes for checked in results])
    return ImportReport(read, written, known, refused, notes, tuple(empty), tuple(refused_whole))


def _apply_rules(raw: pl.DataFrame, table: TableMapping, calendar: SessionCalendar) -> _CheckedRows:
    data, rules = DATASETS[table.kind], RULES[table.kind]
    rows = to_target(raw, table, calendar).with_row_index(_ROW)
    rows = rows.with_columns(first_refusal(rules).alias(_RULE))
    bad = rows.filter(pl.col(_RULE).is_not_null()).select(_ROW, _RULE)
    good = rows.filter(pl.col(_RULE).is_null())
    repeated = _repeated(good, data)
    kept = good.join(repeated, on=_ROW, how="anti", maintain_order="left") if repeated.height else good
    refused = [
        *_refusals(raw, table, rules, bad),
        _findings(raw, table, data.event, DUPLICATE, repeated.filter(_LIKE_LAST)[_ROW]),
        _findings(raw, table, data.event, CONTRADICTED, repeated.filter(~pl.col(_LIKE_LAST))[_ROW]),
    ]
    notes = [
        _findings(raw, table, rule.column, rule.reason, kept.filter(rule.when)[_ROW])
        for rule in rules
        if rule.action != "refuse"
    ]
    repaired = kept.with_columns(blanked(rules)).select(_ROW, *data.columns_provided.names())
    return _CheckedRows(repaired, _stacked(refused), _stacked(notes))


def _repeated(rows: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    """Rows of an identity and known-at time that another has: all but the first of those that say what the last says.

    ``__like_last``: whether a row says the same. What comes later in files corrects what came before. Trades and quotes
    may repeat.
    """
    key = [*data.identity, "known_at"]
    if data.repeats or rows.select(key).n_unique() == rows.height:
        return rows.clear().select(_ROW, pl.lit(value=True).alias(_LIKE_LAST))
    content = pl.struct(name for name in data.columns_provided.names())
    alike = rows.filter(pl.struct(key).is_duplicated()).select(
        _ROW, *key, (content == content.last().over(key)).alias(_LIKE_LAST)
    )
    kept = alike.filter(_LIKE_LAST).unique(key, keep="first", maintain_order=True)
    return alike.join(kept, on=_ROW, how="anti", maintain_order="left").select(_ROW, _LIKE_LAST)


def _rows_of(kept: pl.DataFrame, disputed: pl.DataFrame) -> pl.Series:
    """The positions of the rows that a store left out, by identity and known-at time."""
    if disputed.is_empty():
        return kept.clear()[_ROW]
    return kept.join(disputed, on=disputed.columns, how="semi", nulls_equal=True, maintain_order="left")[_ROW]


def _refusals(raw: pl.DataFrame, table: TableMapping, rules: Sequence[Rule], bad: pl.DataFrame) -> list[pl.DataFrame]:
    return [
        _findings(raw, table, rules[position].column, rules[position].reason, rows[_ROW])
        for (position,), rows in bad.group_by(_RULE, maintain_order=True)
        if isinstance(position, int)
    ]


def _findings(raw: pl.DataFrame, table: TableMapping, column: str, reason: str, rows: pl.Series) -> pl.DataFrame:
    """One row per symbol: how many of ``rows`` (positions in ``raw``), and the first of them as an example."""
    if rows.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    found = raw[rows].select(
        symbol=_source_text(table, "symbol"),
        text=_source_text(table, column),
        place=place_text(),
    )
    return (
        found.group_by("symbol")
        .agg(
            pl.lit(table.file).alias("table"),
            pl.lit(column).alias("column"),
            pl.lit(reason).alias("reason"),
            pl.len().alias("rows"),
            pl.format("{} in {}", pl.col("text").fill_null("nothing"), pl.col("place")).first().alias("example"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in FINDINGS.items())
    )


def _of_first_symbol() -> pl.Expr:
    return pl.format("{}: {}", pl.col("symbol").fill_null("no symbol"), "example")


def _source_text(table: TableMapping, column: str) -> pl.Expr:
    """The source's own text for a target column: its source column, the contract's code, or a constant."""
    if column in table.columns:
        text = pl.col(table.columns[column]).cast(pl.String)
        return pl.when(text.str.len_chars() > _SHOWN).then(text.str.slice(0, _SHOWN) + "...").otherwise(text)
    if column == "settlement" and table.contract:
        return pl.col(table.contract.column)
    if column == "known_at" and column not in table.constants:
        return pl.col(table.columns[DATASETS[table.kind].event]).cast(pl.String)
    return pl.lit(table.constants.get(column), dtype=pl.String)


def _stacked(findings: Sequence[pl.DataFrame]) -> pl.DataFrame:
    whole = plain_texts(pl.concat([pl.DataFrame(schema=FINDINGS), *findings]))
    return whole.sort("table", "symbol", "column", "reason")
