"""What runs add to the history of features, how far it reaches, and the run that fills it for earlier sessions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from gnosis_ray.api import live
from gnosis_ray.api.run_flow import PreparedRun, RunRecipe
from gnosis_ray.app.feature_history import (
    HISTORY_SESSIONS,
    append_history,
    feature_hash,
    feature_names,
    history_dir,
    history_provider,
)
from gnosis_ray.app.jobs.backfill import BackfillJob
from gnosis_ray.config import Config
from gnosis_ray.data.store.history import FeatureHistory
from gnosis_ray.errors import ConfigError, DataError, IntegrityError, ResourceError
from gnosis_ray.ledger.run_writer import RunWriter
from gnosis_ray.ledger.tables import CONFIDENCE_COLUMNS
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.runs.kinds import BACKFILL
from gnosis_ray.schemas.run_schemas import RunManifest

logger = logging.getLogger(__name__)

AFTER_CLOSE = timedelta(hours=4)
"""When a session is looked at: after-hours trading is over, and delayed quotes of the close have arrived."""

BATCH_SESSIONS = 20
"""Sessions a batch of a backfill: what its symbols read is shared, and a batch fits into a worker."""


def with_history(manifest: RunManifest, config: Config, calendar: SessionCalendar) -> RunManifest:  # noqa: ARG001
    """The manifest with the history that the run may read: of its hash, the parts that are there now."""
    history = FeatureHistory(history_dir(config, synthetic=manifest.synthetic))
    keys = keys_at(manifest.symbols, manifest.as_of)
    parts = history.part_names(keys, HISTORY_SESSIONS)
    return manifest.model_copy(update={"feature_hash": feature_hash(config), "history_parts": parts})


def publish(table: str) -> Callable[[PreparedRun, RunWriter], str | None]:
    """What adds a run's features, out of a table of its ledger, to the history before the run is sealed.

    It returns how many were added, for a backfill's user.
    Where the history cannot be written, the run is none the worse: that is logged as a warning.
    """

    def add(run: PreparedRun, _writer: RunWriter) -> str | None:
        if not run.manifest.feature_hash:
            return None  # begun by a version without history
        if run.manifest.feature_hash != feature_hash(run.config):
            logger.warning("Other code than this began the run: its features are not added to their history")
            return None
        rows = run.store.read(table, run.manifest.run_id)
        root = history_dir(run.config, synthetic=run.manifest.synthetic)
        try:
            done = append_history(root, rows, history_provider(run.config), run.manifest.feature_hash, run.started)
        except (DataError, IntegrityError, ResourceError, OSError) as error:
            logger.warning("The history of features in %s was not added to: %s", root, error)
            return None
        logger.info("%d features added to the history in %s, %d known before", done.written, root, done.known)
        if done.written == 0 and done.known:
            return f"The history had all {done.known:,} values already: nothing was added."
        return f"{done.written:,} values added to the history; it had {done.known:,} of them already."

    return add


def sessions_of_history(run: PreparedRun) -> float:
    """How many of the :data:`HISTORY_SESSIONS` sessions before a run its history has, for the median symbol."""
    manifest, config = run.manifest, run.config
    if not manifest.history_parts:
        return 0.0
    history = FeatureHistory(history_dir(config, synthetic=manifest.synthetic), manifest.history_parts)
    found = history.read(
        keys_at(manifest.symbols, manifest.as_of),
        [CONFIDENCE_COLUMNS[config.engines.enabled[0]]],
        HISTORY_SESSIONS,
        run.calendar,
        provider=history_provider(config),
        feature_hash=manifest.feature_hash,
    )
    counts = found.group_by("symbol").len()["len"].to_list()
    return float(np.median([*counts, *[0] * (len(manifest.symbols) - len(counts))]))


def _backfill_job(run: PreparedRun, writer: RunWriter) -> BackfillJob:
    return BackfillJob(run.config, run.calendar, writer)


def _engines(config: Config) -> int:
    return len(config.engines.enabled)


BACKFILL_RUN = RunRecipe(BACKFILL, _backfill_job, _engines, before_seal=publish("features"))
"""The engines over earlier sessions; :func:`backfill_run` says which."""


def backfill_run(start: date, end: date, after_close: timedelta = AFTER_CLOSE) -> RunRecipe:
    """A backfill of every session from ``start`` to ``end``, each as of ``after_close`` its close."""

    def complete(manifest: RunManifest, config: Config, calendar: SessionCalendar) -> RunManifest:
        timestamps = past(session_timestamps(calendar, start, end, after_close), live.TIME.now())
        changes = {
            "as_of": timestamps[-1],
            "run_date": timestamps[-1].date(),
            "timestamps": timestamps,
            "batch_timestamps": BATCH_SESSIONS,
            "feature_hash": feature_hash(config),
        }
        return manifest.model_copy(update=changes)

    return replace(BACKFILL_RUN, complete=complete, since=start)


def session_timestamps(
    calendar: SessionCalendar, start: date, end: date, after_close: timedelta
) -> tuple[datetime, ...]:
    """The moment of each session from ``start`` to ``end``, both included, UTC and ascending.

    Raises :class:`ConfigError` where there is no session, and where ``after_close`` reaches into the next one.
    """
    inside = (calendar.days >= np.datetime64(start)) & (calendar.days <= np.datetime64(end))
    if not inside.any():
        none = f"Expected a session of {calendar.name} from {start} to {end}, was none"
        raise ConfigError(f"{none}: give days with a session, the first one first")
    moments = calendar.closes[inside] + np.timedelta64(after_close)
    if (calendar.session_number(moments) != np.flatnonzero(inside)).any():
        raise ConfigError(f"Expected a time before the next session opens, was {after_close} after the close")
    return tuple(moment.replace(tzinfo=UTC) for moment in moments.astype("datetime64[us]").tolist())


def past(timestamps: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    """Those that are not after ``now``; the others are named in a warning. Raises :class:`ConfigError` for none."""
    over = tuple(moment for moment in timestamps if moment <= now)
    if not over:
        raise ConfigError(f"Expected a session that is over, was {timestamps[0]:%Y-%m-%d} at the earliest")
    if len(over) < len(timestamps):
        first = timestamps[len(over)].date()
        logger.warning("%d sessions from %s on are not over yet: left out", len(timestamps) - len(over), first)
    return over


def coverage(run: PreparedRun) -> pl.DataFrame:
    """What a backfill measured: one row a session, with its symbols and the median number of their features."""
    rows = run.store.read("features", run.manifest.run_id)
    names = feature_names(rows.columns)
    times = rows["timestamp"].dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")
    sessions = run.calendar.days[run.calendar.session_number(times)]
    return (
        rows.with_columns(
            session=pl.Series(sessions.astype("datetime64[D]")),
            present=pl.sum_horizontal(pl.col(name).is_not_null() for name in names),
        )
        .group_by("session")
        .agg(symbols=pl.len(), features=pl.col("present").median().cast(pl.Int64))
        .sort("session")
    )
