"""Converts source files to the columns and types of their target; what cannot be read is left to the rules.

It becomes null, but a text where a number is expected NaN: so the rules tell it from an empty cell.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gnosis_ray.config.market import FileLimits
from gnosis_ray.data.importing.files import source_files
from gnosis_ray.data.importing.mapping import ClockRule, ContractRule, TableMapping
from gnosis_ray.data.importing.row_places import FAULT, PLACE_COLUMNS
from gnosis_ray.data.importing.rules import (
    BARE_DATE,
    BARE_KNOWN_AT,
    EXPIRED,
    FLAGGED,
    MIDNIGHT,
    ROOT_KNOWN,
    SESSION,
    UNDECLARED_INDEX,
    WAS_NAIVE,
)
from gnosis_ray.data.importing.tables import read_table
from gnosis_ray.data.importing.times import (
    TimeForm,
    is_bare_date,
    is_naive,
    parse_date,
    parse_moment,
    parse_session_date,
)
from gnosis_ray.errors import DataError, SchemaError, UniverseError
from gnosis_ray.market.calendar import SessionCalendar, moments_of
from gnosis_ray.market.columns import FREE_TEXTS, UTC_TIME, plain_texts
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.market.symbols import INDICES, canonical, marks_index, of_pairs

_US_PER_MS = 1000
_CONTRACT_CODE = r"^(.+?)\s*\d{6}[CP]\d{8}$"
_DAY_OF_PAIR = "__day_of_pair"

_WORDS: dict[pl.DataType, str] = {
    pl.Float64(): "numbers",
    pl.String(): "text",
    pl.Date(): "dates",
    UTC_TIME: "times",
}


def read_source(folder: Path, table: TableMapping, limits: FileLimits) -> pl.DataFrame:
    """The mapped columns of a table's files, under their source names and types, with the place of each row.

    Headlines, bodies and sources are without control characters.

    Raises :class:`NoDataError` where the file is missing, :class:`SchemaError` naming file, column, expected and
    found where a column is missing or of a type that its target cannot be read from, :class:`DataError` for a file that
    is larger than ``limits``.
    """
    wanted, frames = _source_columns(table), []
    for path in source_files(folder, table):
        frame = read_table(folder, path, table, wanted, limits)
        _check_source(path, table, frame.schema)
        free = {table.columns[name] for name in FREE_TEXTS if name in table.columns}
        frames.append(plain_texts(frame.select(*wanted, *PLACE_COLUMNS), free))
    try:
        return pl.concat(frames, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise SchemaError(
            f"{folder}: Expected files {table.file} of one kind, with columns of the same types"
        ) from error


def _source_columns(table: TableMapping) -> list[str]:
    more = [table.contract.column] if table.contract else []
    more += [table.clock.date] if table.clock else []
    more += [table.flagged.column] if table.flagged else []
    return list(dict.fromkeys([*table.columns.values(), *more]))


def _check_source(path: Path, table: TableMapping, schema: pl.Schema) -> None:
    """Refuse a column of a typed file that no row of can be read from."""
    data = DATASETS[table.kind]
    expected = {source: data.columns_provided[target] for target, source in table.columns.items()}
    if table.contract:
        expected[table.contract.column] = pl.String()
    if table.clock:
        expected |= {table.columns[data.event]: pl.Float64(), table.clock.date: pl.String()}
    for source, target in expected.items():
        found = schema[source]
        if found == pl.Time:
            raise SchemaError(
                f"{path}, column {source}: Expected {_WORDS[target]}, found times of day without a date. "
                "`clock` in the mapping joins a date and milliseconds since midnight"
            )
        if target == UTC_TIME and found == pl.Date and table.known_at != "session_close":
            raise SchemaError(
                f"{path}, column {source}: Expected times, found dates without a time of day, which would be known at "
                "the start of their day. Expected `known_at: session_close` in the mapping, or a column of times"
            )
        if not _can_become(found, target, table.clock is not None):
            raise SchemaError(f"{path}, column {source}: Expected {_WORDS[target]}, found {_type_name(found)}")


def _can_become(found: pl.DataType, target: pl.DataType, clocked: bool) -> bool:
    if found == target or found == pl.Null or found in (pl.String, pl.Categorical, pl.Enum):
        return True
    if target == pl.Float64:
        return found.is_numeric()
    if target == pl.String:
        return clocked and found.is_integer()
    return found in (pl.Date, pl.Datetime) or found.is_integer()


def _type_name(found: pl.DataType) -> str:
    if found.is_numeric():
        return "numbers"
    if found.is_temporal():
        return "dates or times"
    return "truth values" if found == pl.Boolean else "nested values" if found.is_nested() else "another type"


def to_target(raw: pl.DataFrame, table: TableMapping, calendar: SessionCalendar) -> pl.DataFrame:
    """``raw`` as the target's columns, with the derived columns that the rules check."""
    data = DATASETS[table.kind]
    raw = raw.with_columns(_without_null_values(raw, table))
    event, at_close = table.columns[data.event], table.known_at == "session_close"
    form = _form(raw, table, data.event)
    mapped = raw.select(
        *(_converted(raw, table, target, source, calendar.zone) for target, source in table.columns.items()),
        *(pl.lit(value, dtype=data.columns_provided[name]).alias(name) for name, value in _constants(table).items()),
        *([parse_session_date(pl.col(event), form, "UTC").alias(_DAY_OF_PAIR)] if at_close else []),
        (pl.lit(value=False) if at_close or table.clock else is_naive(pl.col(event), form)).alias(WAS_NAIVE),
        (pl.lit(value=False) if at_close or table.clock else is_bare_date(pl.col(event), form)).alias(BARE_DATE),
        _bare_known_at(raw, table).alias(BARE_KNOWN_AT),
        _flagged(table).alias(FLAGGED),
        FAULT,
        *([_root(table.contract).alias("root")] if table.contract else []),
    )
    spelled = mapped["symbol"]
    mapped = mapped.with_columns(_canonical_symbols(spelled), _undeclared_indices(spelled))
    if table.kind == "chains":
        mapped = _settled(mapped, table)
    mapped = _on_sessions(mapped, data.event, calendar) if at_close else _always(mapped)
    midnight = (pl.col(data.event).dt.time() == pl.time(0, 0, 0)) & pl.col(WAS_NAIVE) & ~of_pairs(mapped["symbol"])
    mapped = mapped.with_columns(midnight.alias(MIDNIGHT))
    if table.known_at != "column":
        mapped = mapped.with_columns(known_at=pl.col(data.event) + timedelta(minutes=table.known_delay_minutes))
    if table.kind == "chains":
        mapped = mapped.with_columns(_expired(mapped, calendar))
    return mapped


