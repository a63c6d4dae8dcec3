"""Net dealer gamma recomputed along a path of spots: sticky-strike volatility, time held still."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import HedgeConfig
from gnosis_ray.engines.hedge.exposure import ONE_PERCENT
from gnosis_ray.schemas.conventions import SHARES_PER_CONTRACT

DEAD_GAMMA = 1e-12
"""Of a profile's largest gamma: less than this, hours before expiry and far from the strikes, is none."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GammaProfiles:
    """Profiles of several keys.

    ``keys``: (n,) indices; ``spots``: (n, points) USD; ``gex``: (n, points) USD per 1% move at that spot;
    ``zero_gamma``: (n,) USD, NaN where there is none; ``roots``: (n,) counts.
    """

    keys: npt.NDArray[np.uint32]
    spots: Floats
    gex: Floats
    zero_gamma: Floats
    roots: npt.NDArray[np.int64]


def gamma_profiles(book: pl.DataFrame, config: HedgeConfig) -> GammaProfiles:
    """Recompute the book of every ``key`` at ``profile_points`` spots within ``profile_span`` of its own.

    ``book`` as from :func:`exposure.with_exposures`, sorted by key, expiry, strike. At ``S' = S`` the profile equals
    the net exposure. Call and put at a strike share their volatility, hence their gamma: one row a strike.
    """
    net = book.group_by("key", "expiry", "settlement", "strike", maintain_order=True).agg(
        position=(pl.col("sign") * pl.col("open_interest")).sum(),
        iv=pl.col("iv").first(),
        tau=pl.col("tau").first(),
        rate=pl.col("rate").first(),
        carry=pl.col("carry").first(),
        spot=pl.col("underlying_price").first(),
    )
    keys, starts, counts = np.unique(net["key"].to_numpy(), return_index=True, return_counts=True)
    moves = np.linspace(1 - config.profile_span, 1 + config.profile_span, config.profile_points)
    spot, scale, slope, offset = _coefficients(net)
    log_moves = np.log(moves)
    shape = np.empty((len(keys), len(moves)))
    for row, (start, count) in enumerate(zip(starts, counts, strict=True)):
        part = slice(start, start + count)
        d1 = np.multiply.outer(log_moves, slope[part])
        d1 += offset[part]
        np.multiply(d1, d1, out=d1)
        d1 *= -0.5
        np.exp(d1, out=d1)
        # einsum, not BLAS: its order of summation does not change with the number of threads
        shape[row] = np.einsum("ij,j->i", d1, scale[part])
    spots = spot[starts][:, None] * moves
    gex = shape * spots
    zero_gamma, roots = _zero_gamma(spots, gex, spot[starts])
    return GammaProfiles(keys, spots, gex, zero_gamma, roots)


def _coefficients(net: pl.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """GEX(S') = S' sum_i scale_i exp(-(slope_i ln(S'/S) + offset_i)^2 / 2): gamma S'^2 with its spot factored out."""
    position, iv, tau, rate, carry, spot, strike = (
        net[c].to_numpy() for c in ("position", "iv", "tau", "rate", "carry", "spot", "strike")
    )
    # gamma = e^{-q tau} phi(d1) / (S' sigma sqrt(tau)), d1 = slope ln(S'/S) + offset, slope = 1 / (sigma sqrt(tau))
    deviation = iv * np.sqrt(tau)
    per_contract = SHARES_PER_CONTRACT * ONE_PERCENT / math.sqrt(2 * math.pi)
    scale = position * np.exp(-carry * tau) / deviation * per_contract
    offset = (np.log(spot / strike) + (rate - carry + 0.5 * iv * iv) * tau) / deviation
    return spot, scale, 1.0 / deviation, offset


def _zero_gamma(spots: Floats, gex: Floats, spot: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The linear root nearest to spot, and how many there are. Gamma that has died out is no change of sign."""
    alive = np.abs(gex) > DEAD_GAMMA * np.abs(gex).max(axis=1, keepdims=True, initial=0.0)
    left, right = np.where(alive, gex, 0.0)[:, :-1], np.where(alive, gex, 0.0)[:, 1:]
    crosses = left * right < 0
    # S0 = S_l - g_l (S_r - S_l) / (g_r - g_l)
    step = np.where(crosses, right - left, 1.0)
    root = np.where(crosses, spots[:, :-1] - left * (spots[:, 1:] - spots[:, :-1]) / step, np.nan)
    distance = np.where(crosses, np.abs(root - spot[:, None]), np.inf)
    nearest = np.argmin(distance, axis=1)
    return root[np.arange(len(root)), nearest], crosses.sum(axis=1)
