"""The plug-ins of this package pass gnosis-ray's contract tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from gnosis_ray_example import csv_bars, jade_lizard, volatility_premium, word_list

import gnosis_ray as gr

DAYS = [date(2026, 7, day) for day in (6, 7, 8, 9, 10)]
WORDS = {"good": ["beats", "raises", "record"], "bad": ["misses", "cuts", "fraud"]}


class TestVolatilityPremium(gr.testing.AgentContract):
    def make_agent(self) -> gr.PrimaryAgent:
        return volatility_premium.make({"scale": 0.02})


class TestWordList(gr.testing.ProcessorContract):
    def make_processor(self, market: gr.MarketAdapter) -> gr.SentimentProcessor:
        return word_list.make(market, WORDS)


class TestJadeLizard(gr.testing.StrategyContract):
    def make_strategy(self) -> gr.StrategySpec:
        return jade_lizard.make({})


class TestCsvBars(gr.testing.ProviderContract):
    symbols = ("AAA", "BBB")
    moments = (datetime(2026, 7, 8, 18, tzinfo=UTC), datetime(2026, 7, 10, 20, tzinfo=UTC))

    @pytest.fixture(autouse=True)
    def _bars(self, tmp_path: Path) -> None:
        for symbol in self.symbols:
            rows = [f"{day},10,11,9,{10 + day.day / 10},1000" for day in DAYS]
            (tmp_path / f"{symbol}.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]))
        self.folder = tmp_path

    def make_source(self) -> gr.MarketSource:
        calendar = gr.SessionCalendar.build("XNYS", date(2026, 1, 1), date(2026, 12, 31))
        return csv_bars.make(calendar, {"folder": str(self.folder)})
