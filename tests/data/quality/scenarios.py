"""A clean market, lifted out of the synthetic one, and stores of what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from gnosis_ray.schemas.core_schemas import DataKind, to_utc
from tests.support.markets import bars_of, chains_of

SYMBOLS = ["AAPL", "MSFT", "NVDA"]
SESSIONS = 3
World = Mapping[DataKind, pl.DataFrame]


def clean_world(config: Config, calendar: SessionCalendar) -> World:
    """Three sessions of chains, 500 bars, one session of trades and quotes, three days of news; nothing is odd."""
    source = SyntheticSource(calendar, config.data.synthetic, config.market)
    now = config.data.synthetic.as_of
    keys = keys_at(SYMBOLS, now)
    chains = chains_of(source, SYMBOLS, closes(calendar, now)).with_columns(
        bid=pl.when(pl.col("bid") > 0).then("bid").otherwise(pl.col("ask") * 0.5),
        vendor_iv=pl.lit(0.3),
        vendor_delta=pl.when(pl.col("type") == "C").then(0.5).otherwise(-0.5),
        vendor_gamma=pl.lit(0.01),
    )
    news = source.news(keys, 72).with_columns(
        headline=pl.format("{} ({})", "headline", pl.int_range(pl.len())), source=pl.lit("wire")
    )
    return {
        "chains": chains,
        "bars": bars_of(source, SYMBOLS, now),
        "trades": source.trades(keys, 390).with_columns(side=pl.lit("buy")),
        "quotes": source.quotes(keys, 390),
        "news": news,
    }


def closes(calendar: SessionCalendar, now: datetime) -> list[datetime]:
    """The last sessions' closes."""
    known = calendar.closes[calendar.closes <= np.datetime64(now.replace(tzinfo=None))]
    return [to_utc(close.astype("datetime64[us]").item()) for close in known[-SESSIONS:]]


def write(root: Path, world: World) -> Path:
    """A store of a market."""
    writer = StoreWriter(root)
    for kind, frame in world.items():
        writer.append(kind, frame)
    return root


def nth(count: int, symbol: str = "MSFT") -> pl.Expr:
    """Picks ``count`` rows of a symbol, not next to each other, a good way after its first."""
    place = pl.int_range(pl.len()).over("symbol") - pl.min_horizontal(pl.lit(40), pl.len().over("symbol") // 4)
    return (pl.col("symbol") == symbol) & (place >= 0) & (place < 3 * count) & (place % 3 == 0)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
