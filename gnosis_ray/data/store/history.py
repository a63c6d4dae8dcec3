"""Features of earlier sessions: what a decision that needs a symbol's own past reads, point in time like bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from gnosis_ray.data.store.catalog import Catalog, PartListing
from gnosis_ray.data.store.deduplication import latest_measurements
from gnosis_ray.data.store.reading import read_rows
from gnosis_ray.errors import DataError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import FEATURES
from gnosis_ray.schemas.conventions import DAYS_PER_YEAR, TRADING_DAYS_PER_YEAR
from gnosis_ray.storage.location import Location

HISTORY = pl.Schema(
    {
        "symbol": pl.String(),
        "timestamp": UTC_TIME,  # of the key
        "measured_at": UTC_TIME,
        "feature": pl.String(),
        "value": pl.Float64(),
    }
)
"""The columns of :meth:`FeatureHistory.read`."""

SPARE_DAYS = 14
"""For holidays that come together."""


class FeatureHistory:
    """The kind ``features`` of a market store. Reads only the parts of the days that can matter."""

    def __init__(self, root: Location, parts: Sequence[str] | None = None) -> None:
        """``parts``: the only ones to read, as :meth:`part_names` gives them and a manifest pins them; without, all.

        A store that does not exist has no history, which is no error.
        """
        self.root = root
        self._parts = None if parts is None else frozenset(parts)
        self._catalog = Catalog(root, may_be_empty=True)

    def part_names(self, keys: pl.DataFrame, sessions: int) -> tuple[str, ...]:
        """The parts that :meth:`read` of these keys would look into, as ``2026-07-10/part-....parquet``."""
        first, last = _periods(keys, sessions)
        return tuple(_name(path) for path in self._catalog.listing(FEATURES, first, last).paths)

    def read(
        self,
        keys: pl.DataFrame,
        features: Sequence[str],
        sessions: int,
        calendar: SessionCalendar,
        *,
        provider: str,
        feature_hash: str,
    ) -> pl.DataFrame:
        """For each key the features at the last moment of each of the ``sessions`` sessions before its own.

        ``keys``: ``columns.KEYS``. Rows known after a key's timestamp are not there for it, nor those of another
        provider or another ``feature_hash``; of two values for one moment the one measured last is. Returns
        :data:`HISTORY`, sorted by its columns; a session or a feature without a row has none. Raises
        :class:`DataError` where a pinned part is gone.
        """
        listing = self._listing(keys, sessions)
        chosen = listing.index.join(keys.select("symbol").unique(), on="symbol", how="semi", maintain_order="left")
        wanted = (
            (pl.col("provider") == provider)
            & (pl.col("feature_hash") == feature_hash)
            & pl.col("feature").is_in(list(features))
        )
        rows = read_rows(self.root, FEATURES, listing, chosen, FEATURES.stored, where=wanted)
        known = latest_measurements(rows).select("symbol", "known_at", "feature", "value", measured_at="timestamp")
        numbered = known.with_columns(_session(known["measured_at"], calendar))
        asked = keys.select("symbol", "timestamp", own=_session(keys["timestamp"], calendar))
        return (
            asked.join(numbered, on="symbol")
            .filter(
                pl.col("known_at") <= pl.col("timestamp"),
                pl.col("session") < pl.col("own"),
                pl.col("session") >= pl.col("own") - sessions,
            )
            .sort("symbol", "timestamp", "feature", "session", "measured_at", "known_at")
            .unique(["symbol", "timestamp", "feature", "session"], keep="last", maintain_order=True)
            .select(HISTORY.names())
            .sort("symbol", "timestamp", "measured_at", "feature")
        )

    def _listing(self, keys: pl.DataFrame, sessions: int) -> PartListing:
        first, last = _periods(keys, sessions)
        listing = self._catalog.listing(FEATURES, first, last)
        if self._parts is None:
            return listing
        found = {_name(path): number for number, path in enumerate(listing.paths)}
        missing = {name for name in self._parts if first <= name.partition("/")[0] <= last} - found.keys()
        if missing:
            raise DataError(f"Expected the feature history {min(missing)} in {self.root}, with which this run began")
        pinned = [number for name, number in found.items() if name in self._parts]
        return PartListing(listing.paths, listing.index.filter(pl.col("part").is_in(pinned)))


def _periods(keys: pl.DataFrame, sessions: int) -> tuple[str, str]:
    """The first and the last partition that can hold a row for the keys."""
    if keys.is_empty():
        return "~", ""
    days = sessions * DAYS_PER_YEAR / TRADING_DAYS_PER_YEAR + SPARE_DAYS
    first, last = keys.select(
        first=FEATURES.period_of(pl.col("timestamp").min() - timedelta(days=days)),
        last=FEATURES.period_of(pl.col("timestamp").max()),
    ).row(0)
    return first, last


def _name(path: Location) -> str:
    return f"{path.parent.name.partition('=')[2]}/{path.name}"


def _session(moments: pl.Series, calendar: SessionCalendar) -> pl.Series:
    times = moments.dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")
    return pl.Series("session", np.asarray(calendar.session_number(times)), dtype=pl.Int64)
