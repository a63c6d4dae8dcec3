"""How a symbol moves with a few baskets (funds of an index or a sector): least squares over daily log returns.

Everything is of one symbol at one moment and of arrays of one shape, so a batch of one equals a batch of many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl

from gnosis_ray.config import CrossAssetConfig
from gnosis_ray.engines.inputs.adjusting import log_moves
from gnosis_ray.engines.inputs.bar_statistics import BREAK

Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

LEAST_VARIANCE = 1e-12
"""Of a day's log return, a deviation of .01 basis points: below it a price did not move."""


@dataclass(frozen=True)
class Tape:
    """Every version of one symbol's closes, sorted by session, then by when it became known."""

    sessions: Moments
    known: Moments
    closes: Floats
    adjusted: Floats
    """NaN where unknown."""

    @classmethod
    def by_symbol(cls, bars: pl.DataFrame) -> dict[str, Self]:
        """The tape of each symbol of ``columns.BARS``; a close that is no price is left out."""
        usable = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
        columns = ("timestamp", "known_at", "close", "adjusted_close")
        ordered = usable.sort("symbol", "timestamp", "known_at").select("symbol", *columns)
        return {
            part["symbol"][0]: cls(*(part[name].to_numpy() for name in columns))
            for part in ordered.partition_by("symbol", maintain_order=True)
        }

    def sessions_at(self, moment: np.datetime64) -> Moments:
        """The sessions of which a close was known at ``moment``, ascending."""
        return self.sessions[self._latest(moment)]

    def returns(self, sessions: Moments, moment: np.datetime64) -> Floats:
        """Log returns, adjusted, from each of ``sessions`` to the next, as known at ``moment``.

        Shape (sessions - 1,); NaN where either close is missing, or where the move is beyond ``BREAK``.
        """
        latest = self._latest(moment)
        if not latest.size:
            return np.full(max(sessions.size - 1, 0), np.nan)
        held = self.sessions[latest]
        place = np.minimum(np.searchsorted(held, sessions), held.size - 1)
        there = held[place] == sessions
        closes, adjusted = (np.where(there, v[latest][place], np.nan) for v in (self.closes, self.adjusted))
        moves = log_moves(closes, adjusted)
        return np.where(np.abs(moves) <= BREAK, moves, np.nan)

    def _latest(self, moment: np.datetime64) -> npt.NDArray[np.intp]:
        """Places of the version of each session that stood at ``moment``."""
        seen = np.flatnonzero(self.known <= moment)
        return seen[np.append(self.sessions[seen][1:] != self.sessions[seen][:-1], True)] if seen.size else seen


@dataclass(frozen=True)
class Baskets:
    """The baskets' daily log returns over the market's last sessions: shape (sessions - 1, baskets), NaN unknown."""

    sessions: Moments
    returns: Floats

    @classmethod
    def at(
        cls, moment: np.datetime64, names: Sequence[str], tapes: dict[str, Tape], config: CrossAssetConfig
    ) -> Self | None:
        """As known at ``moment``; None where the market has no recent bars."""
        market = tapes.get(config.market)
        sessions = market.sessions_at(moment)[-(config.beta_window + 1) :] if market else np.array([])
        if not sessions.size or moment - sessions[-1] > np.timedelta64(timedelta(days=config.max_age_days)):
            return None
        nothing = np.full(sessions.size - 1, np.nan)
        columns = [tapes[name].returns(sessions, moment) if name in tapes else nothing for name in names]
        return cls(sessions, np.column_stack(columns))


@dataclass(frozen=True)
class CoMovement:
    """One symbol against each basket; every array has shape (baskets,), NaN with too few common returns.

    ``beta``: the symbol's expected move per move of the basket. ``response``: the basket's expected move per move of
    the symbol, the regression the other way round, which is the fit over the beta and not one over the beta: most of
    what a stock does says nothing of its index. ``fit``: R squared of both. ``common``: returns that both have.
    """

    beta: Floats
    response: Floats
    fit: Floats
    common: npt.NDArray[np.int64]

    @classmethod
    def of(cls, returns: Floats, baskets: Floats, min_bars: int) -> Self:
        """``returns`` of shape (days,), ``baskets`` of shape (days, baskets)."""
        both = np.isfinite(returns)[:, None] & np.isfinite(baskets)
        common = both.sum(axis=0)
        count = np.where(common >= min_bars, common, np.nan)
        own, other = (np.where(both, r, 0.0) for r in (returns[:, None], baskets))
        own = np.where(both, own - own.sum(axis=0) / count, 0.0)
        other = np.where(both, other - other.sum(axis=0) / count, 0.0)
        covariance, variance, basket_variance = (
            (left * right).sum(axis=0) / count for left, right in ((own, other), (own, own), (other, other))
        )
        moved = (variance > LEAST_VARIANCE) & (basket_variance > LEAST_VARIANCE)
        covariance = np.where(moved, covariance, np.nan)
        beta, response = covariance / np.where(moved, basket_variance, 1.0), covariance / np.where(moved, variance, 1.0)
        return cls(beta, response, beta * response, common)
