"""What each key may see: its last daily bars, and the events of the minutes before it, all known by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from gnosis_ray.engines.liquidity.row_statistics import Flags, Floats, Ints
from gnosis_ray.engines.shared.bar_statistics import BREAK, WINDOW
from gnosis_ray.market.corporate_actions import PRICES, adjustment

Moments = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class BarWindow:
    """The last ``WINDOW`` bars known at each of n keys: (n, WINDOW), oldest first, NaN where there are fewer.

    Prices and volumes are in shares of the last bar, whose own are raw; see :mod:`gnosis_ray.market.corporate_actions`.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    count: Ints
    """(n,): bars in the window."""
    last: pl.Series
    """(n,): the close of the latest bar's session; null where there is none."""


def since_break(bars: BarWindow) -> tuple[BarWindow, Flags]:
    """The bars since the last daily log move of the close beyond ``BREAK``, and (n,) whether there was one.

    Such a move is taken for a change of share (a split that the bars were not adjusted for), not for a return: what
    came before it is in another unit.
    """
    moves = np.abs(np.log(bars.close[:, 1:] / bars.close[:, :-1]))
    broken = np.where(np.isnan(moves), 0.0, moves) > BREAK
    last = np.where(broken, np.arange(1, WINDOW), 0).max(axis=1)
    kept = np.arange(WINDOW) >= last[:, None]
    open_, high, low, close, volume = (
        np.where(kept, values, np.nan) for values in (bars.open, bars.high, bars.low, bars.close, bars.volume)
    )
    count = (kept & ~np.isnan(bars.close)).sum(axis=1)
    return BarWindow(open_, high, low, close, volume, count, bars.last), np.asarray(broken.any(axis=1))


class BarTable:
    """Daily bars, put in order once for many keys; a bar with an impossible figure is left out."""

    def __init__(self, bars: pl.DataFrame) -> None:
        priced = pl.all_horizontal(pl.col(c).is_finite() & (pl.col(c) > 0) for c in PRICES)
        traded = pl.col("volume").is_finite() & (pl.col("volume") >= 0) & (pl.col("high") >= pl.col("low"))
        order = ["symbol", "timestamp", "known_at", *PRICES, "volume"]
        versions = ["symbol", "timestamp", "known_at"]
        self._bars = bars.filter(priced & traded).sort(order).unique(versions, keep="last", maintain_order=True)
        same = pl.col("symbol") == pl.col("symbol").shift(1)
        again = pl.col("timestamp") == pl.col("timestamp").shift(1)
        late = pl.col("known_at") < pl.col("known_at").shift(1)
        self._one_version = not self._bars.select((same & (again | late)).any()).item()
        self._placed = _PlacedBars.of(self._bars) if self._one_version else None

    def window(self, keys: pl.DataFrame) -> BarWindow:
        """The bars of ``KEYS`` rows."""
        values = np.full((len(PRICES) + 1, keys.height, WINDOW), np.nan)
        count = np.zeros(keys.height, dtype=np.int64)
        last = np.full(keys.height, np.datetime64("NaT"), dtype="datetime64[us]")
        for asked, placed in self._known(keys):
            rows, positions, held = placed.latest(asked)
            values[:, rows] = placed.windows(positions, held)
            count[rows] = held
            last[rows] = placed.timestamps[positions]
        moments = pl.Series(last).dt.replace_time_zone("UTC")
        open_, high, low, close, volume = values
        return BarWindow(open_, high, low, close, volume, count, moments)

    def _known(self, keys: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, _PlacedBars]]:
        """Keys with a table in which what they know is each symbol's beginning."""
        indexed = keys.with_row_index("row")
        if self._placed is not None:
            yield indexed, self._placed
            return
        for at in indexed.sort("timestamp").partition_by("timestamp", maintain_order=True):
            known = self._bars.filter(pl.col("known_at") <= at["timestamp"][0])
            yield at, _PlacedBars.of(known.unique(["symbol", "timestamp"], keep="last", maintain_order=True))


@dataclass(frozen=True)
class _PlacedBars:
    """One version of each bar, sorted by symbol and timestamp.

    ``known``: by ``symbol`` and ``known_at``, the position of the latest bar and of its symbol's first.
    ``values``: (5, WINDOW + n) prices and volume behind a window of NaN, which is what the first bars have before them;
    ``factor``: (WINDOW + n,) their adjustment, None without any.
    """

    known: pl.DataFrame
    timestamps: Moments
    values: Floats
    factor: Floats | None

    @classmethod
    def of(cls, bars: pl.DataFrame) -> Self:
        """``columns.BARS``, in order."""
        known = (
            bars.select("symbol", "known_at", at=pl.int_range(pl.len(), dtype=pl.Int64))
            .sort("known_at", maintain_order=True)
            .with_columns(first=pl.col("at").min().over("symbol"), at=pl.col("at").cum_max().over("symbol"))
        )
        factor = adjustment(bars)
        return cls(
            known=known,
            timestamps=bars["timestamp"].dt.replace_time_zone(None).to_numpy(),
            values=_behind_nothing(np.stack([bars[name].to_numpy() for name in (*PRICES, "volume")])),
            factor=None if factor is None else _behind_nothing(factor.to_numpy()),
        )

    def latest(self, asked: pl.DataFrame) -> tuple[Ints, Ints, Ints]:
        """Of the keys that know a bar: their rows, the position of the latest, and how many bars its window holds."""
        found = (
            asked.sort("timestamp")
            .join_asof(self.known, left_on="timestamp", right_on="known_at", by="symbol", check_sortedness=False)
            .filter(pl.col("at").is_not_null())
        )
        rows, at, first = (found[name].cast(pl.Int64).to_numpy() for name in ("row", "at", "first"))
        return rows, at, np.minimum(at - first + 1, WINDOW)

    def windows(self, positions: Ints, held: Ints) -> Floats:
        """(5, k, WINDOW): open, high, low, close and volume up to each of k positions; NaN before the bars held."""
        found = sliding_window_view(self.values, WINDOW, axis=1)[:, positions + 1]
        if self.factor is not None:
            scale = sliding_window_view(self.factor, WINDOW)[positions + 1]
            scale /= scale[:, -1:].copy()  # into shares of the last bar
            found[:-1] *= scale
            found[-1] /= scale
        short = np.flatnonzero(held < WINDOW)
        missing = np.arange(WINDOW) < WINDOW - held[short, None]
        found[:, short] = np.where(missing, np.nan, found[:, short])
        return found


