"""Where the history of features lies, by which hash its rows are told apart, and how a run adds to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl

from gnosis_ray.app.sources import data_dir
from gnosis_ray.config import Config, settings_hash
from gnosis_ray.data.store import AppendResult, StoreWriter
from gnosis_ray.ledger.tables import CONFIDENCE_COLUMNS
from gnosis_ray.market.columns import FEATURE_HISTORY, KEYS, UTC_TIME
from gnosis_ray.schemas.core_schemas import to_utc
from gnosis_ray.storage.location import Location

MEASURING_CODE = ("data/chains", "data/synthetic", "engines", "market", "options", "schemas/conventions.py")
"""The code that a feature depends on, below the package."""

DAYS_TOGETHER = 20
"""Days whose rows are stored together: a part a day, and a bounded frame."""

HISTORY_SESSIONS = 60
"""Sessions of a symbol's own past that a decision may ask for."""

_SEPARATOR = "__"


def history_dir(config: Config, *, synthetic: bool) -> Location:
    """The store of the history of features: the market store; of made-up markets a folder beside it."""
    place = data_dir(config)
    return place.parent / f"{place.name}-synthetic" if synthetic else place


def history_provider(config: Config) -> str:
    """Whose data the features were measured on: ``store`` for all that a run reads from there, vendors' answers too."""
    return "store" if config.data.reads_store else config.data.provider


def feature_hash(config: Config) -> str:
    """Sixteen hex digits over the settings and the code that measure; rows of another hash are not comparable."""
    return settings_hash({**config.measuring_settings(), "code": _code_digest()})


def append_history(
    root: Location, rows: pl.DataFrame, provider: str, measured_by: str, measured_at: datetime
) -> AppendResult:
    """Add a run's features to the history; what is there already is not stored again.

    ``rows``: ``columns.KEYS`` and one f64 column a feature, as in the ledger (``hedge__gamma_pressure``); each row is
    known at its own timestamp. ``measured_by``: of :func:`feature_hash`. ``measured_at``: when the run began. It
    decides between two values for one moment, since data that came late is measured anew. Raises :class:`DataError`
    where the store cannot be written.
    """
    writer = StoreWriter(root)
    written, known, parts = 0, 0, list[Location]()
    for some in _by_days(rows):
        fetched_at = pl.lit(to_utc(measured_at), UTC_TIME)
        done = writer.append_features(_long(some, provider, measured_by).with_columns(fetched_at=fetched_at))
        written, known, parts = written + done.written, known + done.known, [*parts, *done.parts]
    return AppendResult(written, known, tuple(parts))


def feature_names(columns: list[str]) -> list[str]:
    """Those of a table's columns that are features, or an engine's confidence."""
    engines = tuple(f"{kind}{_SEPARATOR}" for kind in CONFIDENCE_COLUMNS)
    return [name for name in columns if name.startswith(engines)]


def _by_days(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    dated = rows.with_columns(day=pl.col("timestamp").dt.date())
    days = dated["day"].unique().sort()
    for start in range(0, len(days), DAYS_TOGETHER):
        yield dated.filter(pl.col("day").is_in(days[start : start + DAYS_TOGETHER].implode())).drop("day")


def _long(rows: pl.DataFrame, provider: str, measured_by: str) -> pl.DataFrame:
    """One row a feature that was computed: ``columns.FEATURE_HISTORY``."""
    names = feature_names(rows.columns)
    return (
        rows.select(*KEYS, *names)
        .unpivot(names, index=KEYS.names(), variable_name="feature", value_name="value")
        .filter(pl.col("value").is_not_null())
        .with_columns(known_at=pl.col("timestamp"), provider=pl.lit(provider), feature_hash=pl.lit(measured_by))
        .select(FEATURE_HISTORY.names())
    )


@cache
def _code_digest() -> str:
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for name in MEASURING_CODE:
        path = package / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
