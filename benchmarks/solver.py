"""How far the implied-volatility solver is from the arithmetic that it inverts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.market import Market
from benchmarks.quotes import quotes_of
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.options.bsm import price
from gnosis_ray.options.implied_vol import implied_vol

ROUNDS = 15


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """The limit: a solver that knew the answer would still evaluate the price once."""
    quotes = quotes_of(market)
    sigma = implied_vol(quotes.price, *quotes.inputs()).sigma
    seconds = alternate(
        {
            "solver": lambda: implied_vol(quotes.price, *quotes.inputs()),
            "arithmetic": lambda: price(*quotes.inputs(), sigma),
        },
        ROUNDS,
    )
    yield Row(
        f"implied volatility of {quotes.price.size:,} mids",
        seconds["solver"],
        "one vectorised Black-Scholes-Merton price of each",
        seconds["arithmetic"],
        note="the limit: 1",
    )
