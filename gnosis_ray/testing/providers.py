"""The contract of a provider of market data (:class:`gnosis_ray.market.source.MarketSource`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from gnosis_ray.market.columns import BARS, NEWS, QUOTES, RAW_CHAIN, TRADES, UTC_TIME
from gnosis_ray.market.keys import keys_at, one_key, panel_keys
from gnosis_ray.market.source import MarketSource
from gnosis_ray.testing.checking import require, require_equal_frames, require_finite

BAR_LOOKBACK = 60
WINDOW_MINUTES = 390
WINDOW_HOURS = 72


@dataclass(frozen=True)
class _Table:
    """A table of a provider: how it is asked for, and the columns that the answer has."""

    name: str
    columns: pl.Schema
    read: Callable[[MarketSource, pl.DataFrame], pl.DataFrame]
    window: timedelta | None = None
    """How far before a key its rows may be; None where that is not a span of time."""


_CHAINS = _Table("raw_chains", pl.Schema({**RAW_CHAIN, "timestamp": UTC_TIME}), lambda s, keys: s.raw_chains(keys))
_BARS = _Table("bars", BARS, lambda source, keys: source.bars(keys, BAR_LOOKBACK))
_TABLES = (
    _CHAINS,
    _BARS,
    _Table("trades", TRADES, lambda s, keys: s.trades(keys, WINDOW_MINUTES), timedelta(minutes=WINDOW_MINUTES)),
    _Table("quotes", QUOTES, lambda s, keys: s.quotes(keys, WINDOW_MINUTES), timedelta(minutes=WINDOW_MINUTES)),
    _Table("news", NEWS, lambda s, keys: s.news(keys, WINDOW_HOURS), timedelta(hours=WINDOW_HOURS)),
)


def check_description(source: MarketSource, moments: Sequence[datetime]) -> None:
    """Check that a provider names itself, says whether it is synthetic, and which moment is its latest."""
    require(isinstance(source.name, str) and source.name != "", f"Expected a name, was {source.name!r}")
    require(isinstance(source.synthetic, bool), f"Expected synthetic to be a bool, was {source.synthetic!r}")
    for moment in moments:
        latest = source.default_as_of(moment)
        require(latest.tzinfo is not None, f"Expected default_as_of with a time zone, was {latest!r}")
        require(latest == source.default_as_of(moment), "Expected the same default_as_of for the same moment")


def check_columns(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that every answer has the columns of its contract, an empty one too."""
    keys = panel_keys(symbols, moments)
    for table in _TABLES:
        for asked in (keys, keys.clear()):
            found = table.read(source, asked).schema
            wrong = {name: found.get(name) for name, dtype in table.columns.items() if found.get(name) != dtype}
            extra = sorted(set(found) - set(table.columns))
            require(not wrong and not extra, f"{table.name}: Expected columns.{table.columns}, was {found}")