def _without_null_values(raw: pl.DataFrame, table: TableMapping) -> list[pl.Expr]:
    """Text columns of which an empty cell, and what the mapping says means one, is null."""
    names = [name for name, dtype in raw.schema.items() if dtype == pl.String and name not in PLACE_COLUMNS]
    absent = ["", *table.null_values]
    return [pl.when(~pl.col(name).str.strip_chars().is_in(absent)).then(pl.col(name)).alias(name) for name in names]


def _form(raw: pl.DataFrame, table: TableMapping, target: str) -> TimeForm:
    return TimeForm(raw.schema[table.columns[target]], table.formats.get(target, ()), table.zone)


def _bare_known_at(raw: pl.DataFrame, table: TableMapping) -> pl.Expr:
    if table.known_at != "column":
        return pl.lit(value=False)
    return is_bare_date(pl.col(table.columns["known_at"]), _form(raw, table, "known_at"))


def _constants(table: TableMapping) -> dict[str, str | float | None]:
    """The constants of every row, and null for optional columns that the source does not have."""
    unfilled = [name for name in DATASETS[table.kind].optional_columns if name not in table.columns]
    said = {
        name: value if value is None or isinstance(value, str) else float(value)
        for name, value in table.constants.items()
    }
    return dict.fromkeys(unfilled) | said


def _converted(raw: pl.DataFrame, table: TableMapping, target: str, source: str, exchange_zone: str) -> pl.Expr:
    data = DATASETS[table.kind]
    column, found, wanted = pl.col(source), raw.schema[source], data.columns_provided[target]
    if target in table.values:
        column = column.cast(pl.String).replace_strict(table.values[target], default=None, return_dtype=pl.String)
    elif target == data.event and table.clock:
        column = _since_midnight(_number(column, found, table), table.clock, table.columns.get("symbol"))
    elif target == data.event and table.known_at == "session_close":
        date = parse_session_date(column, _form(raw, table, target), exchange_zone)
        column = date.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    elif wanted == UTC_TIME:
        column = parse_moment(column, _form(raw, table, target))
    elif wanted == pl.Date:
        column = parse_date(column, _form(raw, table, target))
    elif wanted == pl.Float64:
        column = _number(column, found, table)
    else:
        column = column.cast(wanted, strict=False)
    if target in table.divide:
        column = _divided(column, table.divide[target])
    if target in table.zero_is_unknown:
        column = pl.when(column != 0).then(column)
    return column.alias(target)


def _number(column: pl.Expr, found: pl.DataType, table: TableMapping) -> pl.Expr:
    """A figure; NaN for a text that is none, null for no text."""
    if found.is_numeric() or found == pl.Null:
        return column.cast(pl.Float64)
    text = column.cast(pl.String).str.strip_chars()
    plain = text
    if table.thousands:
        mark, point = re.escape(table.thousands), re.escape(table.decimal)
        grouped = rf"^[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:{point}\d*)?$"
        plain = pl.when(text.str.contains(grouped)).then(text.str.replace_all(table.thousands, "", literal=True))
        plain = plain.otherwise(text)
    if table.decimal == ",":
        plain = pl.when(~plain.str.contains(".", literal=True)).then(plain.str.replace(",", ".", literal=True))
    number = plain.cast(pl.Float64, strict=False)
    return pl.when(text.is_not_null() & number.is_null()).then(float("nan")).otherwise(number)


