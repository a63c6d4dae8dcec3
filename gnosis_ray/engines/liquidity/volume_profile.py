"""Volume by price: how it is spread over buckets around each key's own price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.config import LiquidityConfig
from gnosis_ray.engines.liquidity.row_statistics import Floats, blocks, divided, row_sums
from gnosis_ray.engines.liquidity.windows import BarWindow

_DUST = 1e-12
"""Shares of a window's volume below this are rounding, not volume."""


@dataclass(frozen=True)
class PriceGrid:
    """Buckets of equal log width around each key's own price, so that a change of units changes no bucket."""

    half: int
    width: float

    @property
    def count(self) -> int:
        """Buckets in all; the middle one holds the key's price."""
        return 2 * self.half + 1

    def position(self, price: Floats, reference: Floats) -> Floats:
        """Where a price stands, in buckets from the lower end of the grid."""
        return np.log(price / reference) * (1.0 / self.width) + (self.half + 0.5)

    def price(self, bucket: Floats, reference: Floats) -> Floats:
        """The price at the middle of a bucket."""
        return reference * np.exp((bucket - self.half) * self.width)


def price_grid(config: LiquidityConfig) -> PriceGrid:
    """``profile_span`` to either side in steps of ``profile_bucket``, both of the logarithm of price."""
    return PriceGrid(round(config.profile_span / config.profile_bucket), config.profile_bucket)


@dataclass(frozen=True)
class Profiles:
    """Volume by bucket, shares of what lies on the grid: (n, buckets); zeros where a key has none."""

    shares: Floats
    coverage: Floats
    """(n,): part of the window's volume that lies on the grid; NaN where there is no volume."""


def trade_profiles(trades: pl.DataFrame, reference: Floats, grid: PriceGrid) -> Profiles:
    """Each trade's shares at its price."""
    key, price, size = (trades[c].to_numpy() for c in ("key", "price", "size"))
    n = len(reference)
    bucket = np.floor(grid.position(price, reference[key])).astype(np.int64)
    inside = (bucket >= 0) & (bucket < grid.count)
    cells = key[inside] * grid.count + bucket[inside]
    volume = np.bincount(cells, weights=size[inside], minlength=n * grid.count)
    return _as_shares(np.asarray(volume, dtype=np.float64).reshape(n, grid.count), row_sums(key, size, n))


def bar_profiles(bars: BarWindow, reference: Floats, grid: PriceGrid) -> Profiles:
    """Each bar's volume spread evenly over [low, high]; a bar narrower than a bucket fills a bucket's width."""
    shares, coverage = np.empty((len(reference), grid.count)), np.empty(len(reference))
    for rows in blocks(len(reference)):
        low = grid.position(bars.low[rows], reference[rows, None])
        high = grid.position(bars.high[rows], reference[rows, None])
        used = ~np.isnan(low) & (bars.volume[rows] > 0)
        volume = np.where(used, bars.volume[rows], 0.0)
        found = _as_shares(
            _spread(np.where(used, low, 0.0), np.where(used, high, 0.0), volume, grid), volume.sum(axis=1)
        )
        shares[rows], coverage[rows] = found.shares, found.coverage
    return Profiles(shares, coverage)


def _spread(low: Floats, high: Floats, volume: Floats, grid: PriceGrid) -> Floats:
    """(n, buckets): ``volume`` (n, bars) spread between two positions.

    A bar adds its density to every bucket from its low on and takes it back from its high on; where it begins or ends
    inside a bucket, that one and the next share the step. One cumulative sum then gives all buckets.
    """
    widen = np.maximum(1.0 - (high - low), 0.0) * 0.5
    low, high = low - widen, high + widen
    density = volume / (high - low)
    ends = np.clip(np.concatenate([low, high], axis=1), 0.0, grid.count)
    bucket = ends.astype(np.int64)
    step = np.concatenate([density, -density], axis=1)
    later = step * (ends - bucket)
    width = grid.count + 2  # what begins or ends beyond the grid steps in two buckets beside it
    cells = bucket + np.arange(len(low))[:, None] * width
    steps = np.bincount(
        np.concatenate([cells, cells + 1], axis=1).ravel(),
        weights=np.concatenate([step - later, later], axis=1).ravel(),
        minlength=len(low) * width,
    )
    return np.cumsum(steps.reshape(len(low), width)[:, : grid.count], axis=1)


def _as_shares(volume: Floats, total: Floats) -> Profiles:
    volume = np.where(volume > _DUST * total[:, None], volume, 0.0)
    inside = volume.sum(axis=1)
    volume /= np.where(inside > 0, inside, 1.0)[:, None]
    return Profiles(volume, np.minimum(divided(inside, total), 1.0))


def profile_details(profiles: Profiles, reference: Floats, grid: PriceGrid, keys: pl.DataFrame) -> pl.DataFrame:
    """The buckets with volume, ``columns.DETAILS``, named ``volume_profile``: x price in USD, value share of volume."""
    cells = np.flatnonzero(profiles.shares)
    row = cells // grid.count
    factor = grid.price(np.arange(grid.count, dtype=np.float64), np.ones(1))
    owner = keys.select("symbol", "timestamp")[row]
    return owner.with_columns(
        name=pl.lit("volume_profile"),
        x=pl.Series(reference[row] * factor[cells - row * grid.count], dtype=pl.Float64),
        value=pl.Series(profiles.shares.ravel()[cells], dtype=pl.Float64),
    )
