"""Import mappings: the meaning of an external data set's columns, declared in YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, TypeGuard
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, NonNegativeInt, PositiveFloat, field_validator, model_validator

from gnosis_ray.config import Section
from gnosis_ray.errors import nearest_hint
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind


@dataclass(frozen=True)
class YamlWord:
    """What YAML reads as a truth value or a date although it may be meant as text: ``ON``, ``NO``, ``2026-07-10``."""

    word: str

    def __repr__(self) -> str:
        return self.word


class YamlInteger(int):
    """A whole number, and how it was written: ``007`` is 7."""

    word: str


class YamlFloat(float):
    """A number, and how it was written."""

    word: str


def must_be_quoted(found: object) -> str:
    """What an error says of a value that has to be text and is none to YAML."""
    written = getattr(found, "word", repr(found))
    return f'Expected text, found {written}, which YAML does not read as text: write "{written}" in quotes'


_TIMED = re.compile(r"%[-_0]?(?:H|I|k|l|T|R|r|X|c|s|\+)")
"""What a format has where it tells a time of day."""


def tells_time(form: str) -> bool:
    """Whether a format of strftime reads a time of day."""
    return _TIMED.search(form) is not None


def _zone_is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such zone, or no name of one
        return False
    return True


class ContractRule(Section):
    """Derives settlement and deliverable from an option's contract code (root, yymmdd, C or P, strike).

    A root is expected to be the symbol without its dot, or one of ``other_roots`` of that symbol; any other root is
    an adjusted contract, which delivers something else than 100 shares and is refused.
    """

    column: str
    am_roots: tuple[str, ...]
    """Roots settled at the open of the expiry's session; all others at its close."""
    other_roots: dict[str, tuple[str, ...]]


class ClockRule(Section):
    """An event time in milliseconds of the wall clock since midnight of a date.

    Rows of one millisecond, which the source gives in order, are stored a microsecond apart to keep it.
    """

    date: str
    """Source column with the date, as yyyymmdd."""
    zone: str


class FlagRule(Section):
    """A source column and the value of it that marks a row as unreliable."""

    column: str
    value: str | float

    @field_validator("value", mode="before")
    @classmethod
    def _text_or_number(cls, value: object) -> object:
        if isinstance(value, YamlWord):
            raise ValueError(must_be_quoted(value))  # noqa: TRY004  Pydantic takes only this one for a fault
        return value


