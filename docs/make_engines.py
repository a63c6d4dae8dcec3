"""Measure every engine on recorded and synthetic markets; write the tables of ``docs/engines.md`` and four pictures.

Usage: python docs/make_engines.py [FOLDER]; FOLDER holds ``us_2026_07``, ``vix_daily.csv`` and ``ticks_2013`` (default:
as for the tests, ``GNOSIS_RAY_REALDATA`` or ``../shared/data``). The tables go between the page's marks, the
histograms of each engine into ``docs/{engine}_features.png``. The same data gives the same.
"""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.features import ENGINE_FEATURES
from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.universe import load_universe
from gnosis_ray.engines.base import EngineFrames, FrameEngine
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import keys_at
from gnosis_ray.market.symbols import canonical
from gnosis_ray.pipeline.pipeline_runner import in_required_order
from gnosis_ray.schemas.core_schemas import ENGINE_KINDS, EngineKind
from gnosis_ray.schemas.feature_spec import FeatureSpec

Floats = npt.NDArray[np.float64]
Frames = dict[EngineKind, pl.DataFrame]
"""An engine's features by its kind."""

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- figures: docs/make_engines.py -->", "<!-- end of figures -->"
SUNDAY = datetime(2026, 7, 12, 12, tzinfo=UTC)
HALF_AN_HOUR_IN = datetime(2026, 7, 10, 14, tzinfo=UTC)
"""10:00 in New York, on the day of the synthetic market's default moment."""
TAPE_DAYS = [("BAC", 7), *(("IBM", day) for day in range(7, 12))]
TAPE_OPEN = datetime(2013, 10, 1, 13, 30, tzinfo=UTC)
TAPE_MINUTES = 5
"""Of flow at each quarter hour of the recorded tapes: over the default, a whole session, flow evens out."""

REGIMES: dict[EngineKind, tuple[str, ...]] = {
    "hedge": ("illiquid_gamma", "gamma_squeeze", "pin", "vanna_flow", "neutral"),
    "liquidity": ("thin_liquidity", "one_sided_flow", "high_liquidity", "normal"),
    "sentiment": ("bullish_news", "bearish_news", "quiet", "mixed"),
    "elasticity": ("asymmetric_up", "asymmetric_down", "high_resistance", "low_resistance", "balanced"),
}
"""In the order in which they are asked for."""

FILL, TEXT = "#0072b2", "#222222"
COLUMNS, BINS, INNER_BINS, FEW_VALUES = 5, 40, 4, 6
LOG_SPAN = 100.0
"""Where positive values, or nine tenths of the magnitudes of signed ones, span more, the axis is logarithmic."""


def main() -> None:
    """Rewrite the page's tables and the pictures beside this file."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GNOSIS_RAY_REALDATA", "../shared/data"))
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-engines-") as scratch:
        members, others = recorded(data, Path(scratch) / "recorded")
        markets = {
            "S&P 500": members,
            f"{others['hedge'].height} others": others,
            "synthetic, close": synthetic(None),
            "synthetic, 10:00": synthetic(HALF_AN_HOUR_IN),
            f"tapes, {TAPE_MINUTES} min": tapes(data, Path(scratch) / "tapes"),
        }
    lines = [BEGIN, "", *regime_table(markets), "", *reason_table(members), "", *feature_tables(members), "", END]
    page = FOLDER / "engines.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.split(BEGIN)[0] + "\n".join(lines) + text.split(END)[1], encoding="utf-8")
    for kind, features in members.items():
        drawn(kind, features).savefig(FOLDER / f"{kind}_features.png", dpi=110)


def recorded(data: Path, store: Path) -> tuple[Frames, Frames]:
    """July 2026 at :data:`SUNDAY`: the index's members, and the other names that have a chain."""
    config = settings({"data.provider": "store", "data.dir": str(store)})
    imported(data / "us_2026_07", "us_2026_07", store, config)
    imported(data, "vix_daily", store, config)
    members = list(load_universe("sp500", SUNDAY.date()).symbols)
    named = pl.read_parquet(data / "us_2026_07" / "chains.parquet", columns=["underlying"])["underlying"].unique()
    others = sorted({canonical(name) for name in named} - set(members))
    adapter = build_adapter(config, build_calendar(config, SUNDAY))
    return measured(config, adapter, keys_at(members, SUNDAY)), measured(config, adapter, keys_at(others, SUNDAY))


