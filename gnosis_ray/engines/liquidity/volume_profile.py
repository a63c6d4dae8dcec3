"""Volume by price: where it stands, the area that holds most of it, what draws the price and where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.ndimage import maximum_filter1d

from gnosis_ray.config.liquidity import LiquidityConfig
from gnosis_ray.engines.liquidity.rows import Flags, Floats, Ints, divided, row_sums
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
    """Each bar's volume spread evenly over [low, high]; a bar narrower than a bucket fills a bucket's width.

    The volume below an edge is a sum of ramps, which two cumulative sums give for all edges at once.
    """
    low = grid.position(bars.low, reference[:, None])
    high = grid.position(bars.high, reference[:, None])
    widen = np.maximum(1.0 - (high - low), 0.0) * 0.5
    low, high = low - widen, high + widen
    used = ~np.isnan(low) & (bars.volume > 0)
    density = np.where(used, bars.volume / np.where(used, high - low, 1.0), 0.0)
    volume = np.diff(_below_edges(low, density, used, grid) - _below_edges(high, density, used, grid), axis=1)
    return _as_shares(volume, np.where(used, bars.volume, 0.0).sum(axis=1))


def _below_edges(start: Floats, density: Floats, used: Flags, grid: PriceGrid) -> Floats:
    """(n, buckets + 1): at each edge the sum of ``density (edge - start)`` of the ramps that began before it."""
    n, edges = len(start), grid.count + 1
    at = np.clip(np.ceil(np.where(used, start, edges)), 0, edges).astype(np.int64)
    on_grid = used & (at < edges)
    cells = (np.arange(n)[:, None] * edges + at)[on_grid]
    slope, offset = density[on_grid], (density * np.where(used, start, 0.0))[on_grid]
    slopes = np.bincount(cells, weights=slope, minlength=n * edges).reshape(n, edges).cumsum(axis=1)
    offsets = np.bincount(cells, weights=offset, minlength=n * edges).reshape(n, edges).cumsum(axis=1)
    return np.asarray(slopes * np.arange(edges) - offsets)


def _as_shares(volume: Floats, total: Floats) -> Profiles:
    volume = np.where(volume > _DUST * total[:, None], volume, 0.0)
    inside = volume.sum(axis=1)
    return Profiles(volume / np.where(inside > 0, inside, 1.0)[:, None], np.minimum(divided(inside, total), 1.0))


@dataclass(frozen=True)
class ProfileLevels:
    """What a profile says; (n,) each, prices in USD, NaN where absent."""

    poc: Floats
    value_area_low: Floats
    value_area_high: Floats
    magnet_level: Floats
    magnet_score: Floats
    void_score: Floats
    void_above: Floats
    void_below: Floats


def profile_levels(
    profiles: Profiles, reference: Floats, sigma: Floats, grid: PriceGrid, config: LiquidityConfig
) -> ProfileLevels:
    """Point of control, value area, magnet and void of each profile.

    ``reference`` (n,) USD is the middle of the grid; ``sigma`` (n,) the daily standard deviation of log returns.
    The value area grows from the point of control, a bucket at a time to the fuller side, until it holds
    ``value_area_share``. The magnet is the nearest high-volume node: a bucket that none within ``node_radius`` exceeds
    and that holds more than the mean of the buckets with volume; its score is exp(-distance / sigma) times the share of
    buckets with volume that hold no more. The void score is 1 - volume within one sigma of the price, over the median
    of bands as wide centred where there was volume, clipped to 0..1. Void levels are the nearest buckets to either
    side that hold less than ``void_share`` of the median bucket with volume.
    """
    shares = profiles.shares
    there = shares.sum(axis=1) > 0
    poc = np.argmax(shares, axis=1)
    low, high = _value_area(shares, poc, config.value_area_share)
    node, percentile = _nearest_node(shares, grid, config.node_radius)
    distance = np.abs(node - grid.half) * grid.width
    below, above = _void_levels(shares, grid, config.void_share)

    def level(bucket: Floats | Ints) -> Floats:
        return np.where(there, grid.price(np.asarray(bucket, dtype=np.float64), reference), np.nan)

    return ProfileLevels(
        poc=level(poc),
        value_area_low=level(low),
        value_area_high=level(high),
        magnet_level=level(node),
        magnet_score=np.exp(-divided(distance, sigma)) * percentile,
        void_score=np.where(there, _void_score(shares, sigma, grid), np.nan),
        void_above=level(above),
        void_below=level(below),
    )


def _value_area(shares: Floats, poc: Ints, target: float) -> tuple[Ints, Ints]:
    """First and last bucket of each value area."""
    rows = np.arange(len(shares))
    last = shares.shape[1] - 1
    low, high = poc.copy(), poc.copy()
    held = shares[rows, poc]
    growing = (held < target) & (held > 0)
    while growing.any():
        under = np.where(low > 0, shares[rows, np.maximum(low - 1, 0)], -1.0)
        over = np.where(high < last, shares[rows, np.minimum(high + 1, last)], -1.0)
        down = growing & (under > over)
        up = growing & ~down
        low, high = low - down, high + up
        held = held + np.where(down, under, 0.0) + np.where(up, over, 0.0)
        growing &= (held < target) & ((low > 0) | (high < last))
    return low, high


def _nearest_node(shares: Floats, grid: PriceGrid, radius: int) -> tuple[Floats, Floats]:
    """Bucket of the high-volume node nearest to the price, and its percentile among buckets with volume."""
    filled = shares > 0
    mean = divided(shares.sum(axis=1), filled.sum(axis=1).astype(np.float64))
    peak = maximum_filter1d(shares, 2 * radius + 1, axis=1, mode="constant") if len(shares) else shares
    nodes = filled & (shares >= peak) & (shares >= mean[:, None])
    distance = np.where(nodes, np.abs(np.arange(grid.count) - grid.half), grid.count)
    node = np.argmin(distance, axis=1)
    height = shares[np.arange(len(shares)), node]
    no_more = (filled & (shares <= height[:, None])).sum(axis=1).astype(np.float64)
    percentile = divided(no_more, filled.sum(axis=1).astype(np.float64))
    return np.where(nodes.any(axis=1), node, np.nan), percentile


def _void_score(shares: Floats, sigma: Floats, grid: PriceGrid) -> Floats:
    known = sigma > 0
    reach = np.maximum(np.rint(np.where(known, sigma, 0.0) / grid.width), 1).astype(np.int64)[:, None]
    edges = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    centre = np.arange(grid.count)
    bands = np.take_along_axis(edges, np.minimum(centre + reach + 1, grid.count), axis=1) - np.take_along_axis(
        edges, np.maximum(centre - reach, 0), axis=1
    )
    typical = _median_where(bands, shares > 0)
    return np.where(known, np.clip(1.0 - divided(bands[:, grid.half], typical), 0.0, 1.0), np.nan)


def _median_where(values: Floats, kept: Flags) -> Floats:
    """(n, m) -> (n,): the median of the values kept, NaN where none is."""
    ordered = np.sort(np.where(kept, values, np.inf), axis=1)
    count = kept.sum(axis=1)
    rows = np.arange(len(values))
    lower, upper = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.maximum(count, 1) // 2]
    return np.where(count > 0, (np.where(count > 0, lower, 0.0) + np.where(count > 0, upper, 0.0)) * 0.5, np.nan)


def _void_levels(shares: Floats, grid: PriceGrid, share: float) -> tuple[Floats, Floats]:
    """The nearest thin bucket below and above the price's own; NaN where the grid has none."""
    thin = shares < share * _median_where(shares, shares > 0)[:, None]
    under = thin[:, : grid.half][:, ::-1]
    over = thin[:, grid.half + 1 :]
    below = np.where(under.any(axis=1), grid.half - 1 - np.argmax(under, axis=1), np.nan)
    above = np.where(over.any(axis=1), grid.half + 1 + np.argmax(over, axis=1), np.nan)
    return below, above


def profile_details(profiles: Profiles, reference: Floats, grid: PriceGrid, keys: pl.DataFrame) -> pl.DataFrame:
    """The buckets with volume, ``columns.DETAILS``, named ``volume_profile``: x price in USD, value share of volume."""
    row, bucket = np.nonzero(profiles.shares)
    owner = keys.select("symbol", "timestamp")[row]
    return owner.with_columns(
        name=pl.lit("volume_profile"),
        x=pl.Series(grid.price(bucket.astype(np.float64), reference[row]), dtype=pl.Float64),
        value=pl.Series(profiles.shares[row, bucket], dtype=pl.Float64),
    )
