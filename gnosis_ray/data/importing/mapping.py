"""Import mappings: the meaning of an external data set's columns, declared in YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, ValidationError, model_validator

from gnosis_ray.config import Section, config_root, home
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind


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


class TableMapping(Section):
    """One source file, or many alike, and the dataset that they fill.

    - ``file``: a name in the folder or, with ``*``, a pattern of names; Parquet, CSV (also gzipped) or a zip of one CSV
    - ``header``: the columns of a text file that has no header line
    - ``file_name``: a regular expression whose named groups become further source columns
    - ``preamble``: such expressions of the lines before the header line, one per line
    - ``columns``: target -> source; a dataset's optional columns may be left out, and are null then
    - ``formats``: target -> the format of its source's date or time (strftime)
    - ``zone``: the time zone of times without one, instead of UTC
    - ``divide``: target -> the divisor of its source
    - ``zero_is_unknown``: targets in which zero means null
    - ``known_at``: ``event`` where rows have the time they were taken at, ``session_close`` where a date stands for the
      close of that date's session, ``column`` where ``columns`` names it
    - ``known_delay_minutes``: how long after the first two a row became known
    """

    file: str
    kind: DataKind
    header: tuple[str, ...] = ()
    file_name: str | None = None
    preamble: tuple[str, ...] = ()
    columns: dict[str, str]
    formats: dict[str, str] = Field(default_factory=dict)
    zone: str | None = None
    divide: dict[str, PositiveFloat] = Field(default_factory=dict)
    zero_is_unknown: tuple[str, ...] = ()
    clock: ClockRule | None = None
    flagged: FlagRule | None = None
    constants: dict[str, str | float | None] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    known_at: Literal["event", "session_close", "column"]
    known_delay_minutes: NonNegativeInt = 0
    contract: ContractRule | None = None

    @model_validator(mode="after")
    def _complete(self) -> TableMapping:
        schema = DATASETS[self.kind].columns_provided
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
        needless = DATASETS[self.kind].optional_columns
        missing = [name for name in schema.names() if name not in {*given, *derived, *needless}]
        if twice or missing:
            raise ValueError(f"{self.kind} of {self.file}: filled twice {twice}, not filled {missing}")
        for name in sorted(self.formats):
            if not schema[name].is_temporal():
                raise ValueError(f"Expected a format of a date or time, was one of {name}")
        _check_pattern("file_name", self.file_name)
        for pattern in self.preamble:
            _check_pattern("preamble", pattern)
        return self

    @property
    def many_files(self) -> bool:
        """Whether ``file`` is a pattern."""
        return "*" in self.file


class ImportMapping(Section):
    """The mapping of a data set: its name, a description, and its tables."""

    name: str
    about: str
    tables: tuple[TableMapping, ...] = Field(min_length=1)


def _check_pattern(key: str, pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ValueError(f"Expected a regular expression as {key}, was '{pattern}': {error}") from error


def mapping_names() -> tuple[str, ...]:
    """The mappings of the configuration and of the user."""
    return tuple(sorted(_named()))


def load_mapping(name_or_file: str) -> ImportMapping:
    """A mapping by name, or from a YAML file; :class:`ConfigError` naming what is wrong and the nearest valid one."""
    path = _named().get(name_or_file) or Path(name_or_file).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"Unknown mapping '{name_or_file}'. {nearest_hint(name_or_file, mapping_names())} "
            "Also accepted: the path of a mapping file."
        )
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Cannot read the mapping {path}: {error}") from error
    try:
        return ImportMapping.model_validate(body)
    except ValidationError as error:
        raise ConfigError(f"{path}: " + " | ".join(_fault(dict(fault)) for fault in error.errors())) from error


def _named() -> dict[str, Path]:
    folders = (config_root() / "mappings", home() / "mappings")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def _fault(fault: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{where}: {fault['msg']}; found {fault['input']!r}" if where else str(fault["msg"])
    valid: dict[str, type[BaseModel]] = {
        "tables": TableMapping,
        "contract": ContractRule,
        "clock": ClockRule,
        "flagged": FlagRule,
    }
    owners: list[type[BaseModel]] = [
        ImportMapping,
        *(valid[str(part)] for part in fault["loc"][:-1] if str(part) in valid),
    ]
    owner = owners[-1]
    return f"{where}: unknown key. {nearest_hint(str(fault['loc'][-1]), owner.model_fields)}"
