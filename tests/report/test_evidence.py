"""The evidence of a ledger is what the market showed the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import LedgerStore, SymbolEntry
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.report.evidence import energy_curve
from gnosis_ray.report.symbol_report import SymbolReport, build_symbol_report
from tests.report.samples import chain_of, recorded


def test_legs_are_quoted_as_the_chain_was(
    traded: SymbolEntry, report: SymbolReport, config: Config, market_calendar: SessionCalendar
) -> None:
    chain = chain_of(traded, config, market_calendar)
    quoted = [leg for idea in report.ideas for leg in idea.legs if leg.leg.expiry]
    assert len(quoted) == 9
    for leg in quoted:
        expiry = date.fromisoformat(leg.leg.expiry or "")
        contract = {"expiry": expiry, "strike": leg.leg.strike, "type": leg.leg.instrument_type}
        row = chain.filter(**contract).row(0, named=True)
        assert leg.quote is not None
        assert (leg.quote.bid, leg.quote.ask, leg.quote.iv) == (row["bid"], row["ask"], row["iv"])
        assert (leg.quote.mid, leg.quote.tau, leg.quote.carry) == (row["mid_price"], row["tau"], row["carry"])
        assert leg.leg.price == (row["ask"] if leg.leg.direction == "buy" else row["bid"])


def test_the_ideas_of_a_scan_have_their_quotes_and_payoffs(ledger: LedgerStore) -> None:
    report = build_symbol_report(ledger.entry("latest", "JPM"))
    assert report.ideas
    for idea in report.ideas:
        assert all((leg.quote is None) == (leg.leg.instrument_type == "STOCK") for leg in idea.legs)
        assert idea.payoff is not None
        assert idea.note is None


def test_bars_are_the_last_sixty_of_the_source(
    entry: SymbolEntry, config: Config, market_calendar: SessionCalendar
) -> None:
    report = build_symbol_report(entry)
    source = build_adapter(config, market_calendar).fetch_ohlcv(report.symbol, 60, report.as_of)
    assert len(report.bars) == 60
    assert [bar.closed_at for bar in report.bars] == source["timestamp"].to_list()
    last = report.bars[-1]
    row = source.row(-1, named=True)
    assert (last.open, last.high, last.low, last.close) == (row["open"], row["high"], row["low"], row["close"])
    assert last.volume == row["volume"]


def test_headlines_are_those_behind_the_score_of_news(entry: SymbolEntry) -> None:
    sentiment, items = recorded(entry).snapshot.sentiment, entry.evidence["headlines"]
    assert items.height == sentiment["news_items"] > 0
    scores, weights = items["score"].to_numpy(), items["weight"].to_numpy()
    assert scores @ weights / weights.sum() == pytest.approx(sentiment["news_sentiment_score"])
    shown = build_symbol_report(entry).headlines
    assert [one.at for one in shown] == sorted(items["published_at"].to_list(), reverse=True)[: len(shown)]
    assert all(one.at <= entry.manifest.as_of for one in shown)


def test_the_energy_curve_goes_through_the_energies_of_one_percent(entry: SymbolEntry) -> None:
    elasticity, curve = recorded(entry).snapshot.elasticity, energy_curve(entry)
    assert curve is not None
    for side, sign in (("up", 1), ("down", -1)):
        at = float(np.interp(sign, curve.move_pct, curve.usd))
        assert at == pytest.approx(elasticity[f"energy_to_move_1pct_{side}"], rel=0.01)
    moves, usd = np.array(curve.move_pct), np.array(curve.usd)
    assert np.all(np.diff(moves) > 0)
    assert moves[-1] == -moves[0] >= 2.0
    assert np.all(np.diff(usd[moves >= 0]) >= 0)
    assert np.all(np.diff(usd[moves <= 0]) <= 0)
    assert usd[moves == 0].tolist() == [0.0]


def test_a_curve_without_its_part_is_not_shown(entry: SymbolEntry) -> None:
    halved = entry.evidence["curves"].filter(pl.col("name") == "energy")
    assert energy_curve(replace(entry, evidence={**entry.evidence, "curves": halved})) is None
