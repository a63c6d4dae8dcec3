"""Measure the liquidity engine on recorded data and write the figures into ``docs/liquidity.md``, between its marks.

``python docs/make_liquidity_table.py [FOLDER]``: FOLDER holds ``ticks_2013`` and ``us_2026_07`` (default: as for the
tests, ``GNOSIS_RAY_REALDATA`` or ``../shared/data``). The same data gives the same text.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from gnosis_ray.config import load_config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.data.universe import load_universe
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import keys_at

PAGE = Path(__file__).parent / "liquidity.md"
BEGIN, END = "<!-- figures: docs/make_liquidity_table.py -->", "<!-- end of figures -->"
CLOSES = [("BAC", 7), *(("IBM", day) for day in range(7, 12))]
SUNDAY = datetime(2026, 7, 12, 12, tzinfo=UTC)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SPREAD_OF = {
    "amihud_illiquidity": ("Amihud, 1e-6 a million USD", 1e6, ".1f"),
    "adv_usd": ("dollar volume a day, million USD", 1e-6, ",.0f"),
    "sigma_daily": ("sigma a day, %", 1e2, ".2f"),
    "edge_daily_spread_bps": ("EDGE of daily bars, bps", 1.0, ".0f"),
    "volume_magnet_score": ("magnet score", 1.0, ".2f"),
    "liquidity_void_score": ("void score", 1.0, ".2f"),
    "profile_coverage": ("profile coverage", 1.0, ".2f"),
}
"""feature -> what the table calls it, its factor, its format."""


def main() -> None:
    """Rewrite the page's figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GNOSIS_RAY_REALDATA", "../shared/data"))
    with tempfile.TemporaryDirectory(prefix="gnosis-ray-liquidity-") as scratch:
        ticks = measured(folder, Path(scratch), "ticks_2013", at_closes())
        members = keys_at(list(load_universe("sp500", SUNDAY.date()).symbols), SUNDAY)
        bars = measured(folder, Path(scratch), "us_2026_07", members)
    lines = [
        BEGIN,
        "",
        *tape_table(ticks),
        "",
        *spread_table(ticks),
        "",
        *regime_table(bars),
        "",
        *quantile_table(bars),
    ]
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(before + "\n".join([*lines, "", END]) + after, encoding="utf-8")


def at_closes() -> pl.DataFrame:
    """``KEYS``: 16:00 in New York of each recorded day."""
    rows = [(symbol, datetime(2013, 10, day, 20, tzinfo=UTC)) for symbol, day in CLOSES]
    return pl.DataFrame(rows, schema=KEYS, orient="row")


def measured(folder: Path, scratch: Path, name: str, keys: pl.DataFrame) -> pl.DataFrame:
    """The engine's features of a data set, imported by its mapping."""
    config = load_config().config
    calendar = SessionCalendar.build(config.market.calendar, date(2012, 1, 3), date(2029, 1, 2))
    import_dataset(folder / name, load_mapping(name), StoreWriter(scratch / name), calendar)
    adapter = SourceMarketAdapter(StoreSource(scratch / name), ChainLoader(calendar, config.market))
    return LiquidityEngineV1(adapter, config.engines.liquidity).frames(keys).features


def tape_table(rows: pl.DataFrame) -> Iterator[str]:
    """Flow and impact of each recorded day."""
    yield (
        "| day | trades | ofi | Kyle lambda, USD per million shares | t | R2 | Hasbrouck t | R2 "
        "| CKS OFI, shares | CKS R2 | VPIN |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows.iter_rows(named=True):
        yield (
            f"| {day(row)} | {row['trade_count']:,.0f} | {row['ofi']:+.3f} | {row['kyle_lambda'] * 1e6:.3g} "
            f"| {row['kyle_lambda_t']:.1f} | {row['kyle_lambda_r2']:.0%} | {row['hasbrouck_lambda_t']:.1f} "
            f"| {row['hasbrouck_lambda_r2']:.0%} | {row['cks_ofi']:+,.0f} | {row['cks_lambda_r2']:.0%} "
            f"| {row['vpin']:.3f} |"
        )


def spread_table(rows: pl.DataFrame) -> Iterator[str]:
    """What was quoted, and what EDGE makes of one-minute bars of the same day's trades."""
    yield "| day | quoted spread, bps | EDGE, bps | EDGE / quoted | signed by |"
    yield "|---|---|---|---|---|"
    for row in rows.iter_rows(named=True):
        quoted, estimated = row["quoted_spread_bps"], row["edge_intraday_spread_bps"]
        yield f"| {day(row)} | {quoted:.2f} | {estimated:.2f} | {estimated / quoted:.2f} | {row['meta__signing']} |"


def day(row: dict[str, object]) -> str:
    """``IBM 2013-10-07``."""
    return f"{row['symbol']} {str(row['timestamp'])[:10]}"


def regime_table(rows: pl.DataFrame) -> Iterator[str]:
    """Regimes of the S&P 500, and reasons."""
    yield "| regime, S&P 500 of 2026-07-12, daily bars alone | symbols |"
    yield "|---|---|"
    counted = rows.with_columns(pl.col("regime").fill_null("none: no bars")).group_by("regime").len()
    for regime, count in counted.sort("len", "regime", descending=[True, False]).rows():
        yield f"| {regime} | {count} |"
    yield ""
    yield "| degraded, beside no_trades and no_quotes | symbols |"
    yield "|---|---|"
    reasons = rows.select(reason=pl.col("meta__degraded").str.split(",")).explode("reason")
    rest = reasons.filter(~pl.col("reason").is_in(["no_trades", "no_quotes"])).group_by("reason").len()
    for reason, count in rest.sort("len", "reason", descending=[True, False]).rows():
        yield f"| {reason} | {count} |"


def quantile_table(rows: pl.DataFrame) -> Iterator[str]:
    """How the features lie over the S&P 500."""
    yield "| feature | symbols | min | " + " | ".join(f"p{q * 100:.0f}" for q in QUANTILES) + " | max |"
    yield "|---|---|---|" + "---|" * (len(QUANTILES) + 1)
    for name, (title, factor, style) in SPREAD_OF.items():
        values = rows[name].drop_nulls()
        points = [values.quantile(q, "linear") for q in (0.0, *QUANTILES, 1.0)]
        cells = [f"{point * factor:{style}}" for point in points if point is not None]
        yield f"| {title} | {len(values)} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
