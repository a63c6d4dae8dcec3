"""Converts a source file to the columns and types of its target; what cannot be parsed becomes null, for the rules."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.bounded_files import check_rows
from gnosis_ray.data.importing.files import scan_file, source_files
from gnosis_ray.data.importing.mapping import ClockRule, ContractRule, TableMapping
from gnosis_ray.data.importing.rules import EXPIRED, FLAGGED, ROOT_KNOWN, SESSION, WAS_NAIVE
from gnosis_ray.errors import DataError, SchemaError, UniverseError
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.columns import FREE_TEXTS, UTC_TIME, plain_texts
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.market.symbols import canonical

_US_PER_MS = 1000
_CONTRACT_CODE = r"^(.+?)\s*\d{6}[CP]\d{8}$"


def read_source(folder: Path, table: TableMapping, limits: FileLimits) -> pl.DataFrame:
    """The mapped columns of a table's files, under their source names and types, texts without control characters.

    Raises :class:`NoDataError` where the file is missing, :class:`SchemaError` naming file, column, expected and
    found where a column is missing or of a type that its target cannot be read from, :class:`DataError` for a file that
    is larger than ``limits``.
    """
    frames = []
    for path in source_files(folder, table):
        try:
            scan = scan_file(path, table, limits)
            _check_source(path, table, scan.collect_schema())
            rows = scan.select(_source_columns(table)).head(limits.max_rows + 1).collect(engine="in-memory")
            check_rows(path, rows, limits)
            frames.append(plain_texts(rows, {table.columns[name] for name in FREE_TEXTS if name in table.columns}))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"Cannot read {path}: {error}", cause=type(error).__name__) from error
    try:
        return pl.concat(frames, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{folder}: Expected files {table.file} of one kind: {error}") from error


def _source_columns(table: TableMapping) -> list[str]:
    more = [table.contract.column] if table.contract else []
    more += [table.clock.date] if table.clock else []
    more += [table.flagged.column] if table.flagged else []
    return list(dict.fromkeys([*table.columns.values(), *more]))


def _check_source(path: Path, table: TableMapping, schema: pl.Schema) -> None:
    targets = DATASETS[table.kind].columns_provided
    expected = [(source, targets[target]) for target, source in table.columns.items()]
    if table.contract:
        expected.append((table.contract.column, pl.String()))
    if table.clock:
        moment = table.columns[DATASETS[table.kind].event]
        expected = [(source, target) for source, target in expected if source != moment]
        expected += [(moment, pl.Float64()), (table.clock.date, pl.String())]
    if table.flagged:
        expected.append((table.flagged.column, schema.get(table.flagged.column) or pl.String()))
    for source, target in expected:
        found = schema.get(source)
        if found is None:
            raise SchemaError(
                f"{path}, column {source}: Expected {target}, found no such column among {', '.join(schema)}"
            )
        if found != target and not _can_become(found, target):
            raise SchemaError(f"{path}, column {source}: Expected {target}, found {found}")


def _can_become(found: pl.DataType, target: pl.DataType) -> bool:
    if found == pl.Null:
        return True
    if target == pl.Float64:
        return found.is_numeric()
    if target == pl.String:
        return found in (pl.String, pl.Categorical, pl.Enum)
    return found == pl.String or found.is_temporal()


def to_target(raw: pl.DataFrame, table: TableMapping, calendar: SessionCalendar) -> pl.DataFrame:
    """``raw`` as the target's columns, with the derived columns that the rules check."""
    data = DATASETS[table.kind]
    mapped = raw.select(
        *(_converted(raw, table, target, source) for target, source in table.columns.items()),
        *(pl.lit(value, dtype=data.columns_provided[name]).alias(name) for name, value in _constants(table).items()),
        _was_naive(raw, table, data.event).alias(WAS_NAIVE),
        _flagged(table).alias(FLAGGED),
        *([_root(table.contract).alias("root")] if table.contract else []),
    )
    mapped = mapped.with_columns(_canonical_symbols(mapped["symbol"]))
    mapped = _settled(mapped, table.contract)
    mapped = _on_sessions(mapped, data.event, calendar) if table.known_at == "session_close" else _always(mapped)
    if table.known_at != "column":
        mapped = mapped.with_columns(known_at=pl.col(data.event) + timedelta(minutes=table.known_delay_minutes))
    if table.kind == "chains":
        mapped = mapped.with_columns(_expired(mapped, calendar))
    return mapped