def synthetic(moment: datetime | None) -> Frames:
    """The index's members on the synthetic market, at its default moment unless told."""
    config = settings({"data.provider": "synthetic"})
    now = moment or config.data.synthetic.as_of
    adapter = build_adapter(config, build_calendar(config, now))
    return measured(config, adapter, keys_at(list(load_universe("sp500", now.date()).symbols), now))


def tapes(data: Path, store: Path) -> Frames:
    """The liquidity engine on each quarter hour of the sessions of October 2013, looking back ``TAPE_MINUTES``."""
    flags = {"data.provider": "store", "data.dir": str(store), "engines.liquidity.lookback_minutes": str(TAPE_MINUTES)}
    config = settings(flags)
    imported(data / "ticks_2013", "ticks_2013", store, config)
    rows = [
        (symbol, TAPE_OPEN + timedelta(days=day - 1, minutes=minutes))
        for symbol, day in TAPE_DAYS
        for minutes in range(15, 391, 15)
    ]
    keys = pl.DataFrame(rows, schema=KEYS, orient="row")
    adapter = build_adapter(config, build_calendar(config, TAPE_OPEN))
    return {"liquidity": LiquidityEngineV1(adapter, config.engines.liquidity).frames(keys).features}


def settings(flags: Mapping[str, str | None]) -> Config:
    """The defaults, but for ``flags``."""
    return load_config(flags=flags).config


def imported(folder: Path, mapping: str, store: Path, config: Config) -> None:
    """Bring a recorded data set into ``store``."""
    calendar = build_calendar(config, SUNDAY, since=date(1990, 1, 1))
    import_dataset(folder, load_mapping(mapping), StoreWriter(store), calendar)


def measured(config: Config, adapter: SourceMarketAdapter, keys: pl.DataFrame) -> Frames:
    """What each configured engine says of ``keys``, those before it at hand."""
    frames: dict[EngineKind, EngineFrames] = {}
    for _, engine in in_required_order([(e.kind, e) for e in ConfiguredComponents(config).engines(adapter)]):
        if isinstance(engine, FrameEngine):
            frames[engine.kind] = engine.frames(keys, frames)
    return {kind: frames[kind].features for kind in ENGINE_KINDS}


def regime_table(markets: dict[str, Frames]) -> Iterator[str]:
    """How often each regime was met in each market; exits where an engine knows one that the table does not."""
    yield f"| engine | regime | {' | '.join(markets)} |"
    yield "|---|---|" + "---|" * len(markets)
    for kind, regimes in REGIMES.items():
        counts = [counted(frames.get(kind)) for frames in markets.values()]
        unknown = {regime for count in counts for regime in count} - {*regimes, "none"}
        if unknown:
            sys.exit(f"Expected the regimes of {kind} to be {regimes}, found {sorted(unknown)} too")
        for regime in (*regimes, "none"):
            cells = [str(count.get(regime, 0)) if count else "" for count in counts]
            yield f"| {kind} | {f'`{regime}`' if regime != 'none' else regime} | {' | '.join(cells)} |"


def counted(features: pl.DataFrame | None) -> dict[str, int]:
    """Regime -> rows; empty where the engine was not asked."""
    if features is None:
        return {}
    return dict(features["regime"].fill_null("none").value_counts().iter_rows())


def reason_table(members: Frames) -> Iterator[str]:
    """Why confidence is low: members by reason."""
    yield "| engine | degraded, members of the S&P 500 |"
    yield "|---|---|"
    for kind, features in members.items():
        reasons = features.select(reason=pl.col("meta__degraded").str.split(",")).explode("reason").drop_nulls()
        ordered = reasons.group_by("reason").len().sort("len", "reason", descending=[True, False])
        yield f"| {kind} | {', '.join(f'`{reason}` {count}' for reason, count in ordered.rows())} |"


def feature_tables(members: Frames) -> Iterator[str]:
    """The ends and the middle of each feature, a table an engine."""
    for kind, features in members.items():
        yield f"### {kind.capitalize()}"
        yield ""
        yield f"![{kind} features of the S&P 500]({kind}_features.png)"
        yield ""
        yield "| feature | members | lowest | p1 | p50 | p99 | highest |"
        yield "|---|---|---|---|---|---|---|"
        for spec in ENGINE_FEATURES[kind]:
            known = features.select("symbol", value=spec.name).drop_nulls().sort("value", "symbol")
            if known.is_empty():
                continue
            points = [number(float(np.quantile(known["value"].to_numpy(), q))) for q in (0.01, 0.5, 0.99)]
            ends = [", ".join(f"{s} {number(v)}" for s, v in end.rows()) for end in (known[:3], known[:-4:-1])]
            if known["value"].n_unique() <= FEW_VALUES:
                ends = [number(known["value"][0]), number(known["value"][-1])]
            yield f"| `{spec.name}` | {known.height} | {ends[0]} | {' | '.join(points)} | {ends[1]} |"
        absent = [f"`{spec.name}`" for spec in ENGINE_FEATURES[kind] if features[spec.name].is_null().all()]
        yield ""
        yield f"Absent for every member: {', '.join(absent) or 'none'}."
        yield ""


