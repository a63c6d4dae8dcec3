"""The loop that a notebook would write, with pandas and vollib, against ours for the same figures."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from vollib.black_scholes_merton.greeks.analytical import delta, gamma
from vollib.black_scholes_merton.implied_volatility import implied_volatility
from vollib.helpers.exceptions import PriceIsAboveMaximum, PriceIsBelowIntrinsic
from vollib.lets_be_rational import AboveMaximumException, BelowIntrinsicException

from benchmarks.market import Market
from benchmarks.quotes import Quotes, quotes_of
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.options.bsm import Floats, greeks
from gnosis_ray.options.implied_vol import implied_vol

NO_VOLATILITY = (AboveMaximumException, BelowIntrinsicException, PriceIsAboveMaximum, PriceIsBelowIntrinsic)
SAMPLE = 4000
ROUNDS = 5


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """One implied volatility, delta and gamma a contract: theirs on an even sample, scaled by count; ours on all."""
    quotes = quotes_of(market)
    chosen = np.linspace(0, quotes.price.size - 1, min(SAMPLE, quotes.price.size)).astype(np.intp)
    table = _table(quotes, chosen)
    seconds = alternate({"theirs": lambda: _loop(table), "ours": lambda: _ours(quotes)}, ROUNDS)
    scaled = seconds["theirs"] * quotes.price.size / chosen.size
    yield Row(
        f"implied volatility and greeks of {quotes.price.size:,} mids",
        seconds["ours"],
        f"pandas and vollib, symbol by symbol: {chosen.size:,} of them, times {quotes.price.size / chosen.size:.1f}",
        scaled,
        times_faster=True,
        note="aim: 10; ours gives all greeks, theirs delta and gamma",
    )
    theirs, ours = _loop(table), _ours(quotes)[chosen]
    worst = np.nanmax(np.abs(theirs / ours - 1.0), axis=0)
    silent = int((np.isnan(theirs) != np.isnan(ours)).any(axis=1).sum())
    yield Row(
        "  the same figures? largest relative difference",
        note=f"volatility {worst[0]:.0e}, delta {worst[1]:.0e}, gamma {worst[2]:.0e}; only one has an answer: {silent}",
    )


def _table(quotes: Quotes, chosen: np.ndarray[tuple[int], np.dtype[np.intp]]) -> pd.DataFrame:
    names = ("price", "w", "spot", "strike", "tau", "rate", "carry")
    columns = {name: getattr(quotes, name)[chosen] for name in names}
    return pd.DataFrame({"symbol": quotes.symbol.gather(chosen).to_list(), **columns})


def _loop(table: pd.DataFrame) -> Floats:
    """(contracts, 3): volatility, delta, gamma; NaN where vollib finds no volatility."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that is only measured
        for _, contracts in table.groupby("symbol", sort=False):
            found += [_one(row) for row in contracts.itertuples(index=False)]
    return np.array(found)


def _one(row: tuple[object, ...]) -> tuple[float, float, float]:
    _, price, w, spot, strike, tau, rate, carry = row
    flag = "c" if w == 1.0 else "p"
    try:
        sigma = implied_volatility(price, spot, strike, tau, rate, carry, flag)
    except NO_VOLATILITY:
        return np.nan, np.nan, np.nan
    at = (flag, spot, strike, tau, rate, sigma, carry)
    return sigma, delta(*at), gamma(*at)


def _ours(quotes: Quotes) -> Floats:
    sigma = implied_vol(quotes.price, *quotes.inputs()).sigma
    valued = greeks(*quotes.inputs(), sigma)
    return np.column_stack([sigma, valued.delta, valued.gamma])
