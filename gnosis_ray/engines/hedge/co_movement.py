"""How a symbol moves with a few baskets (funds of an index or a sector): least squares over daily log returns.

Sums run along the days of each symbol and basket by themselves, so a batch of one equals a batch of many.
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
from gnosis_ray.engines.shared.bar_statistics import BREAK
from gnosis_ray.market.corporate_actions import log_moves

Floats = npt.NDArray[np.float64]
Moments = npt.NDArray[np.datetime64]

LEAST_VARIANCE = 1e-12
"""Of a day's log return, a deviation of .01 basis points: below it a price did not move."""


@dataclass(frozen=True)
class Tapes:
    """Every version of many symbols' closes: rows sorted by symbol, session, then by when they became known.

    ``rows``: a symbol's row in what is asked of all; ``owner``: that of each close. ``adjusted``: NaN where unknown.
    """

    rows: dict[str, int]
    owner: npt.NDArray[np.intp]
    sessions: Moments
    known: Moments
    closes: Floats
    adjusted: Floats

    @classmethod
    def of(cls, bars: pl.DataFrame) -> Self:
        """The tapes of ``columns.BARS``; a close that is no price is left out."""
        usable = bars.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
        ordered = usable.sort("symbol", "timestamp", "known_at")
        begins = ordered.select(pl.col("symbol").ne_missing(pl.col("symbol").shift(1))).to_series()
        names = ordered["symbol"].filter(begins)
        return cls(
            {name: row for row, name in enumerate(names)},
            np.cumsum(begins.to_numpy()) - 1,
            *(ordered[name].to_numpy() for name in ("timestamp", "known_at", "close", "adjusted_close")),
        )

    def sessions_at(self, symbol: str, moment: np.datetime64) -> Moments:
        """The sessions of which a close of ``symbol`` was known at ``moment``, ascending."""
        own = (self.owner == self.rows.get(symbol, -1)) & (self.known <= moment)
        return np.unique(self.sessions[own])

    def returns(self, sessions: Moments, moment: np.datetime64) -> Floats:
        """Log returns, adjusted, from each of ``sessions`` (ascending) to the next, as known at ``moment``.

        Shape (symbols, sessions - 1); NaN where either close is missing, or where the move is beyond ``BREAK``.
        """
        column = np.minimum(np.searchsorted(sessions, self.sessions), sessions.size - 1)
        held = np.flatnonzero((sessions[column] == self.sessions) & (self.known <= moment))
        closes, adjusted = (np.full((len(self.rows), sessions.size), np.nan) for _ in range(2))
        for table, values in ((closes, self.closes), (adjusted, self.adjusted)):
            # of several versions of a close the one that became known last stays
            table[self.owner[held], column[held]] = values[held]
        moves = log_moves(closes, adjusted)
        return np.where(np.abs(moves) <= BREAK, moves, np.nan)


@dataclass(frozen=True)
class Baskets:
    """The baskets' daily log returns over the market's last sessions: shape (sessions - 1, baskets), NaN unknown."""

    sessions: Moments
    returns: Floats

    @classmethod
    def at(cls, moment: np.datetime64, names: Sequence[str], tapes: Tapes, config: CrossAssetConfig) -> Self | None:
        """As known at ``moment``; None where the market has no recent bars."""
        sessions = tapes.sessions_at(config.market, moment)[-(config.beta_window + 1) :]
        if not sessions.size or moment - sessions[-1] > np.timedelta64(timedelta(days=config.max_age_days)):
            return None
        returns = tapes.returns(sessions, moment)
        nothing = np.full(sessions.size - 1, np.nan)
        columns = [returns[tapes.rows[name]] if name in tapes.rows else nothing for name in names]
        return cls(sessions, np.column_stack(columns))


@dataclass(frozen=True)
class CoMovement:
    """Symbols against baskets; every array has shape (symbols, baskets), NaN with too few common returns.

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
        """``returns`` of shape (symbols, days), ``baskets`` of shape (days, baskets)."""
        both = np.isfinite(returns)[:, :, None] & np.isfinite(baskets)
        common = both.sum(axis=1)
        count = np.where(common >= min_bars, common, np.nan)
        own, other = (
            np.where(both, moves - (np.where(both, moves, 0.0).sum(axis=1) / count)[:, None], 0.0)
            for moves in (returns[:, :, None], baskets)
        )
        covariance, variance, basket_variance = (
            (left * right).sum(axis=1) / count for left, right in ((own, other), (own, own), (other, other))
        )
        moved = (variance > LEAST_VARIANCE) & (basket_variance > LEAST_VARIANCE)
        covariance = np.where(moved, covariance, np.nan)
        beta, response = covariance / np.where(moved, basket_variance, 1.0), covariance / np.where(moved, variance, 1.0)
        return cls(beta, response, beta * response, common)
