"""Measure 56 sessions of SPX chains with the hedge engine and draw them as ``docs/spx_2019_gex.png``.

Usage: python docs/make_spx_2019_chart.py FOLDER (the one with spx_2019's chains.parquet).
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import polars as pl
from matplotlib.figure import Figure

from gnosis_ray.app.sources import build_calendar
from gnosis_ray.config import load_config
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.columns import KEYS

LONG, SHORT, INDEX = "#0072b2", "#d55e00", "#222222"
"""Okabe and Ito's colours: told apart by every eye."""


def measured(folder: Path) -> pl.DataFrame:
    """The hedge engine's features: one panel call over every session of the data set."""
    config = load_config().config
    calendar = build_calendar(config, datetime(2019, 7, 23, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as store:
        import_dataset(folder, load_mapping("spx_2019"), StoreWriter(Path(store)), calendar)
        parts = Path(store).rglob("*.parquet")
        moments = pl.scan_parquet(list(parts)).select("event_time").unique().sort("event_time").collect()
        keys = moments.select(symbol=pl.lit("SPX"), timestamp="event_time").match_to_schema(KEYS)
        adapter = SourceMarketAdapter(StoreSource(Path(store)), ChainLoader(calendar, config.market))
        return HedgeEngineV3(adapter, config.engines.hedge).frames(keys).features


def drawn(features: pl.DataFrame) -> Figure:
    """The index between its walls above, net dealer gamma below."""
    mpl.rcParams |= {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, (prices, gammas) = plt.subplots(2, 1, figsize=(11, 7.2), sharex=True, height_ratios=(3, 2))
    days = features["timestamp"].to_list()
    walls = {"where": "mid", "linewidth": 1.2}
    prices.step(days, features["call_wall"], color=LONG, label="call wall", **walls)
    prices.step(days, features["put_wall"], color=SHORT, label="put wall", **walls)
    prices.plot(days, features["zero_gamma"], color=INDEX, linestyle="--", linewidth=1.2, label="zero gamma")
    prices.plot(days, features["spot"], color=INDEX, linewidth=2, label="S&P 500")
    prices.set_ylabel("index points")
    prices.legend(frameon=False, ncols=4, loc="lower right")
    prices.set_title("SPX and SPXW options of 2019 as the hedge engine reads them", loc="left", fontweight="bold")
    net = features["gex_usd_per_pct"] * 1e-9
    gammas.bar(days, net, width=0.8, color=[LONG if value > 0 else SHORT for value in net])
    gammas.axhline(0, color=INDEX, linewidth=0.8)
    gammas.set_ylabel("net dealer gamma,\nbillion USD per 1% move")
    gammas.xaxis.set_major_locator(mdates.WeekdayLocator(mdates.MO, interval=2))  # type: ignore[no-untyped-call]
    gammas.xaxis.set_major_formatter(mdates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]
    figure.text(
        0.01,
        0.005,
        "Naive dealers: long calls, short puts. 56 sessions, 2019-04-25 to 07-22; five are missing from the data.",
        fontsize=8,
        color="#555555",
    )
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    return figure


def main() -> None:
    """Write the picture beside this file."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    features = measured(Path(sys.argv[1]))
    drawn(features).savefig(Path(__file__).with_name("spx_2019_gex.png"), dpi=110)


if __name__ == "__main__":
    main()
