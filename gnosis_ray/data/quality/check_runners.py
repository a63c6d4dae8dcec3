"""One runner per kind: applies the checks to partitions in order of time, some symbols at once, and counts findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.data.quality.bars import History, bar_checks
from gnosis_ray.data.quality.checks import Check, FindingCounter
from gnosis_ray.data.quality.contracts import contract_checks, contracts
from gnosis_ray.data.quality.names import name_checks
from gnosis_ray.data.quality.news import news, news_checks
from gnosis_ray.data.quality.snapshots import SessionBefore, snapshot_checks, snapshots
from gnosis_ray.data.quality.tape import quote_checks, quotes, trade_checks, trades
from gnosis_ray.data.quality.versions import VERSION_CHECKS
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.core_schemas import DataKind

Ranges = Callable[[pl.DataFrame], pl.DataFrame]
"""Adds ``low`` and ``high`` of the bar of each row's symbol at its ``session``, null where there is none."""


class CheckRunner(Protocol):
    """Applies a kind's checks."""

    def run(self, rows: pl.DataFrame, counter: FindingCounter) -> None:
        """Check some symbols' rows of a partition, one version each, later than all their rows checked before."""
        ...


class _Chains:
    def __init__(self, config: Config, calendar: SessionCalendar, ranges: Ranges) -> None:
        self._calendar = calendar
        self._implied_vol = config.market.implied_vol
        self._contracts = contract_checks(config.quality.chains)
        self._snapshots = snapshot_checks(config.quality.chains)
        self._before = SessionBefore()
        self._ranges = ranges

    def run(self, rows: pl.DataFrame, counter: FindingCounter) -> None:
        counter.add(self._contracts, contracts(rows, self._calendar, self._implied_vol))
        made = snapshots(rows, self._calendar, self._implied_vol)
        counter.add(self._snapshots, self._ranges(self._before.compare(rows, made)))


class _Bars:
    def __init__(self, config: Config, calendar: SessionCalendar) -> None:
        self._checks = bar_checks(config.quality.bars)
        self._history = History(calendar, config.quality.bars)

    def run(self, rows: pl.DataFrame, counter: FindingCounter) -> None:
        counter.add(self._checks, self._history.extend(rows))


class _Plain:
    """A kind whose partitions are checked independently."""

    def __init__(self, checks: tuple[Check, ...], prepare: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._checks = checks
        self._prepare = prepare

    def run(self, rows: pl.DataFrame, counter: FindingCounter) -> None:
        counter.add(self._checks, self._prepare(rows))


def check_runner(kind: DataKind, config: Config, calendar: SessionCalendar, ranges: Ranges) -> CheckRunner:
    """The runner of a kind."""
    limits = config.quality
    makers: dict[DataKind, Callable[[], CheckRunner]] = {
        "chains": lambda: _Chains(config, calendar, ranges),
        "bars": lambda: _Bars(config, calendar),
        "trades": lambda: _Plain(trade_checks(limits.tape), lambda rows: trades(rows, calendar, limits.tape)),
        "quotes": lambda: _Plain(quote_checks(limits.tape), lambda rows: quotes(rows, calendar)),
        "news": lambda: _Plain(news_checks(limits.news), news),
    }
    return makers[kind]()


def all_checks(config: Config) -> tuple[Check, ...]:
    """Every check, with what it means, under these thresholds."""
    limits = config.quality
    families = (
        *VERSION_CHECKS.values(),
        contract_checks(limits.chains),
        snapshot_checks(limits.chains),
        bar_checks(limits.bars),
        trade_checks(limits.tape),
        quote_checks(limits.tape),
        news_checks(limits.news),
        *name_checks(limits.bars).values(),
    )
    return tuple(check for family in families for check in family)