def _constants(table: TableMapping) -> dict[str, str | float | None]:
    """The constants of every row, and null for optional columns that the source does not have."""
    unfilled = [name for name in DATASETS[table.kind].optional_columns if name not in table.columns]
    return dict.fromkeys(unfilled) | table.constants


def _converted(raw: pl.DataFrame, table: TableMapping, target: str, source: str) -> pl.Expr:
    column, found, wanted = pl.col(source), raw.schema[source], DATASETS[table.kind].columns_provided[target]
    if target in table.values:
        column = column.cast(pl.String).replace_strict(table.values[target], default=None, return_dtype=pl.String)
    elif wanted == UTC_TIME and table.known_at == "session_close":
        column = _as_date(column, found, table.formats.get(target)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    elif wanted == UTC_TIME and table.clock and target == DATASETS[table.kind].event:
        column = _since_midnight(column, table.clock, table.columns["symbol"])
    elif wanted == UTC_TIME:
        column = _as_moment(column, found, table.formats.get(target), table.zone or "UTC")
    elif wanted == pl.Date:
        column = _as_date(column, found, table.formats.get(target))
    else:
        column = column.cast(wanted, strict=False)
    if target in table.divide:
        column = _divided(column, table.divide[target])
    if target in table.zero_is_unknown:
        column = pl.when(column != 0).then(column)
    return column.alias(target)


def _as_date(column: pl.Expr, found: pl.DataType, written: str | None) -> pl.Expr:
    if found == pl.String:
        return column.str.to_date(written or "%Y-%m-%d", strict=False)
    return column.cast(pl.Date, strict=False)


def _as_moment(column: pl.Expr, found: pl.DataType, written: str | None, zone: str) -> pl.Expr:
    """A time in UTC; one that names no zone is of ``zone``, and null where its clocks skip it."""
    if found == pl.String and written:
        return _local(column.str.to_datetime(written, time_unit="us", strict=False), zone)
    if found == pl.String:
        iso = column.str.replace(" ", "T", literal=True)
        zoned = iso.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
        naive = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
        return pl.coalesce(zoned, _local(naive, zone))
    if isinstance(found, pl.Datetime) and found.time_zone is not None:
        return column.cast(UTC_TIME)
    return _local(column.cast(pl.Datetime("us"), strict=False), zone)


def _local(clock: pl.Expr, zone: str) -> pl.Expr:
    return clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _divided(column: pl.Expr, divisor: float) -> pl.Expr:
    """The correctly rounded quotient; Polars would multiply by the reciprocal, which can differ in the last bit."""
    return column.map_batches(
        lambda values: pl.Series(values.name, values.to_numpy() / divisor).fill_nan(None), return_dtype=pl.Float64
    )


def _since_midnight(column: pl.Expr, clock: ClockRule, symbol: str) -> pl.Expr:
    """Wall-clock milliseconds of a date as a moment; rows of one millisecond a microsecond apart, in their order."""
    midnight = pl.col(clock.date).cast(pl.String).str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    order = pl.int_range(pl.len()).over(symbol, clock.date, column).clip(upper_bound=_US_PER_MS - 1)
    elapsed = column.cast(pl.Int64, strict=False) * _US_PER_MS + order
    return _local(midnight + pl.duration(microseconds=elapsed), clock.zone)


def _flagged(table: TableMapping) -> pl.Expr:
    if table.flagged is None:
        return pl.lit(False)
    return (pl.col(table.flagged.column) == table.flagged.value).fill_null(False)


def _was_naive(raw: pl.DataFrame, table: TableMapping, event: str) -> pl.Expr:
    """Whether the event time named no zone; a date is no time, so it is not naive."""
    source = table.columns[event]
    found = raw.schema[source]
    if table.known_at == "session_close" or table.zone:
        return pl.lit(value=False)
    if found == pl.String:
        timed = pl.col(source).str.contains(":", literal=True)
        return timed & ~pl.col(source).str.contains(r"(?:Z|[+-]\d\d:?\d\d)$")
    return pl.lit(isinstance(found, pl.Datetime) and found.time_zone is None)


def _canonical_symbols(symbols: pl.Series) -> pl.Series:
    """The inside spelling of each symbol, null where it is impossible; each distinct spelling is read once."""
    canonical_of = {text: _or_none(text) for text in symbols.drop_nulls().unique()}
    return symbols.replace_strict(canonical_of, default=None, return_dtype=pl.String).alias("symbol")


def _or_none(text: str) -> str | None:
    try:
        return canonical(text)
    except UniverseError:
        return None


def _root(contract: ContractRule) -> pl.Expr:
    return pl.col(contract.column).str.extract(_CONTRACT_CODE)


def _settled(mapped: pl.DataFrame, contract: ContractRule | None) -> pl.DataFrame:
    """``settlement`` and whether the root is the symbol's own, both from the contract's code where it is given."""
    if contract is None:
        return mapped.with_columns(pl.lit(True).alias(ROOT_KNOWN))
    symbol, root = pl.col("symbol"), pl.col("root")
    own = root == symbol.str.replace(".", "", literal=True)
    for name, others in sorted(contract.other_roots.items()):
        own = own | ((symbol == name) & root.is_in(list(others)))
    return mapped.with_columns(
        pl.when(root.is_in(list(contract.am_roots))).then(pl.lit("AM")).otherwise(pl.lit("PM")).alias("settlement"),
        own.fill_null(False).alias(ROOT_KNOWN),
    ).drop("root")


def _always(mapped: pl.DataFrame) -> pl.DataFrame:
    return mapped.with_columns(pl.lit(True).alias(SESSION))


def _on_sessions(mapped: pl.DataFrame, event: str, calendar: SessionCalendar) -> pl.DataFrame:
    """``event`` moved from midnight to the close of that date's session; where there is none, left and marked."""
    sessions = pl.DataFrame(
        {
            event: pl.Series(calendar.days.astype("datetime64[us]")).dt.replace_time_zone("UTC"),
            "close_of_session": pl.Series(calendar.closes).dt.replace_time_zone("UTC"),
        },
        schema={event: UTC_TIME, "close_of_session": UTC_TIME},
    )
    joined = mapped.join(sessions, on=event, how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("close_of_session").is_not_null().alias(SESSION),
        pl.coalesce("close_of_session", event).alias(event),
    ).drop("close_of_session")


def _expired(mapped: pl.DataFrame, calendar: SessionCalendar) -> pl.Series:
    """Whether each contract had expired at its snapshot; null where its dates could not be parsed."""
    dates = mapped.select("expiry", "event_time", "settlement")
    if not len(calendar.days):
        raise DataError(f"Expected sessions in the calendar {calendar.name}, found none")
    expiries = dates["expiry"].to_numpy().astype("datetime64[D]")
    moments = moments_of(dates["event_time"])
    known = ~(np.isnat(expiries) | np.isnat(moments))
    lives = expiries > calendar.days[-1]  # beyond the calendar: only its end is known, and the snapshot is before it
    ends = calendar.expiry_moment(
        np.where(known, expiries, calendar.days[0]), (dates["settlement"] == "AM").fill_null(False).to_numpy()
    )
    expired = np.where(expiries < calendar.days[0], expiries < moments.astype("datetime64[D]"), ends <= moments)
    return pl.Series(EXPIRED, known & ~lives & expired)
