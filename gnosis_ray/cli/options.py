"""The options that verbs share, each defined once, and the settings that follow from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import click

from gnosis_ray.config import Config, load_config
from gnosis_ray.config.market import FIRST_YEAR, LAST_YEAR
from gnosis_ray.errors import ConfigError
from gnosis_ray.ledger.default_ledger import LEDGER, SYNTHETIC_LEDGER
from gnosis_ray.schemas.core_schemas import to_utc
from gnosis_ray.storage.location import Location, locate

FC = TypeVar("FC", bound=Callable[..., Any])
Format = Literal["table", "json", "csv", "parquet"]

DEFAULT_UNIVERSE = "sp500"
MAX_DIGITS = 20
"""Of a whole number: Python refuses to read thousands of digits, in words of its own."""


class LocationParam(click.ParamType[Location]):
    """A folder as it was given, or the prefix of a bucket."""

    name = "DIR|s3://BUCKET/PREFIX"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """The name as it is: click would write the scheme of the address in capitals."""
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Location:
        """From a path or an address. An empty text, or the address of another service, is a usage error."""
        if not str(value).strip():
            self.fail("Expected a folder, was an empty text", param, ctx)
        if isinstance(value, str) and "://" in value:
            try:
                return locate(value)
            except ConfigError as error:
                self.fail(error.message, param, ctx)
        folder: Path = click.Path(file_okay=False, path_type=Path).convert(value, param, ctx)
        return folder


class FileParam(click.ParamType[Path]):
    """A file to write."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """From a path. An empty text, or a folder, is a usage error."""
        if not str(value).strip():
            self.fail("Expected a file, was an empty text", param, ctx)
        path: Path = click.Path(dir_okay=False, path_type=Path).convert(value, param, ctx)
        return path


class TimestampParam(click.ParamType[datetime]):
    """An ISO 8601 timestamp; a naive one is read as UTC."""

    name = "timestamp"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """From ``2026-07-12T12:00:00Z`` or ``2026-07-12``."""
        try:
            timestamp = to_utc(datetime.fromisoformat(str(value)))
        except ValueError:
            timestamp = None
        if timestamp is None:
            self.fail(f"Expected a timestamp such as 2026-07-12T12:00:00Z, was {value!r}", param, ctx)
        if not FIRST_YEAR <= timestamp.year <= LAST_YEAR:
            self.fail(f"Expected a timestamp of the years {FIRST_YEAR} to {LAST_YEAR}, was {value!r}", param, ctx)
        return timestamp


class DayParam(click.ParamType[datetime]):
    """A day, as the moment at which it begins; without a time zone."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """From ``2026-07-12``."""
        if isinstance(value, datetime):
            return value
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d")  # noqa: DTZ007 - a day has no zone
        except ValueError:
            day = None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            years = f"of the years {FIRST_YEAR} to {LAST_YEAR}"
            self.fail(f"Expected a day such as 2026-07-12, {years}, was {value!r}", param, ctx)
        return day


class NumberParam(click.ParamType[float]):
    """A finite number within bounds."""

    name = "number"

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """From text; what is no number is above and below nothing, and is refused."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not self._low <= number <= self._high:
            self.fail(f"Expected a number from {self._low:g} to {self._high:g}, was {str(value)!r}", param, ctx)
        return number


class CountParam(click.ParamType[int]):
    """A whole number within bounds."""

    name = "count"

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """From text."""
        try:
            number = int(str(value)) if len(str(value)) < MAX_DIGITS else None
        except ValueError:
            number = None
        if number is None or not self._low <= number <= self._high:
            self.fail(f"Expected a whole number from {self._low:,} to {self._high:,}, was {str(value)!r}", param, ctx)
        return number


def format_option(command: FC) -> FC:
    """``--format table|json|csv|parquet``."""
    return limited_format_option(get_args(Format))(command)


def limited_format_option(formats: Sequence[Format]) -> Callable[[FC], FC]:
    """``--format`` for a verb that has only these."""
    help_ = "The format of stdout."
    return click.option("--format", "format_", type=click.Choice(formats), default=formats[0], help=help_)


def out_option(command: FC) -> FC:
    """``--out DIR|s3://BUCKET/PREFIX``: where ledgers are; None for the default, which depends on the run."""
    default = f"./{LEDGER}; of synthetic runs ./{SYNTHETIC_LEDGER}"
    return click.option("--out", type=LocationParam(), help=f"Where ledgers are; default: {default}.")(command)


def verbose_option(command: FC) -> FC:
    """``--verbose``: the summary of a run with every reason, vendor and stage."""
    return click.option("--verbose", is_flag=True, help="Say all of the summary, on stderr.")(command)


def data_dir_option(help_: str = "The market store; default: the setting data.dir.") -> Callable[[FC], FC]:
    """``--data-dir DIR|s3://BUCKET/PREFIX``: where the market store is; see :func:`load_settings`."""
    return click.option("--data-dir", type=LocationParam(), help=help_)


def universe_options(command: FC) -> FC:
    """``--universe`` and ``--symbols``; see :func:`requested_universe`."""
    name = click.option(
        "--universe", metavar="NAME|FILE", help=f"Which symbols: {DEFAULT_UNIVERSE} (default), another name, or a file."
    )
    return name(symbols_option(command))


def symbols_option(command: FC) -> FC:
    """``--symbols A,B``."""
    return click.option("--symbols", metavar="A,B", help="Which symbols, as a list.")(command)


def requested_universe(universe: str | None, symbols: str | None) -> str:
    """The name, the file or the comma-separated list for ``load_universe``. Raises :class:`ConfigError` for both."""
    if universe is not None and symbols is not None:
        raise ConfigError("Expected --universe or --symbols, was both: drop one of them")
    if symbols is not None:
        return f"{symbols},"
    return DEFAULT_UNIVERSE if universe is None else universe


def load_settings(
    profile: str | None, data_dir: Location | None = None, flags: Mapping[str, object] | None = None
) -> Config:
    """The settings under ``flags`` (None: not given) and ``--data-dir``."""
    store = None if data_dir is None else str(locate(data_dir))
    return load_config(profile, {**(flags or {}), "data.dir": store}).config