def _behind_nothing(values: Floats) -> Floats:
    before = np.full((*values.shape[:-1], WINDOW), np.nan)
    return np.concatenate([before, values], axis=-1)


class EventTable:
    """Trades or quotes, put in order once for many keys.

    Rows of one microsecond are put in order of their figures, so that nothing depends on the order they came in.
    """

    def __init__(self, events: pl.DataFrame, order: Sequence[str]) -> None:
        self._order = [*order]
        self._events = events.sort("symbol", "timestamp", *order, "known_at", nulls_last=True)
        same = pl.struct("symbol", "timestamp", *order)
        later = pl.col("known_at") != pl.col("known_at").shift(1)
        self._told_again = bool(self._events.select(((same == same.shift(1)) & later).any()).item())

    def window(self, keys: pl.DataFrame, minutes: int) -> pl.DataFrame:
        """The events that each key sees, ``key - minutes < timestamp <= key``, with ``key`` its row; in time's order.

        An event that was told again, with a later ``known_at``, is the same event.
        """
        if self._events.is_empty():
            return self._events.with_columns(key=pl.lit(0, pl.Int64), now=pl.col("timestamp"))
        lengths, places = self._places(keys, timedelta(minutes=minutes))
        moments = keys["timestamp"].gather(np.repeat(np.arange(keys.height), lengths))
        seen = self._events[places].with_columns(
            pl.Series("key", np.repeat(np.arange(keys.height), lengths), dtype=pl.Int64), moments.alias("now")
        )
        return self._told_once(seen.filter(pl.col("known_at") <= pl.col("now")))

    def _places(self, keys: pl.DataFrame, reach: timedelta) -> tuple[Ints, Ints]:
        """How many events lie in each key's window, and their positions, key after key."""
        asked = keys.select("symbol", until="timestamp", since=pl.col("timestamp") - reach).with_row_index("row")
        placed = self._events.select("symbol", "timestamp", at=pl.int_range(pl.len(), dtype=pl.Int64))
        first = placed.group_by("symbol").agg(first=pl.col("at").min())
        asked = _last_before(_last_before(asked, placed, "until"), placed, "since").join(first, on="symbol", how="left")
        asked = asked.sort("row").with_columns(
            start=(pl.col("at_since") + 1).fill_null(pl.col("first")), stop=pl.col("at_until") + 1
        )
        start = asked["start"].fill_null(0).to_numpy()
        lengths = np.maximum(asked["stop"].fill_null(0).to_numpy() - start, 0)
        offsets = np.repeat(start - (np.cumsum(lengths) - lengths), lengths)
        return lengths, offsets + np.arange(offsets.size)

    def _told_once(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Equal rows that became known together are different events; what became known later repeats the earlier."""
        if not self._told_again:
            return seen
        identity = ["key", "timestamp", *self._order]
        numbered = seen.with_columns(copy=pl.int_range(pl.len()).over([*identity, "known_at"]))
        return numbered.unique([*identity, "copy"], keep="first", maintain_order=True).drop("copy")


def _last_before(asked: pl.DataFrame, placed: pl.DataFrame, moment: str) -> pl.DataFrame:
    """``at_<moment>``: the position of the last event at or before that moment."""
    return asked.sort(moment).join_asof(
        placed.select("symbol", "timestamp", pl.col("at").alias(f"at_{moment}")).sort("timestamp", maintain_order=True),
        left_on=moment,
        right_on="timestamp",
        by="symbol",
        check_sortedness=False,
        coalesce=True,
    )


def trade_table(trades: pl.DataFrame) -> EventTable:
    """``columns.TRADES`` without impossible ones."""
    possible = pl.all_horizontal(pl.col(c).is_finite() & (pl.col(c) > 0) for c in ("price", "size"))
    return EventTable(trades.filter(possible), ("price", "size", "side"))


def quote_table(quotes: pl.DataFrame) -> EventTable:
    """``columns.QUOTES``."""
    return EventTable(quotes, ("bid", "bid_size", "ask", "ask_size"))
