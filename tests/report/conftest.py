"""A run over three symbols of the synthetic market, one of which is not there."""

from __future__ import annotations

import pytest

from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import LedgerStore, SymbolEntry
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.report.symbol_report import SymbolReport
from tests.report.samples import chain_of, idea_of, legs_from, report_of, with_ideas
from tests.support.scans import manifest_of, work


@pytest.fixture(scope="session")
def entry(tmp_path_factory: pytest.TempPathFactory, config: Config, market_calendar: SessionCalendar) -> SymbolEntry:
    """What a scan left of AAPL."""
    root = tmp_path_factory.mktemp("report")
    work(
        root,
        config,
        market_calendar,
        manifest_of(config, market_calendar, ["AAPL", "JPM"], config.data.synthetic.as_of),
    )
    return LedgerStore(root).entry("latest", "AAPL")


@pytest.fixture(scope="session")
def traded(entry: SymbolEntry, config: Config, market_calendar: SessionCalendar) -> SymbolEntry:
    """The same with trades of every kind."""
    structures = legs_from(chain_of(entry, config, market_calendar))
    return with_ideas(entry, [idea_of(strategy, legs) for strategy, legs in structures.items()])


@pytest.fixture(scope="session")
def report(traded: SymbolEntry, config: Config) -> SymbolReport:
    """Its story."""
    return report_of(traded, config)
