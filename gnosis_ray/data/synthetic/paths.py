"""Price paths: a market factor, volatility regimes, jumps; marks in each session, daily bars from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnosis_ray.data.synthetic.params import JUMP_SIGMAS, JUMPS_PER_YEAR, MARKET_VOL, SymbolParams
from gnosis_ray.data.synthetic.randomness import stream
from gnosis_ray.data.synthetic.timeline import SLICES
from gnosis_ray.schemas.conventions import TRADING_DAYS_PER_YEAR

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CALM, STRESSED = 0.8, 1.7
"""Volatility multiples of the two regimes."""
INTO_STRESS, OUT_OF_STRESS = 0.012, 0.045
"""Chances a session of changing the regime; about a fifth of the time is stressed."""
REVERSION_PER_YEAR = 1.0
"""How fast the log price returns to its level: keeps a long path near its planted price."""
_OVERNIGHT = 0.2
_OVERSHOOT = 0.5826
"""Mean excess of a path's extreme over that of its marks, in slice deviations (Broadie, Glasserman, Kou 1997)."""


@dataclass(frozen=True)
class MarketPath:
    """The common factor: gaps (n,), slice steps (n, SLICES), both log returns, and the variance multiple (n,)."""

    gaps: Floats
    steps: Floats
    variance: Floats

    def first(self, sessions: int) -> MarketPath:
        """The first ``sessions`` sessions: the same bits as a path drawn no further."""
        return MarketPath(self.gaps[:sessions], self.steps[:sessions], self.variance[:sessions])


@dataclass(frozen=True)
class PricePath:
    """One symbol's log prices over n sessions. Row i depends on random numbers of rows 0..i only."""

    opens: Floats
    closes: Floats
    steps: Floats
    """(n, SLICES) log returns of the slices."""
    slice_sigma: Floats
    """Standard deviation of a slice's log return, given the regimes."""
    volatility: Floats
    """Annual volatility in force, given the regimes, jumps included."""
    stressed: Flags
    jumped: Flags
    volume: Floats
    """Shares."""
    overshoot: Floats
    """(n, 2): how far high and low lie beyond the extreme marks, log."""

    def marks(self, first: int, last: int) -> Floats:
        """USD prices at the open and the end of each slice, sessions first..last: (rows, SLICES + 1)."""
        rows = slice(first, last + 1)
        within = np.cumsum(self.steps[rows], axis=1)
        logs = np.concatenate([self.opens[rows, None], self.opens[rows, None] + within], axis=1)
        return np.asarray(np.exp(logs))

    def close(self, session: int) -> float:
        """USD."""
        return float(np.exp(self.closes[session]))

    def spot(self, session: int, mark: int) -> float:
        """USD, in cents, at a mark of a session."""
        return max(round(float(self.marks(session, session)[0, mark]), 2), 0.01)

    def ohlc(self, first: int, last: int) -> Floats:
        """(rows, 4): open, high, low, close in cents of a USD, sessions first..last."""
        marks = self.marks(first, last)
        overshoot = np.exp(self.overshoot[first : last + 1])
        high = marks.max(axis=1) * overshoot[:, 0]
        low = marks.min(axis=1) / overshoot[:, 1]
        bars = np.stack([marks[:, 0], high, low, marks[:, -1]], axis=1)
        return np.asarray(np.maximum(np.round(bars, 2), 0.01))


def stressed_sessions(uniforms: Floats) -> Flags:
    """A two-state Markov chain from one uniform a session, without a loop.

    A number below INTO_STRESS leads to stress from either state, one above 1 - OUT_OF_STRESS to calm; any other keeps
    the state. So the state is what the last deciding number said (coupling from the past, Propp and Wilson 1996).
    """
    decided = (uniforms < INTO_STRESS) | (uniforms > 1.0 - OUT_OF_STRESS)
    last = np.maximum.accumulate(np.where(decided, np.arange(uniforms.size), -1))
    return np.asarray((last >= 0) & (uniforms[last] < INTO_STRESS))


def market_path(seed: int, sessions: int) -> MarketPath:
    """The market factor over the first ``sessions`` sessions."""
    variance = _variance(stressed_sessions(stream(seed, "", "market regime").random(sessions)))
    daily = MARKET_VOL * np.sqrt(variance / TRADING_DAYS_PER_YEAR)
    z = stream(seed, "", "market steps").standard_normal((sessions, SLICES + 1))
    gaps = daily * np.sqrt(_OVERNIGHT) * z[:, 0]
    return MarketPath(gaps, (daily * _slice_share())[:, None] * z[:, 1:], variance)


def symbol_path(seed: int, params: SymbolParams, market: MarketPath) -> PricePath:
    """The path of one symbol over the market factor's sessions."""
    n = market.gaps.size
    u = stream(seed, params.symbol, "regime").random((n, 4))
    stressed = stressed_sessions(u[:, 0])
    own = params.own_volatility * np.sqrt(_variance(stressed) / TRADING_DAYS_PER_YEAR)
    z = stream(seed, params.symbol, "steps").standard_normal((n, SLICES + 3))

    jumped = u[:, 1] < -np.expm1(-JUMPS_PER_YEAR / TRADING_DAYS_PER_YEAR)
    jump = np.where(jumped, JUMP_SIGMAS * params.volatility / np.sqrt(TRADING_DAYS_PER_YEAR) * z[:, 1], 0.0)
    gaps = params.beta * market.gaps + own * np.sqrt(_OVERNIGHT) * z[:, 0] + jump
    steps = params.beta * market.steps + (own * _slice_share())[:, None] * z[:, 3:]
    within = np.cumsum(steps, axis=1)[:, -1]
    returns = gaps + within
    closes = np.log(params.price_level) + _revert(returns)

    diffusive = (params.beta * MARKET_VOL) ** 2 * market.variance + own**2 * TRADING_DAYS_PER_YEAR
    jump_variance = JUMPS_PER_YEAR * (JUMP_SIGMAS * params.volatility) ** 2 / TRADING_DAYS_PER_YEAR
    slice_sigma = np.sqrt(diffusive / TRADING_DAYS_PER_YEAR) * _slice_share()
    surprise = np.abs(returns) / np.sqrt(diffusive / TRADING_DAYS_PER_YEAR)
    activity = np.exp(0.3 * z[:, 2] - 0.045 + 0.35 * (np.minimum(surprise, 6.0) - 0.8))
    return PricePath(
        opens=closes - within,
        closes=closes,
        steps=steps,
        slice_sigma=slice_sigma,
        volatility=np.sqrt(diffusive + jump_variance),
        stressed=stressed,
        jumped=jumped,
        volume=np.rint(params.dollar_volume * np.exp(-closes) * activity),
        overshoot=-np.log1p(-u[:, 2:]) * _OVERSHOOT * slice_sigma[:, None],
    )


def _variance(stressed: Flags) -> Floats:
    """Variance multiple of each session."""
    return np.where(stressed, STRESSED**2, CALM**2)


def _slice_share() -> float:
    """A slice's deviation over the day's."""
    return float(np.sqrt((1.0 - _OVERNIGHT) / SLICES))


def _revert(returns: Floats) -> Floats:
    """Log distance from the level, x_i = a x_{i-1} + r_i with x_0 = 0, in closed form."""
    decay = np.exp(-REVERSION_PER_YEAR / TRADING_DAYS_PER_YEAR * np.arange(returns.size))
    shocks = returns / decay
    shocks[0] = 0.0
    return np.asarray(decay * np.cumsum(shocks))
