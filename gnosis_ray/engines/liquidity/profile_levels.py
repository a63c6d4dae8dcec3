"""What a volume profile says: the area that holds most of it, what draws the price and where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter1d

from gnosis_ray.config import LiquidityConfig
from gnosis_ray.engines.liquidity.row_statistics import Flags, Floats, Ints, blocks, divided
from gnosis_ray.engines.liquidity.volume_profile import PriceGrid, Profiles


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
    ``value_area_share``; it crosses what is empty, and ends where there is volume. The magnet is the nearest
    high-volume node: a bucket that none within ``node_radius`` exceeds and that holds more than the mean of the
    buckets with volume; its score is exp(-distance / sigma) times the share of buckets with volume that hold no more.
    The void score is 1 - volume within one sigma of the price, over the median of bands as wide centred where there
    was volume, clipped to 0..1. Void levels are the nearest buckets to either side that hold less than ``void_share``
    of the median bucket with volume.
    """
    shares = profiles.shares
    poc = np.argmax(shares, axis=1)
    low, high = _value_area(shares, poc, config.value_area_share)
    found = np.empty((5, len(shares)))
    for rows in blocks(len(shares)):
        found[:, rows] = _around_price(shares[rows], sigma[rows], grid, config)
    node, percentile, void_score, above, below = found
    there = shares[np.arange(len(shares)), poc] > 0

    def level(bucket: Floats | Ints) -> Floats:
        return np.where(there, grid.price(np.asarray(bucket, dtype=np.float64), reference), np.nan)

    return ProfileLevels(
        poc=level(poc),
        value_area_low=level(low),
        value_area_high=level(high),
        magnet_level=level(node),
        magnet_score=np.exp(-divided(np.abs(node - grid.half) * grid.width, sigma)) * percentile,
        void_score=np.where(there, void_score, np.nan),
        void_above=level(above),
        void_below=level(below),
    )


def _value_area(shares: Floats, poc: Ints, target: float) -> tuple[Ints, Ints]:
    """First and last bucket of each value area."""
    n, buckets = shares.shape
    walled = np.pad(shares, ((0, 0), (1, 1)), constant_values=-1.0).ravel()
    first = np.arange(n) * (buckets + 2) + 1
    low, high = first + poc, first + poc
    held = walled[low]
    growing = np.flatnonzero((held > 0) & (held < target))
    left, right, held = low[growing], high[growing], held[growing]
    while growing.size:
        under, over = walled[left - 1], walled[right + 1]
        down = under > over
        left -= down
        right += ~down
        held += np.maximum(under, over)
        done = (held >= target) | (right - left == buckets - 1)
        if done.any():
            low[growing[done]], high[growing[done]] = left[done], right[done]
            growing, left, right, held = (values[~done] for values in (growing, left, right, held))
    # between two empty buckets it grew upwards: where nothing lies above, up to the end of the grid
    filled = shares > 0
    lowest, highest = np.argmax(filled, axis=1), buckets - 1 - np.argmax(filled[:, ::-1], axis=1)
    return np.maximum(low - first, lowest), np.minimum(high - first, highest)


def _around_price(shares: Floats, sigma: Floats, grid: PriceGrid, config: LiquidityConfig) -> tuple[Floats, ...]:
    """Nearest node and its percentile, void score, nearest thin buckets above and below; (n,) each."""
    filled = shares > 0
    count = filled.sum(axis=1)
    node, percentile = _nearest_node(shares, filled, count, grid, config.node_radius)
    above, below = _nearest(shares < config.void_share * _median_filled(shares, count)[:, None], grid, own=False)
    return node, percentile, _void_score(shares, filled, count, sigma, grid), above, below


def _nearest_node(shares: Floats, filled: Flags, count: Ints, grid: PriceGrid, radius: int) -> tuple[Floats, Floats]:
    """Bucket of the high-volume node nearest to the price, and its percentile among buckets with volume."""
    buckets = count.astype(np.float64)
    mean = divided(shares.sum(axis=1), buckets)
    peak = maximum_filter1d(shares, 2 * radius + 1, axis=1, mode="constant")
    above, below = _nearest(filled & (shares >= peak) & (shares >= mean[:, None]), grid, own=True)
    lower = (grid.half - below <= above - grid.half) | np.isnan(above)
    node = np.where(lower, below, above)
    height = shares[np.arange(len(shares)), np.where(np.isnan(node), grid.half, node).astype(np.int64)]
    no_more = (filled & (shares <= height[:, None])).sum(axis=1).astype(np.float64)
    return node, divided(no_more, buckets)


def _nearest(wanted: Flags, grid: PriceGrid, *, own: bool) -> tuple[Floats, Floats]:
    """The nearest wanted buckets above and below the price's ``own``, which counts or not; NaN where there is none."""
    beyond = 0 if own else 1
    over, under = wanted[:, grid.half + beyond :], wanted[:, : grid.half + 1 - beyond][:, ::-1]
    above = np.where(over.any(axis=1), grid.half + beyond + np.argmax(over, axis=1), np.nan)
    below = np.where(under.any(axis=1), grid.half - beyond - np.argmax(under, axis=1), np.nan)
    return above, below


def _void_score(shares: Floats, filled: Flags, count: Ints, sigma: Floats, grid: PriceGrid) -> Floats:
    known = sigma > 0
    reach = np.clip(np.rint(np.where(known, sigma, 0.0) / grid.width), 1, grid.count).astype(np.int64)
    beside = int(reach.max())
    below = np.zeros((len(shares), 1 + grid.count + 2 * beside))
    inside = below[:, beside + 1 : beside + 1 + grid.count]
    np.cumsum(shares, axis=1, out=inside)
    below[:, beside + 1 + grid.count :] = inside[:, -1:]
    # each row's band is a difference of two windows of its cumulative volume
    windows = sliding_window_view(below, grid.count, axis=1)
    rows = np.arange(len(shares))
    bands = windows[rows, beside + reach + 1] - windows[rows, beside - reach]
    typical = _median_filled(np.where(filled, bands, 0.0), count)
    return np.where(known, np.clip(1.0 - divided(bands[:, grid.half], typical), 0.0, 1.0), np.nan)


def _median_filled(values: Floats, count: Ints) -> Floats:
    """(n, m), of which ``count`` (n,) are not zero but above -> (n,): the median of those; NaN where there is none."""
    ordered = np.sort(values, axis=1)
    rows, end = np.arange(len(values)), values.shape[1] - 1
    lower, upper = ordered[rows, end - np.maximum(count, 1) // 2], ordered[rows, end - np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, (lower + upper) * 0.5, np.nan)
