"""Intraday trades and quotes: a mid path through the marks, moved by signed flow at a planted Kyle lambda."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.data.synthetic.params import SymbolParams
from gnosis_ray.data.synthetic.paths import PricePath
from gnosis_ray.data.synthetic.randomness import stream
from gnosis_ray.data.synthetic.timeline import SLICES, Timeline
from gnosis_ray.market.calendar import Moments
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]

TRADES_PER_SLICE = 30
TRADES_PER_SESSION = SLICES * TRADES_PER_SLICE
UNKNOWN_SIDE_SHARE = 0.08
_SIZE_SIGMA = 0.6
"""Of the logarithm of a trade's size."""
_QUOTE_LEAD = np.timedelta64(1_000, "us")


@dataclass(frozen=True)
class Tape:
    """One session of one symbol, a row a trade in time's order. The quote of row i stands a millisecond before it."""

    times: Moments
    quote_times: Moments
    prices: Floats
    signed_sizes: Floats
    """Shares: positive where the buyer was the aggressor."""
    side_known: npt.NDArray[np.bool_]
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


@dataclass(frozen=True)
class Impact:
    """How flow moves a session's price."""

    kyle_lambda: float
    """USD a share of signed volume."""
    flow_sigma: float
    """Standard deviation of a trade's signed size, shares."""
    correlation: float
    """Between a trade's signed size and its price change."""
    noise_sigma: float
    """Standard deviation of the price change that flow leaves unexplained, USD."""


def impact_of(params: SymbolParams, path: PricePath, session: int) -> Impact:
    """lambda = share of deviation that flow explains times price over flow deviation (Kyle 1985, theorem 1).

    Built on the previous close and the long-run volatility, so that lambda does not depend on the session itself.
    """
    before = path.close(session - 1)
    mean_size = params.dollar_volume / before / TRADES_PER_SESSION
    flow_sigma = mean_size * float(np.exp(0.5 * _SIZE_SIGMA**2))
    usual = before * params.volatility / np.sqrt(TRADING_DAYS_PER_YEAR * TRADES_PER_SESSION)
    kyle_lambda = float(np.sqrt(params.impact_share) * usual / flow_sigma)
    actual = before * float(path.slice_sigma[session]) / np.sqrt(TRADES_PER_SLICE)
    correlation = min(kyle_lambda * flow_sigma / actual, 0.95)
    return Impact(kyle_lambda, flow_sigma, correlation, actual * float(np.sqrt(1.0 - correlation**2)))


def session_tape(seed: int, params: SymbolParams, path: PricePath, timeline: Timeline, session: int) -> Tape:
    """The whole session. Each slice ends on its mark: the path between marks is filled in (Levy's construction).

    Within a slice dp_i = lambda q_i + e_i. Its total flow is drawn given its price move, with the correlation that
    the law of dp and q implies, so that a regression finds lambda between slices as well as within.
    """
    impact = impact_of(params, path, session)
    random = stream(seed, params.symbol, "tape", session)
    u = random.random((SLICES, TRADES_PER_SLICE, 5))
    z = random.standard_normal((SLICES, TRADES_PER_SLICE + 1, 2))
    marks = path.marks(session, session)[0]
    flow = _signed_sizes(impact, path.steps[session] / path.slice_sigma[session], u[..., 0], z)
    low, high = path.ohlc(session, session)[0, [2, 1]]
    prices: Floats = np.clip(_prices(impact, marks, flow, z[:, 1:, 1]), low, high).round(4).ravel()

    sign = np.sign(flow).ravel()
    half = 0.5e-4 * params.spread_bps * prices
    mid = prices - sign * half
    times = _times(timeline, session, u[..., 1])
    return Tape(
        times=times,
        quote_times=times - _QUOTE_LEAD,
        prices=prices,
        signed_sizes=flow.ravel(),
        side_known=(u[..., 2] >= UNKNOWN_SIDE_SHARE).ravel(),
        bid=np.round(mid - half, 6),
        ask=np.round(mid + half, 6),
        bid_size=100.0 * np.ceil(20.0 * u[..., 3]).ravel(),
        ask_size=100.0 * np.ceil(20.0 * u[..., 4]).ravel(),
    )


def _signed_sizes(impact: Impact, moves: Floats, u: Floats, z: Floats) -> Floats:
    """(SLICES, trades): lognormal sizes of random side, shifted to the slice's total flow; whole shares, never 0."""
    mean_size = impact.flow_sigma / np.exp(0.5 * _SIZE_SIGMA**2)
    sizes = mean_size * np.exp(_SIZE_SIGMA * z[:, 1:, 0] - 0.5 * _SIZE_SIGMA**2)
    raw = np.where(u < 0.5, -sizes, sizes)
    own = np.sqrt(1.0 - impact.correlation**2) * z[:, 0, 0]
    total = impact.flow_sigma * np.sqrt(TRADES_PER_SLICE) * (impact.correlation * moves + own)
    shifted = raw - raw.mean(axis=1, keepdims=True) + total[:, None] / TRADES_PER_SLICE
    return np.asarray(np.where(shifted < 0.0, -1.0, 1.0) * np.maximum(np.rint(np.abs(shifted)), 1.0))


def _prices(impact: Impact, marks: Floats, flow: Floats, z: Floats) -> Floats:
    """(SLICES, trades): from each mark to the next, by flow and noise."""
    pushed = impact.kyle_lambda * flow
    noise = impact.noise_sigma * z
    unexplained = np.diff(marks) - pushed.sum(axis=1)
    noise += (unexplained / TRADES_PER_SLICE - noise.mean(axis=1))[:, None]
    return np.asarray(marks[:-1, None] + np.cumsum(pushed + noise, axis=1))


def _times(timeline: Timeline, session: int, u: Floats) -> Moments:
    """One moment in each of the session's equal parts, strictly inside of the session."""
    opened = timeline.opens[session]
    part = (timeline.closes[session] - opened).astype(np.int64) // TRADES_PER_SESSION
    offsets = (np.arange(TRADES_PER_SESSION) + 0.05 + 0.9 * u.ravel()) * part
    return np.asarray(opened + offsets.astype(np.int64).astype("timedelta64[us]"))