def check_rows(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that a provider knows something of the symbols at the last moment: else nothing else is checked."""
    keys = keys_at(symbols, moments[-1])
    rows = {table.name: table.read(source, keys).height for table in _TABLES}
    require(any(rows.values()), f"Expected rows about {', '.join(symbols)} at {moments[-1]}, was none in any table")


def check_order(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that answers are sorted by symbol and time."""
    for table in _TABLES:
        rows = table.read(source, panel_keys(symbols, moments)).select("symbol", "timestamp")
        ordered = rows.sort("symbol", "timestamp")
        require(rows.equals(ordered), f"{table.name}: Expected rows sorted by symbol and timestamp, was\n{rows}")


def check_point_in_time(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that no row is of the future, or became known after the moment that asks, or lies outside its window."""
    for symbol, moment in _pairs(symbols, moments):
        for table in _TABLES:
            rows = table.read(source, one_key(symbol, moment))
            event = "event_time" if table is _CHAINS else "timestamp"
            late = rows.filter((pl.col("known_at") > moment) | (pl.col(event) > moment))
            require(late.is_empty(), f"{table.name} of {symbol}: Expected nothing known after {moment}, was\n{late}")
            early = rows.filter(pl.col("known_at") < pl.col(event))
            require(early.is_empty(), f"{table.name} of {symbol}: Expected known_at at or after {event}, was\n{early}")
            if table.window is not None:
                old = rows.filter(pl.col("timestamp") <= moment - table.window)
                require(old.is_empty(), f"{table.name} of {symbol}: Expected the last {table.window}, was\n{old}")
        bars = _BARS.read(source, one_key(symbol, moment)).height
        require(bars <= BAR_LOOKBACK, f"bars of {symbol}: Expected at most {BAR_LOOKBACK}, was {bars}")


def check_finite(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that no number is NaN or infinite: what a provider does not know is null."""
    for table in _TABLES:
        require_finite(table.read(source, panel_keys(symbols, moments)), table.name)


def check_deterministic(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that the same keys have the same answer, whatever was asked before and in whatever order."""
    keys = panel_keys(symbols, moments)
    for table in _TABLES:
        first = table.read(source, keys)
        for symbol, moment in _pairs(symbols, moments):
            table.read(source, one_key(symbol, moment))
        require_equal_frames(first, table.read(source, keys.reverse()), f"{table.name}, asked again")


def check_batches(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Check that a batch of symbols is answered as the symbols one by one, and a panel of moments as each moment."""
    for table in _TABLES:
        together = table.read(source, keys_at(symbols, moments[-1]))
        alone = [table.read(source, one_key(symbol, moments[-1])) for symbol in sorted(symbols)]
        require_equal_frames(together, pl.concat(alone), f"{table.name}, in a batch and symbol by symbol")
    panel = panel_keys(symbols, moments)
    chains, bars = _CHAINS.read(source, panel), _BARS.read(source, panel)
    for symbol, moment in _pairs(symbols, moments):
        key = one_key(symbol, moment)
        own = chains.filter(pl.col("symbol") == symbol, pl.col("timestamp") == moment)
        require_equal_frames(own, _CHAINS.read(source, key), f"raw_chains of {symbol} in a panel and at {moment}")
        known = bars.filter(pl.col("symbol") == symbol, pl.col("known_at") <= moment).sort("timestamp", "known_at")
        latest = known.unique("timestamp", keep="last", maintain_order=True).tail(BAR_LOOKBACK)
        require_equal_frames(latest, _BARS.read(source, key), f"bars of {symbol} in a panel and at {moment}")


CHECKS = (check_columns, check_rows, check_order, check_point_in_time, check_finite, check_deterministic, check_batches)
"""Every check of what a provider answers."""


def check_provider(source: MarketSource, symbols: Sequence[str], moments: Sequence[datetime]) -> None:
    """Run every check of a provider.

    Parameters
    ----------
    source
        The provider.
    symbols
        Symbols that it knows.
    moments
        At least two moments at which it knows them, UTC, ascending.

    Raises
    ------
    AssertionError
        For the first check that fails.
    """
    check_description(source, moments)
    for check in CHECKS:
        check(source, symbols, moments)


class ProviderContract:
    """Tests of a provider: subclass it, and give the provider, symbols that it knows, and moments."""

    symbols: Sequence[str]
    moments: Sequence[datetime]

    def make_source(self) -> MarketSource:
        """Make the provider under test."""
        raise NotImplementedError

    def test_provider_describes_itself(self) -> None:
        """See :func:`check_description`."""
        check_description(self.make_source(), self.moments)

    def test_answers_have_the_columns_of_the_contract(self) -> None:
        """See :func:`check_columns`."""
        check_columns(self.make_source(), self.symbols, self.moments)

    def test_provider_knows_the_symbols(self) -> None:
        """See :func:`check_rows`."""
        check_rows(self.make_source(), self.symbols, self.moments)

    def test_answers_are_sorted(self) -> None:
        """See :func:`check_order`."""
        check_order(self.make_source(), self.symbols, self.moments)

    def test_nothing_is_known_before_its_time(self) -> None:
        """See :func:`check_point_in_time`."""
        check_point_in_time(self.make_source(), self.symbols, self.moments)

    def test_numbers_are_finite(self) -> None:
        """See :func:`check_finite`."""
        check_finite(self.make_source(), self.symbols, self.moments)

    def test_provider_is_deterministic(self) -> None:
        """See :func:`check_deterministic`."""
        check_deterministic(self.make_source(), self.symbols, self.moments)

    def test_batches_are_answered_as_their_keys(self) -> None:
        """See :func:`check_batches`."""
        check_batches(self.make_source(), self.symbols, self.moments)


def _pairs(symbols: Sequence[str], moments: Sequence[datetime]) -> Iterator[tuple[str, datetime]]:
    return ((symbol, moment) for symbol in symbols for moment in moments)
