"""What the market showed then, read again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl

from gnosis_ray.config import Config
from gnosis_ray.ledger.ledger_store import SymbolEntry
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.report.quotes import _in_shares_of_the_last, config_of, read_market_snapshot, settings_note
from gnosis_ray.report.symbol_report import SymbolReport
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
        assert leg.leg.price == (row["ask"] if leg.leg.direction == "buy" else row["bid"])


def test_nothing_later_than_the_run_is_read(report: SymbolReport) -> None:
    assert report.bars
    assert all(bar.closed_at <= report.as_of for bar in report.bars)
    assert all(headline.at <= report.as_of for headline in report.headlines)


def test_bars_before_a_split_are_in_shares_of_today() -> None:
    halved = pl.DataFrame(
        {
            "symbol": "X",
            "low": [99.0, 49.0],
            "high": [102.0, 52.0],
            "close": [100.0, 51.0],
            "adjusted_close": [50.0, 51.0],
        }
    )
    told = _in_shares_of_the_last(halved)
    assert told["close"].to_list() == [50.0, 51.0]
    assert told["low"].to_list() == [49.5, 49.0]
    unadjusted = halved.with_columns(adjusted_close=pl.lit(None, pl.Float64))
    assert _in_shares_of_the_last(unadjusted)["close"].to_list() == [100.0, 51.0]


def test_a_market_that_is_gone_is_told_not_raised(entry: SymbolEntry, config: Config, tmp_path: Path) -> None:
    stored = config.model_copy(update={"data": config.data.model_copy(update={"provider": "store", "dir": tmp_path})})
    then = read_market_snapshot(entry.manifest, stored, recorded(entry))
    assert then.bars == ()
    assert then.problem is not None
    assert str(tmp_path) in then.problem


def test_settings_of_another_version_are_read_as_far_as_they_go(entry: SymbolEntry, config: Config) -> None:
    written = json.loads(entry.manifest.config_json)
    del written["composer"]["opposed_penalty"]
    written["composer"]["direction_threshold"] = 0.35
    written["a_section_of_the_future"] = {"x": 1}
    other = entry.manifest.model_copy(update={"config_json": json.dumps(written)})
    read = config_of(other)
    assert read is not None
    assert read.composer.direction_threshold == 0.35
    assert read.composer.opposed_penalty == config.composer.opposed_penalty
    assert "other settings" in (settings_note(other, read) or "")
    assert "other settings" in (read_market_snapshot(other, read, recorded(entry)).problem or "")


def test_own_settings_need_no_note(entry: SymbolEntry) -> None:
    assert settings_note(entry.manifest, config_of(entry.manifest)) is None


def test_settings_that_are_none_are_told(entry: SymbolEntry) -> None:
    for text in ("[]", "no json", '{"market": 3}'):
        broken = entry.manifest.model_copy(update={"config_json": text})
        assert config_of(broken) is None
        assert "cannot read" in (read_market_snapshot(broken, None, recorded(entry)).problem or "")