class TableMapping(Section):
    """One source file, or many alike, and the dataset that they fill.

    - ``file``: a name in the folder or, with ``*``, a pattern of names (``**/`` for folders in folders). Parquet; CSV,
      JSON lines or a JSON array, plain, gzipped or alone in a zip; text in UTF-8, or in UTF-16 with its mark
    - ``encoding``, ``separator``, ``decimal``, ``thousands``, ``comment``, ``null_values``: how a text file is written
    - ``header``: the columns of a text file that has no header line
    - ``file_name``: a regular expression whose named groups become further source columns
    - ``file_path``: the same of the file's path below the folder, with ``/``
    - ``preamble``: such expressions of the lines before the header line, one per line
    - ``columns``: target -> source; a dataset's optional columns may be left out, and are null then. So may
      ``settlement``: a share's options settle at the close, an index's as its roots say where all say the same
    - ``formats``: target -> the format of its source's date or time (strftime), or several that are tried in turn
    - ``zone``: the time zone of times without one, instead of UTC
    - ``constants``: target -> its value in every row; text in quotes where YAML would not read it as text
    - ``divide``: target -> the divisor of its source
    - ``zero_is_unknown``: targets in which zero means null
    - ``known_at``: ``event`` where rows have the time they were taken at, ``session_close`` where a date stands for the
      close of that date's session, ``column`` where ``columns`` names it
    - ``known_delay_minutes``: how long after the first two a row became known
    """

    file: str
    kind: DataKind
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    separator: str = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    comment: str | None = Field(None, min_length=1)
    null_values: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    file_name: str | None = None
    file_path: str | None = None
    preamble: tuple[str, ...] = ()
    columns: dict[str, str]
    formats: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    zone: str | None = None
    divide: dict[str, PositiveFloat] = Field(default_factory=dict)
    zero_is_unknown: tuple[str, ...] = ()
    clock: ClockRule | None = None
    flagged: FlagRule | None = None
    constants: dict[str, Any] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    known_at: Literal["event", "session_close", "column"]
    known_delay_minutes: NonNegativeInt = 0
    contract: ContractRule | None = None

    @field_validator("file")
    @classmethod
    def _below_the_folder(cls, file: str) -> str:
        parts = PurePosixPath(file).parts
        if not parts or parts[0] == "/" or ".." in parts or any("**" in part and part != "**" for part in parts):
            raise ValueError(f"Expected a name or pattern of files below the folder, was '{file}'")
        return file

    @field_validator("separator")
    @classmethod
    def _one_character(cls, separator: str) -> str:
        if len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0':
            raise ValueError(f"Expected one character of ASCII, no quote or line end, found {separator!r}")
        return separator

    @field_validator("formats", mode="before")
    @classmethod
    def _one_or_several(cls, formats: object) -> object:
        if not isinstance(formats, dict):
            return formats
        return {name: (form,) if isinstance(form, str) else form for name, form in formats.items()}

    @model_validator(mode="after")
    def _complete(self) -> TableMapping:
        schema, data = DATASETS[self.kind].columns_provided, DATASETS[self.kind]
        derived = {"settlement"} if self.contract else set()
        derived |= set() if self.known_at == "column" else {"known_at"}
        given = {*self.columns, *self.constants}
        for name in sorted(given - set(schema)):
            raise ValueError(f"unknown column '{name}' of {self.kind}. {nearest_hint(name, schema.names())}")
        used = {"values": [*self.values], "divide": [*self.divide], "zero_is_unknown": [*self.zero_is_unknown]}
        used["formats"] = [*self.formats]
        for rule, names in used.items():
            for name in sorted(set(names) - set(self.columns)):
                raise ValueError(f"{rule} for {name}, which no source column fills. {nearest_hint(name, self.columns)}")
        for name in sorted({*self.divide, *self.zero_is_unknown}):
            if schema[name] != pl.Float64:
                raise ValueError(f"Expected a figure to divide or to be zero, was {name}")
        if self.clock and self.known_at == "session_close":
            raise ValueError("clock tells a moment, known_at session_close a date: Expected one of them")
        if self.known_at == "column" and self.known_delay_minutes:
            raise ValueError("known_delay_minutes beside known_at: column, which says itself when rows were known")
        twice = sorted((set(self.columns) & set(self.constants)) | (given & derived))
        needless = (*data.optional_columns, *(("settlement",) if self.kind == "chains" else ()))
        missing = [name for name in schema.names() if name not in {*given, *derived, *needless}]
        if twice or missing:
            raise ValueError(f"{self.kind} of {self.file}: filled twice {twice}, not filled {missing}{_help(missing)}")
        self._check_times(data.event)
        self._check_constants()
        for key, pattern in (("file_name", self.file_name), ("file_path", self.file_path)):
            _check_pattern(key, pattern)
        for pattern in self.preamble:
            _check_pattern("preamble", pattern)
        if self.decimal in (self.thousands, self.separator if self.separator != "," else None):
            raise ValueError(f"decimal '{self.decimal}' is also the mark of thousands or the separator")
        return self

    def _check_times(self, event: str) -> None:
        schema = DATASETS[self.kind].columns_provided
        if event not in self.columns:
            raise ValueError(f"Expected a source column for {event}, was a constant")
        for zone in filter(None, (self.zone, self.clock.zone if self.clock else None)):
            if not _zone_is_known(zone):
                raise ValueError(f"Expected a time zone such as America/New_York, was '{zone}'")
        for name, forms in sorted(self.formats.items()):
            if not schema[name].is_temporal():
                raise ValueError(f"Expected a format of a date or time, was one of {name}")
            untimed = [form for form in forms if not tells_time(form)]
            if untimed and schema[name] != pl.Date and self.known_at != "session_close":
                raise ValueError(
                    f"formats.{name}: '{untimed[0]}' reads a date without a time of day, which would be known at the "
                    "start of its day. Expected a time of day, or known_at: session_close"
                )

    def _check_constants(self) -> None:
        """A constant is of its column's type: what YAML does not read as text is refused where text is expected."""
        for name, value in sorted(self.constants.items()):
            dtype = DATASETS[self.kind].columns_provided[name]
            if value is None:
                continue
            if dtype == pl.String and not isinstance(value, str):
                raise ValueError(f"constants.{name}: {must_be_quoted(value)}")
            if dtype == pl.Float64 and not (_is_number(value) and math.isfinite(value)):
                raise ValueError(f"constants.{name}: Expected a number, found {value!r}")
            if dtype.is_temporal():
                raise ValueError(f"constants.{name}: Expected a source column for a date or time, found {value!r}")

    @property
    def many_files(self) -> bool:
        """Whether ``file`` is a pattern."""
        return "*" in self.file


class ImportMapping(Section):
    """The mapping of a data set: its name, a description, and its tables."""

    name: str
    about: str
    tables: tuple[TableMapping, ...] = Field(min_length=1)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _help(missing: Sequence[str]) -> str:
    if "underlying_price" not in missing:
        return ""
    return ". Nothing is computed from a chain without the price of its underlying: name its column, or a preamble's"


def _check_pattern(key: str, pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ValueError(f"Expected a regular expression as {key}, was '{pattern}': {error}") from error
