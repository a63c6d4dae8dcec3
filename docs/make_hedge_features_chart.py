"""Measure the S&P 500 with the hedge engine and draw how its features spread as ``docs/hedge_features.png``.

Usage: python docs/make_hedge_features_chart.py STORE (a market store that holds us_2026_07 and vix_daily); needs the
extra ``charts``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnosis_ray.app import build_adapter, build_calendar
from gnosis_ray.config import load_config
from gnosis_ray.data.universe import load_universe
from gnosis_ray.engines.hedge.features import HEDGE_FEATURES
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.engines.inputs.adapters import keys_at

AS_OF = datetime(2026, 7, 12, 12, tzinfo=UTC)
FILL, EDGE = "#0072b2", "#222222"
COLUMNS, BINS = 5, 40
LOG_SPAN = 100.0
"""Where positive values, or nine tenths of the magnitudes of signed ones, span more, the axis is logarithmic."""


def measured(store: Path) -> pl.DataFrame:
    """The hedge engine's features of every member at :data:`AS_OF`."""
    config = load_config(flags={"data.provider": "store", "data.dir": str(store)}).config
    adapter = build_adapter(config, build_calendar(config, AS_OF))
    members = list(load_universe("sp500", AS_OF.date()).symbols)
    return HedgeEngineV3(adapter, config.engines.hedge).frames(keys_at(members, AS_OF)).features


def histogram(axes: Axes, features: pl.DataFrame, name: str, unit: str) -> None:
    """One feature; its lowest and highest symbols named, its axis logarithmic where it has to be."""
    known = features.select("symbol", value=name).drop_nulls().sort("value")
    values = known["value"].to_numpy()
    size = np.abs(values[values != 0])
    low, high = np.quantile(size, (0.05, 0.95)) if size.size else (1.0, 1.0)
    if values[0] > 0 and values[-1] / values[0] > LOG_SPAN:
        axes.set_xscale("log")
        edges = np.geomspace(values[0], values[-1], BINS)
    elif high / low > LOG_SPAN:
        axes.set_xscale("symlog", linthresh=low)
        side = np.geomspace(low, size.max(), BINS // 2)
        edges = np.concatenate([-side[::-1], side])
        axes.set_xticks([edges[0], 0, edges[-1]], [f"{edges[0]:.0e}", "0", f"{edges[-1]:.0e}"])
    else:
        edges = np.linspace(values[0], max(values[-1], values[0] + 1e-9), BINS)
    axes.hist(values, bins=edges.tolist(), color=FILL)
    axes.set_title(f"{name}  ({known.height})", fontsize=7.5, loc="left", fontweight="bold")
    ends = f"{known['symbol'][0]} {values[0]:.3g}  to  {known['symbol'][-1]} {values[-1]:.3g}"
    axes.set_xlabel(f"{unit}\n{ends}", fontsize=6.3, color=EDGE)
    axes.tick_params(labelsize=6)


def drawn(features: pl.DataFrame) -> Figure:
    """A histogram a feature, those that are the same for every symbol left out."""
    varied = [spec for spec in HEDGE_FEATURES if features[spec.name].drop_nulls().n_unique() > 1]
    mpl.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}
    rows = -(-len(varied) // COLUMNS)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(14, 2.05 * rows))
    for axes, spec in zip(grid.flat, varied, strict=False):
        histogram(axes, features, spec.name, spec.unit)
    for axes in grid.flat[len(varied) :]:
        axes.set_visible(False)
    figure.suptitle(
        f"Hedge features of the S&P 500 as of {AS_OF:%Y-%m-%d %H:%M} UTC (in brackets: members that have it)",
        x=0.01,
        ha="left",
        fontsize=11,
        fontweight="bold",
    )
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    return figure


def main() -> None:
    """Write the picture beside this file."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    drawn(measured(Path(sys.argv[1]))).savefig(Path(__file__).with_name("hedge_features.png"), dpi=110)


if __name__ == "__main__":
    main()
