"""The market that is measured on: the recorded one where it is at hand, else the synthetic one; always in a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from gnosis_ray.app.sources import build_adapter, build_calendar
from gnosis_ray.config import Config, load_config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.synthetic.source import SyntheticSource
from gnosis_ray.data.universe import load_universe
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.market.keys import keys_at
from gnosis_ray.schemas.core_schemas import DataKind

REALDATA = Path(os.environ.get("GNOSIS_RAY_REALDATA", Path(__file__).parents[2] / "shared" / "data"))
RECORDED = "us_2026_07"
RECORDED_AS_OF = datetime(2026, 7, 12, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Market:
    """A store, and who looks at it when. ``name`` says which market it is."""

    name: str
    root: Path
    config: Config
    calendar: SessionCalendar
    symbols: tuple[str, ...]
    as_of: datetime

    @property
    def keys(self) -> pl.DataFrame:
        """``columns.KEYS`` of the universe."""
        return keys_at(list(self.symbols), self.as_of)

    def adapter(self) -> SourceMarketAdapter:
        """A new adapter over the store: nothing remembered."""
        return build_adapter(self.config, self.calendar)

    def parts(self, kind: DataKind) -> list[Path]:
        """The store's Parquet files of a kind, in order of their paths."""
        return sorted((self.root / kind).rglob("part-*.parquet"))

    def scan(self, kind: DataKind) -> pl.LazyFrame:
        """Those files as one table of the kind's whole schema: a file leaves out columns that its source lacks."""
        schema = DATASETS[kind].stored
        return pl.scan_parquet(
            self.parts(kind), glob=False, hive_partitioning=False, schema=schema, missing_columns="insert"
        )

    def read_and_sum(self, kind: DataKind = "chains") -> pl.DataFrame:
        """The yardstick: Polars reads a kind's Parquet files and sums every column of floats."""
        return self.scan(kind).select(pl.col(pl.Float64).sum()).collect()


def prepare(root: Path, members: int | None = None) -> Market:
    """Import the recorded market, or write down the synthetic one, under ``root``; the first ``members``, or all."""
    recorded = REALDATA / RECORDED
    if recorded.is_dir():
        market = opened(root, RECORDED_AS_OF, f"the recorded market {recorded}", members)
        import_dataset(recorded, load_mapping(RECORDED), StoreWriter(root), market.calendar)
        return market
    name = f"the SYNTHETIC market (no recorded one at {recorded}: set GNOSIS_RAY_REALDATA)"
    market = opened(root, load_config().config.data.synthetic.as_of, name, members)
    _write_synthetic(market)
    return market


def opened(root: Path, as_of: datetime, name: str, members: int | None = None) -> Market:
    """A store under ``root``, filled or not, with the S&P 500 of that moment: the first ``members``, or all."""
    flags = {
        "data.provider": "store",
        "data.dir": str(root),
        "run.polars_threads": int(os.environ["POLARS_MAX_THREADS"]),
    }
    config = load_config(flags=flags).config
    symbols = load_universe("sp500", as_of.date()).symbols[:members]
    return Market(name, root, config, build_calendar(config, as_of), symbols, as_of)


def _write_synthetic(market: Market) -> None:
    source = SyntheticSource(market.calendar, market.config.data.synthetic, market.config.market)
    writer = StoreWriter(market.root)
    writer.append("chains", source.raw_chains(market.keys).drop("timestamp"))
    writer.append("bars", source.bars(market.keys, BAR_LOOKBACK))
