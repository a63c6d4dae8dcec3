"""The long tables of a book: its gamma profile, and where its net gamma lies by strike and by expiry."""

from __future__ import annotations

import numpy as np
import polars as pl

from gnosis_ray.engines.hedge.gamma_profile import GammaProfiles
from gnosis_ray.market.columns import DETAILS

GAMMA_PROFILE, GEX_BY_STRIKE, GEX_BY_EXPIRY = "gamma_profile", "gex_by_strike", "gex_by_expiry"
_NAMES = pl.Enum(sorted((GAMMA_PROFILE, GEX_BY_STRIKE, GEX_BY_EXPIRY)))


def book_details(profiles: GammaProfiles, book: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """``columns.DETAILS`` of ``keys`` (``key, symbol, timestamp``), in order of symbol, timestamp, name and x.

    ``gamma_profile``: x is a spot in USD. ``gex_by_strike``: x is the strike in USD. ``gex_by_expiry``: x is the
    calendar days from the date of ``timestamp`` to that of the expiry, a whole number. Values are net dealer gamma in
    USD per 1% move; each of the two breakdowns sums to the net over its key. ``book`` as from
    :func:`exposure.with_exposures`; ``profiles`` and ``book`` may hold other keys too.
    """
    ordered = keys.sort("symbol", "timestamp")
    placed = ordered.select("key", "timestamp", place=pl.int_range(pl.len(), dtype=pl.UInt32))
    signed = book.select("key", "strike", "expiry", value=pl.col("sign") * pl.col("gex"))
    parts = [
        _profile(profiles).join(placed, on="key"),
        _totals(signed, "strike", GEX_BY_STRIKE).join(placed, on="key"),
        _totals(signed, "expiry", GEX_BY_EXPIRY)
        .join(placed, on="key")
        .with_columns(x=(pl.col("x") - pl.col("timestamp").dt.date()).dt.total_days().cast(pl.Float64)),
    ]
    # names and symbols are put beside numbers that are in order already: text sorts slowly
    details = pl.concat(part.select("place", "name", "x", "value") for part in parts).sort("place", "name", "x")
    owners = ordered.select("symbol", "timestamp")[details["place"]]
    return owners.hstack(details.select(pl.col("name").cast(pl.String), "x", "value")).match_to_schema(DETAILS)


def _profile(profiles: GammaProfiles) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "key": np.repeat(profiles.keys, profiles.spots.shape[1]),
            "x": profiles.spots.ravel(),
            "value": profiles.gex.ravel(),
        },
        schema={"key": pl.UInt32, "x": pl.Float64, "value": pl.Float64},
    ).with_columns(name=pl.lit(GAMMA_PROFILE, _NAMES))


def _totals(signed: pl.DataFrame, x: str, name: str) -> pl.DataFrame:
    totals = signed.group_by("key", pl.col(x).alias("x"), maintain_order=True).agg(pl.col("value").sum())
    return totals.with_columns(name=pl.lit(name, _NAMES))
