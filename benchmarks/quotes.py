"""Contracts with a two-sided quote, as arrays: what implied volatility is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.market import Market
from gnosis_ray.data.chains.cleaning import clean
from gnosis_ray.data.chains.contracts import arrange
from gnosis_ray.data.chains.timing import add_times
from gnosis_ray.options.bsm import Floats


@dataclass(frozen=True)
class Quotes:
    """One entry a contract, sorted by symbol; units as in :mod:`gnosis_ray.options.bsm`, ``price`` the mid."""

    symbol: pl.Series
    price: Floats
    w: Floats
    spot: Floats
    strike: Floats
    tau: Floats
    rate: Floats
    carry: Floats

    def inputs(self) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
        """What price, greeks and implied volatility take, in their order."""
        return self.w, self.spot, self.strike, self.tau, self.rate, self.carry


def quotes_of(market: Market) -> Quotes:
    """The out-of-the-money contracts whose mid the loader inverts."""
    raw = market.adapter().source.raw_chains(market.keys)
    cleaned = add_times(clean(raw), market.calendar)
    c = arrange(cleaned, market.config.market)
    rows = np.flatnonzero(c.out_of_money & ~c.spot_disagrees & np.isfinite(c.mid))
    return Quotes(
        symbol=cleaned["symbol"].gather(rows),
        price=c.mid[rows],
        w=c.w[rows],
        spot=c.spot[rows],
        strike=c.strike[rows],
        tau=c.quote_tau[rows],
        rate=c.rate[rows],
        carry=c.carry[rows],
    )
