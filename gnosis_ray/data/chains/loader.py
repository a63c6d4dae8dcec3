"""Turns raw chains into chains with selected implied volatilities and computed greeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from gnosis_ray.config import MarketConfig
from gnosis_ray.data.chains.cleaning import clean
from gnosis_ray.data.chains.contracts import Contracts, arrange
from gnosis_ray.data.chains.report import LoadReport
from gnosis_ray.data.chains.timing import add_times
from gnosis_ray.data.chains.volatility import SOURCE_NAMES, Volatilities, select_volatility
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import CHAIN
from gnosis_ray.options.bsm import Floats, greeks

_GREEKS = ("delta", "gamma", "vega", "theta", "vanna", "charm")
_CHUNK = 16384
"""Contracts valued together: their temporary arrays fit into the CPU cache."""


@dataclass(frozen=True)
class LoadedChains:
    """``chain``: ``columns.CHAIN``; ``report``: rows by symbol and reason (:mod:`gnosis_ray.data.chains.report`)."""

    chain: pl.DataFrame
    report: pl.DataFrame


@dataclass(frozen=True)
class ChainLoader:
    """Turns raw chains into ``columns.CHAIN``, for one symbol or a universe: the same bits either way."""

    calendar: SessionCalendar
    config: MarketConfig

    def load(self, raw: pl.DataFrame) -> pl.DataFrame:
        """``columns.CHAIN``, sorted by symbol, timestamp, expiry, strike, type (then settlement).

        ``raw`` holds ``columns.RAW_CHAIN`` and ``timestamp``, the as-of time at which positions are valued; implied
        volatility is inverted at the quotes' own time and spot. Bad rows are dropped, bad figures null, never NaN.
        Raises :class:`~gnosis_ray.errors.SchemaError` for a missing or mistyped column only.
        """
        return self._load(raw, None)

    def load_with_report(self, raw: pl.DataFrame) -> LoadedChains:
        """:meth:`load`, and how many rows of each symbol were dropped or refused, by reason."""
        report = LoadReport()
        chain = self._load(raw, report)
        return LoadedChains(chain, report.table())

    def _load(self, raw: pl.DataFrame, report: LoadReport | None) -> pl.DataFrame:
        rows = clean(raw, report)
        if rows.is_empty():
            return CHAIN.to_frame()
        rows = add_times(rows, self.calendar, report)
        contracts = arrange(rows, self.config)
        volatilities = select_volatility(contracts, self.config.implied_vol)
        if report is not None:
            crossed = ("crossed_quote", (contracts.bid > contracts.ask) & (contracts.ask > 0))
            report.count_masks(rows["symbol"], [crossed, *volatilities.refused])
        return _assemble(rows, contracts, volatilities)


def _assemble(rows: pl.DataFrame, contracts: Contracts, volatilities: Volatilities) -> pl.DataFrame:
    computed: dict[str, Floats] = {
        "mid_price": contracts.mid,
        "iv": volatilities.sigma,
        "rate": contracts.rate,
        "carry": contracts.carry,
        **_value(contracts, volatilities.sigma),
    }
    chain = rows.with_columns(
        *(pl.Series(name, values, nan_to_null=True) for name, values in computed.items()),
        pl.Series("carry_assumed", contracts.carry_assumed),
        pl.Series("iv_source", SOURCE_NAMES, dtype=pl.String).gather(volatilities.source),
    ).select(CHAIN.names())
    mornings = chain["settlement"] == "AM"
    if mornings.any() and not mornings.all():
        return chain.sort("symbol", "timestamp", "expiry", "strike", "type", "settlement")
    return chain


def _value(contracts: Contracts, sigma: Floats) -> dict[str, Floats]:
    """Greeks as of ``timestamp``; NaN where there is no volatility."""
    out = {name: np.full(sigma.size, np.nan) for name in _GREEKS}
    known = np.flatnonzero(np.isfinite(sigma))
    for start in range(0, known.size, _CHUNK):
        rows = known[start : start + _CHUNK]
        valued = greeks(
            contracts.w[rows],
            contracts.spot[rows],
            contracts.strike[rows],
            contracts.tau[rows],
            contracts.rate[rows],
            contracts.carry[rows],
            sigma[rows],
        )
        for name, values in out.items():
            values[rows] = getattr(valued, name)
    return out
