"""An adapter over frames already read for a batch: agents ask symbol by symbol, the data is read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from gnosis_ray.errors import DataError
from gnosis_ray.market.adapters import MarketAdapter, SingleFromBatch
from gnosis_ray.market.columns import CHAIN, KEYS
from gnosis_ray.market.datasets import DATASETS, OCCURRENCE, Dataset
from gnosis_ray.market.frame_faults import chain_fault, column_fault, order_fault, time_fault
from gnosis_ray.market.point_in_time import drop_superseded, last_bars, spans, within_windows
from gnosis_ray.market.run_length_join import run_lengths, run_starts
from gnosis_ray.schemas.core_schemas import DataKind

EventKind = Literal["trades", "quotes", "news"]


class _Table:
    """A frame sorted by symbol, with the place of each symbol's rows."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        starts = run_starts(frame["symbol"])
        names = frame["symbol"].gather(starts).to_list()
        lengths = run_lengths(starts, frame.height)
        self._places = {
            name: (start, length) for name, start, length in zip(names, starts.tolist(), lengths.tolist(), strict=True)
        }

    def symbols(self) -> frozenset[str]:
        """The symbols that have rows."""
        return frozenset(self._places)

    def of(self, symbol: str) -> pl.DataFrame:
        """The rows of one symbol, without a copy."""
        return self.frame.slice(*self._places.get(symbol, (0, 0)))

    def among(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The rows of the keys' symbols: where they are all symbols of the table, the very frame."""
        if keys.height == 1:
            return self.of(keys["symbol"][0])
        wanted = keys["symbol"].unique()
        if self._places.keys() <= set(wanted):
            return self.frame
        return self.frame.filter(pl.col("symbol").is_in(wanted.implode()))


@dataclass(frozen=True)
class _Window:
    """A table of events and how far back it was read."""

    table: _Table
    reach: int


class ReferenceReader:
    """Reads the reference symbols of engines: once for all batches of the same timestamps.

    They are read separately from a batch: inside it they would widen the range of symbols that a store has to read.
    """

    def __init__(self, adapter: MarketAdapter) -> None:
        self._adapter = adapter
        self._held: PreloadedAdapter | None = None

    def read(self, keys: pl.DataFrame, bar_lookback: int) -> PreloadedAdapter:
        """Chains and daily bars for ``keys``, as :meth:`PreloadedAdapter.load` reads them."""
        if self._held is None or not self._held.was_loaded_with(keys, bar_lookback):
            self._held = PreloadedAdapter.load(self._adapter, keys, bar_lookback)
        return self._held


class PreloadedAdapter(SingleFromBatch):
    """Serves, for any of the keys it was loaded with, exactly the rows that the adapter it was loaded from would.

    Chains and bars are read at once; trades, quotes and news when they are first asked for, then for every key. A
    key outside of the batch, or more bars than were read, raises :class:`DataError`: an answer would silently lack
    rows.
    """

    def __init__(self, adapter: MarketAdapter, keys: pl.DataFrame, chains: pl.DataFrame, bars: _Window) -> None:
        self._adapter = adapter
        self._keys = _Table(keys.unique().sort("symbol", "timestamp"))
        self._timestamps: dict[str, set[datetime]] = {}
        for symbol, timestamp in self._keys.frame.select("symbol", "timestamp").iter_rows():
            self._timestamps.setdefault(symbol, set()).add(timestamp)
        self._chains = _Table(chains)
        self._bars = bars
        self._one_version = not bars.table.frame.select("symbol", "timestamp").is_duplicated().any()
        self._windows: dict[EventKind, _Window] = {}
        self._reference: PreloadedAdapter | None = None

    @classmethod
    def load(cls, adapter: MarketAdapter, keys: pl.DataFrame, bar_lookback: int) -> PreloadedAdapter:
        """Reads chains and daily bars for ``keys`` (``columns.KEYS``)."""
        bars = _checked("bars", adapter.fetch_bars(keys, bar_lookback), keys)
        chains = _checked("chains", adapter.fetch_chains(keys), keys)
        return cls(adapter, keys, chains, _Window(_Table(bars), bar_lookback))

    def with_reference(self, reference: PreloadedAdapter) -> PreloadedAdapter:
        """Serves the symbols of ``reference`` too; they do not count among the known ones."""
        self._reference = reference
        return self

    def was_loaded_with(self, keys: pl.DataFrame, bar_lookback: int) -> bool:
        """Whether reading these would read the same again."""
        return bar_lookback == self._bars.reach and self._keys.frame.equals(keys.unique().sort("symbol", "timestamp"))

    def known_keys(self) -> pl.DataFrame:
        """The keys at which a chain or a bar was known: ``columns.KEYS``, sorted."""
        first_bar = self._bars.table.frame.group_by("symbol").agg(first_bar=pl.col("known_at").min())
        chains = self._chains.frame.select(*KEYS, chain=pl.lit(value=True)).unique()
        return (
            self._keys.frame.select(KEYS.names())
            .join(chains, on=KEYS.names(), how="left")
            .join(first_bar, on="symbol", how="left")
            .filter(pl.col("chain").is_not_null() | (pl.col("first_bar") <= pl.col("timestamp")))
            .select(KEYS.names())
            .sort(KEYS.names())
        )

    def fetch_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """``columns.CHAIN`` of the keys."""
        if (reference := self._reference_of(keys)) is not None:
            return reference.fetch_chains(keys)
        self._check(keys)
        if keys.height == 1:
            rows = self._chains.of(keys["symbol"][0])
            only = len(self._timestamps[keys["symbol"][0]]) == 1
            return rows if only else rows.filter(pl.col("timestamp") == _timestamp(keys))
        if self._asks_all(keys):
            return self._chains.among(keys)
        return self._chains.frame.join(keys.unique(), on=["symbol", "timestamp"], how="semi", maintain_order="left")

    def fetch_bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """``columns.BARS`` known at a symbol's latest key, from ``lookback`` bars before its earliest."""
        if (reference := self._reference_of(keys)) is not None:
            return reference.fetch_bars(keys, lookback)
        self._check(keys)
        _check_reach(lookback, self._bars.reach)
        rows = self._bars.table.among(keys)
        if lookback == self._bars.reach and self._asks_all(keys):
            return rows
        if keys.height == 1 and self._one_version:
            return rows.filter(pl.col("known_at") <= _timestamp(keys)).tail(lookback)
        kept = last_bars(rows, spans(keys), lookback)
        if not self._one_version:
            kept = drop_superseded(kept, DATASETS["bars"], by="", as_of="first")
        return kept.select(rows.columns).sort("symbol", "timestamp", "known_at")

    def fetch_trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.TRADES`` of the ``lookback_minutes`` before each key."""
        return self._within("trades", keys, lookback_minutes, timedelta(minutes=lookback_minutes))

    def fetch_quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """``columns.QUOTES`` of the ``lookback_minutes`` before each key."""
        return self._within("quotes", keys, lookback_minutes, timedelta(minutes=lookback_minutes))

    def fetch_news_batch(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """``columns.NEWS`` of the ``lookback_hours`` before each key."""
        return self._within("news", keys, lookback_hours, timedelta(hours=lookback_hours))

    def _within(self, kind: EventKind, keys: pl.DataFrame, reach: int, window: timedelta) -> pl.DataFrame:
        self._check(keys)
        loaded = self._window(kind, reach)
        rows, data = loaded.table.among(keys), DATASETS[kind]
        if reach == loaded.reach and self._asks_all(keys):
            return rows
        seen = within_windows(rows, keys.unique(), window).join(spans(keys), on="symbol", maintain_order="left")
        kept = drop_superseded(_number_repeats(seen, data), data, by="", as_of="first")
        return kept.select(rows.columns).sort("symbol", "timestamp", "known_at", maintain_order=True)

    def _window(self, kind: EventKind, reach: int) -> _Window:
        """The events of every key, read once; again only for a longer look-back."""
        held = self._windows.get(kind)
        if held is None or held.reach < reach:
            read = {
                "trades": self._adapter.fetch_trades,
                "quotes": self._adapter.fetch_quotes,
                "news": self._adapter.fetch_news_batch,
            }
            rows = _checked(kind, read[kind](self._keys.frame, reach), self._keys.frame)
            held = self._windows[kind] = _Window(_Table(rows), reach)
        return held

    def _reference_of(self, keys: pl.DataFrame) -> PreloadedAdapter | None:
        """The reference data where it has all of the keys' symbols: it has them at every timestamp that was loaded."""
        symbols = keys["symbol"] if keys.height == 1 else keys["symbol"].unique()
        held = self._reference and set(symbols) <= self._reference._keys.symbols()
        return self._reference if held else None

    def _asks_all(self, keys: pl.DataFrame) -> bool:
        """Whether every key that was loaded of the symbols asked for is asked for: then their rows are the answer."""
        return self._keys.among(keys).height == keys.unique().height

    def _check(self, keys: pl.DataFrame) -> None:
        if keys.height == 1:
            known = self._timestamps.get(keys["symbol"][0], set())
            unknown = keys.clear() if _timestamp(keys) in known else keys
        else:
            unknown = keys.join(self._keys.frame, on=["symbol", "timestamp"], how="anti")
        if not unknown.is_empty():
            symbol, timestamp = unknown.select("symbol", "timestamp").row(0)
            raise DataError(f"Expected a key of the batch that was loaded, was {timestamp.isoformat()}", symbol=symbol)


def _checked(kind: DataKind, frame: object, keys: pl.DataFrame) -> pl.DataFrame:
    """What an adapter returned for ``keys``. Raises :class:`DataError` for rows that no key may see, or out of order.

    The rows of a symbol are looked up by their place: out of order, some would be missed without a word.
    """
    schema = CHAIN if kind == "chains" else DATASETS[kind].schema
    fault = column_fault(frame, schema)
    if fault is None and isinstance(frame, pl.DataFrame):
        point_in_time = (
            chain_fault(frame, keys, "quote_time") if kind == "chains" else time_fault(frame, keys, "timestamp")
        )
        fault = point_in_time or order_fault(frame)
        if fault is None:
            return frame
    raise DataError(f"{kind}: {fault}")


def _number_repeats(rows: pl.DataFrame, data: Dataset) -> pl.DataFrame:
    """Equal rows that became known together are different trades, not corrections of each other."""
    if not data.repeats:
        return rows
    together = [*data.identity, "known_at"]
    return rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over(together).alias(OCCURRENCE))


def _timestamp(keys: pl.DataFrame) -> datetime:
    timestamp: datetime = keys["timestamp"][0]
    return timestamp


def _check_reach(asked: int, loaded: int) -> None:
    if asked > loaded:
        raise DataError(f"Expected a look-back of at most {loaded} bars, was {asked}")
