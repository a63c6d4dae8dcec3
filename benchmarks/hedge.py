"""The hedge engine over the universe, from the store's files to features, against reading those files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.market import Market
from benchmarks.report import Row
from benchmarks.timing import alternate
from gnosis_ray.data.chains.cleaning import clean
from gnosis_ray.data.chains.contracts import arrange
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.chains.timing import add_times
from gnosis_ray.data.chains.volatility import select_volatility
from gnosis_ray.engines.hedge.exposure import with_exposures
from gnosis_ray.engines.hedge.gamma_profile import gamma_profiles
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK

ROUNDS = 9
YARDSTICK = "Polars reads and sums the same Parquet files"


def rows(market: Market, _scratch: Path) -> Iterator[Row]:
    """The whole, the gamma profile apart, and each step's share. Steps within steps are told by subtraction."""
    config, keys = market.config, market.keys
    adapter = market.adapter()
    loader = ChainLoader(market.calendar, config.market)
    engine = HedgeEngineV3(adapter, config.engines.hedge)
    raw = adapter.source.raw_chains(keys)
    cleaned = add_times(clean(raw), market.calendar)
    contracts = arrange(cleaned, config.market)
    data = engine.load(keys)
    book = with_exposures(
        data["chains"].join(keys.with_row_index("key"), on=["symbol", "timestamp"]), config.engines.hedge
    )
    book = book.sort("key", "expiry", "strike", "type")
    seconds = alternate(
        {
            "yardstick": market.read_and_sum,
            "whole": lambda: engine.frames(keys),
            "read": lambda: (adapter.source.raw_chains(keys), adapter.fetch_bars(keys, BAR_LOOKBACK)),
            "arrange": lambda: arrange(add_times(clean(raw), market.calendar), config.market),
            "invert": lambda: select_volatility(contracts, config.market.implied_vol),
            "load": lambda: loader.load(raw),
            # another frame of the same bars: what was measured of the very frame would not be measured again
            "compute": lambda: engine.compute(keys, {**data, "bars": data["bars"].clone()}, {}),
            "profile": lambda: gamma_profiles(book, config.engines.hedge),
        },
        ROUNDS,
    )
    yardstick, whole = seconds["yardstick"], seconds["whole"]
    points = config.engines.hedge.profile_points
    yield Row(
        f"hedge engine, {len(market.symbols)} symbols, {raw.height:,} contracts: store to features",
        whole,
        YARDSTICK,
        yardstick,
        note="aim: within 40",
    )
    yield Row(
        f"  of it the {points}-point gamma profile, {book.height:,} positions",
        seconds["profile"],
        "the same",
        yardstick,
    )
    shares = {
        "read chains and bars": seconds["read"],
        "clean, time, pair, find forwards": seconds["arrange"],
        "invert and choose volatilities": seconds["invert"],
        "greeks, assemble": seconds["load"] - seconds["arrange"] - seconds["invert"],
        "engine without the profile": seconds["compute"] - seconds["profile"],
        "gamma profile": seconds["profile"],
    }
    for step, taken in shares.items():
        yield Row(f"  step: {step}", taken, note=f"{taken / sum(shares.values()):.0%}")
