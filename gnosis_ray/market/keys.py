"""Keys: what a batch asks for, one row a symbol and as-of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from gnosis_ray.market.columns import KEYS
from gnosis_ray.schemas.core_schemas import to_utc


def one_key(symbol: str, now: datetime) -> pl.DataFrame:
    """A batch of one: ``KEYS`` columns, one row."""
    return pl.DataFrame({"symbol": [symbol], "timestamp": [to_utc(now)]}, schema=KEYS)


def keys_at(symbols: Sequence[str], now: datetime) -> pl.DataFrame:
    """A batch of many symbols at one time, sorted by symbol."""
    ordered = sorted(symbols)
    return pl.DataFrame({"symbol": ordered, "timestamp": [to_utc(now)] * len(ordered)}, schema=KEYS)


def panel_keys(symbols: Sequence[str], timestamps: Sequence[datetime]) -> pl.DataFrame:
    """Every symbol at every timestamp, sorted by both."""
    keys = [(symbol, to_utc(timestamp)) for symbol in sorted(symbols) for timestamp in sorted(timestamps)]
    return pl.DataFrame(keys, schema=KEYS, orient="row")
