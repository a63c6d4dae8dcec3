"""A run over three symbols of the synthetic market, one of which is not there."""

from __future__ import annotations

import pytest

from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import LedgerStore, SymbolEntry
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.report.symbol_report import SymbolReport, build_symbol_report
from tests.report.samples import chain_of, idea_of, legs_from, with_ideas
from tests.support.scans import manifest_of, work


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory, config: Config, market_calendar: SessionCalendar) -> LedgerStore:
    """What a scan left of AAPL, of which it made no idea, and of JPM."""
    root = tmp_path_factory.mktemp("report")
    manifest = manifest_of(config, market_calendar, ["AAPL", "JPM"], config.data.synthetic.as_of)
    work(root, config, market_calendar, manifest)
    return LedgerStore(root)


@pytest.fixture(scope="session")
def entry(ledger: LedgerStore) -> SymbolEntry:
    """What there is of AAPL."""
    return ledger.entry("latest", "AAPL")


@pytest.fixture(scope="session")
def traded(entry: SymbolEntry, config: Config, market_calendar: SessionCalendar) -> SymbolEntry:
    """The same with trades of every kind."""
    structures = legs_from(chain_of(entry, config, market_calendar))
    return with_ideas(
        entry, [idea_of(strategy, legs) for strategy, legs in structures.items()], config, market_calendar
    )


@pytest.fixture(scope="session")
def report(traded: SymbolEntry) -> SymbolReport:
    """Its report."""
    return build_symbol_report(traded)