def number(value: float) -> str:
    """Three digits, with k, m or bn behind large ones."""
    for size, mark in ((1e9, "bn"), (1e6, "m"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if mark == 'k' else size):.3g}{mark}"
    return f"{value:.4g}" if abs(value) >= LOG_SPAN else f"{value:.3g}"


def drawn(kind: EngineKind, features: pl.DataFrame) -> Figure:
    """A histogram a feature; those that no member has are named at the foot."""
    held = [spec for spec in ENGINE_FEATURES[kind] if features[spec.name].is_not_null().any()]
    absent = [spec.name for spec in ENGINE_FEATURES[kind] if spec not in held]
    mpl.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}
    rows = -(-len(held) // COLUMNS)
    height = 2.05 * rows + (0.9 if absent else 0.5)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(14, height), squeeze=False)
    for axes, spec in zip(grid.flat, held, strict=False):
        histogram(axes, features, spec)
    for axes in grid.flat[len(held) :]:
        axes.set_visible(False)
    title = f"{kind.capitalize()} features of the S&P 500 as of {SUNDAY:%Y-%m-%d %H:%M} UTC"
    figure.suptitle(f"{title} (in brackets: members that have it)", x=0.01, ha="left", fontsize=11, fontweight="bold")
    if absent:
        named = textwrap.fill(f"No member has: {', '.join(absent)}.", 200)
        figure.text(0.01, 0.08 / height, named, fontsize=7)
    figure.tight_layout(rect=(0, (0.4 if absent else 0.0) / height, 1, 1 - 0.25 / height))
    return figure


def histogram(axes: Axes, features: pl.DataFrame, spec: FeatureSpec) -> None:
    """One feature; its lowest and highest symbols named, its axis logarithmic where it has to be."""
    known = features.select("symbol", value=spec.name).drop_nulls().sort("value", "symbol")
    values = known["value"].to_numpy()
    if known["value"].n_unique() <= FEW_VALUES:
        each, counts = np.unique(values, return_counts=True)
        axes.bar([f"{value:.3g}" for value in each], counts, color=FILL, width=0.6)
        axes.set_xlim(-1, len(each))
        ends = ""
    else:
        axes.hist(values, bins=edges_on(axes, values).tolist(), color=FILL)
        ends = f"{known['symbol'][0]} {number(values[0])}  to  {known['symbol'][-1]} {number(values[-1])}"
    axes.set_title(f"{spec.name}  ({known.height})", fontsize=7.5, loc="left", fontweight="bold")
    axes.set_xlabel(f"{spec.unit}\n{ends}", fontsize=6.3, color=TEXT)
    axes.tick_params(labelsize=6)


def edges_on(axes: Axes, values: Floats) -> Floats:
    """The edges of the bins of sorted ``values``; sets the scale of the axis, linear where it can be."""
    size = np.abs(values[values != 0])
    low, high = np.quantile(size, (0.05, 0.95))
    if values[0] > 0 and values[-1] > LOG_SPAN * values[0]:
        axes.set_xscale("log")
        return np.geomspace(values[0], values[-1], BINS)
    if high <= LOG_SPAN * low:
        axes.locator_params(axis="x", nbins=6)
        return np.linspace(values[0], values[-1], BINS)
    # linear within the smallest twentieth, logarithmic beyond, as far as there are values on that side
    axes.set_xscale("symlog", linthresh=low)
    beyond = np.geomspace(low, size.max() * (1 + 1e-9), BINS // 2)
    edges = np.concatenate([-beyond[:0:-1], np.linspace(-low, low, INNER_BINS + 1), beyond[1:]])
    first = max(int(np.searchsorted(edges, values[0], side="right")) - 1, 0)
    edges = edges[first : int(np.searchsorted(edges, values[-1])) + 1]
    ticks = [tick for tick in (-size.max(), -low, 0.0, low, size.max()) if edges[0] <= tick <= edges[-1]]
    axes.set_xticks([t for t in ticks if t == 0 or abs(t) > low], minor=False)
    axes.set_xticklabels([number(t) for t in ticks if t == 0 or abs(t) > low])
    return edges


if __name__ == "__main__":
    main()