def _divided(column: pl.Expr, divisor: float) -> pl.Expr:
    """The correctly rounded quotient; Polars would multiply by the reciprocal, which can differ in the last bit."""
    quotient = column.map_batches(
        lambda values: pl.Series(values.name, values.to_numpy() / divisor), return_dtype=pl.Float64
    )
    return pl.when(column.is_not_null()).then(quotient)


def _since_midnight(milliseconds: pl.Expr, clock: ClockRule, symbol: str | None) -> pl.Expr:
    """Wall-clock milliseconds of a date as a moment; rows of one millisecond a microsecond apart, in their order."""
    midnight = pl.col(clock.date).cast(pl.String).str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    alike = [name for name in (symbol, clock.date) if name]
    order = pl.int_range(pl.len()).over(*alike, milliseconds).clip(upper_bound=_US_PER_MS - 1)
    elapsed = milliseconds.cast(pl.Int64, strict=False) * _US_PER_MS + order
    local = midnight + pl.duration(microseconds=elapsed)
    return local.dt.replace_time_zone(clock.zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _flagged(table: TableMapping) -> pl.Expr:
    if table.flagged is None:
        return pl.lit(value=False)
    column, value = pl.col(table.flagged.column), table.flagged.value
    said = column.cast(pl.String) == value if isinstance(value, str) else column.cast(pl.Float64, strict=False) == value
    return said.fill_null(value=False)


def _canonical_symbols(symbols: pl.Series) -> pl.Series:
    """The inside spelling of each symbol, null where it is impossible; each distinct spelling is read once."""
    canonical_of = {text: _or_none(text) for text in symbols.drop_nulls().unique()}
    return symbols.replace_strict(canonical_of, default=None, return_dtype=pl.String).alias("symbol")


def _undeclared_indices(symbols: pl.Series) -> pl.Series:
    unknown = [text for text in symbols.drop_nulls().unique() if marks_index(text) and _or_none(text) is None]
    return symbols.is_in(unknown).fill_null(value=False).alias(UNDECLARED_INDEX)


def _or_none(text: str) -> str | None:
    try:
        return canonical(text)
    except UniverseError:
        return None


def _root(contract: ContractRule) -> pl.Expr:
    return pl.col(contract.column).str.extract(_CONTRACT_CODE)


def _settled(mapped: pl.DataFrame, table: TableMapping) -> pl.DataFrame:
    """``settlement`` and whether the root is the symbol's own, by the contract's code; without one, by the symbol."""
    contract, symbol = table.contract, pl.col("symbol")
    if contract is None:
        said = [] if "settlement" in mapped.columns else [_settlement_of(mapped["symbol"])]
        return mapped.with_columns(pl.lit(value=True).alias(ROOT_KNOWN), *said)
    root = pl.col("root")
    own = root == symbol.str.replace(".", "", literal=True)
    for name, others in sorted(contract.other_roots.items()):
        own = own | ((symbol == name) & root.is_in(list(others)))
    return mapped.with_columns(
        pl.when(root.is_in(list(contract.am_roots))).then(pl.lit("AM")).otherwise(pl.lit("PM")).alias("settlement"),
        own.fill_null(False).alias(ROOT_KNOWN),
    ).drop("root")


def _settlement_of(symbols: pl.Series) -> pl.Series:
    """When all options of a symbol settle: those of shares at the close; null where an index has both."""
    by_index = {
        name: None if index.am_roots and index.pm_roots else "AM" if index.am_roots else "PM"
        for name, index in INDICES.items()
    }
    said = symbols.replace_strict(by_index, default="PM", return_dtype=pl.String)
    return said.set(symbols.is_null(), None).alias("settlement")


def _always(mapped: pl.DataFrame) -> pl.DataFrame:
    return mapped.with_columns(pl.lit(True).alias(SESSION))


def _on_sessions(mapped: pl.DataFrame, event: str, calendar: SessionCalendar) -> pl.DataFrame:
    """``event`` moved from midnight to the close of that date's session; where there is none, left and marked.

    A pair trades all day: its date ends with the day in UTC, as :func:`vendors.providers.frames.closes` has it.
    """
    sessions = pl.DataFrame(
        {
            event: pl.Series(calendar.days.astype("datetime64[us]")).dt.replace_time_zone("UTC"),
            "close_of_session": pl.Series(calendar.closes).dt.replace_time_zone("UTC"),
        },
        schema={event: UTC_TIME, "close_of_session": UTC_TIME},
    )
    joined = mapped.join(sessions, on=event, how="left", maintain_order="left")
    end_of_day = (pl.col(_DAY_OF_PAIR).cast(pl.Datetime("us")) + timedelta(days=1)).dt.replace_time_zone("UTC")
    close = pl.when(of_pairs(joined["symbol"])).then(end_of_day).otherwise(pl.col("close_of_session"))
    return joined.with_columns(
        close.is_not_null().alias(SESSION),
        pl.coalesce(close, event).alias(event),
    ).drop("close_of_session", _DAY_OF_PAIR)


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
