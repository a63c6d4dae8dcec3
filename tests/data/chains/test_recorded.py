"""The recorded chains of July 2026: sensible volatilities, traps avoided, and the same bits in any batch."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader, LoadedChains
from gnosis_ray.market.columns import CHAIN
from tests.data.chains.books import CALENDAR, recorded

pytestmark = pytest.mark.realdata

AS_OF = datetime(2026, 7, 12, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def raw(realdata: Path) -> pl.DataFrame:
    return recorded(realdata, AS_OF)


@pytest.fixture(scope="module")
def loader(config: Config) -> ChainLoader:
    return ChainLoader(CALENDAR, config.market)


@pytest.fixture(scope="module")
def loaded(loader: ChainLoader, raw: pl.DataFrame) -> LoadedChains:
    return loader.load_with_report(raw)


def at_the_money(chain: pl.DataFrame, symbol: str, expiry: date) -> dict[str, object]:
    of = chain.filter((pl.col("symbol") == symbol) & (pl.col("expiry") == expiry) & pl.col("iv").is_not_null())
    return of.sort((pl.col("strike") - pl.col("underlying_price")).abs()).row(0, named=True)


def test_volatilities_are_those_of_the_day(loaded: LoadedChains) -> None:
    spy = at_the_money(loaded.chain, "SPY", date(2026, 8, 14))
    assert spy["iv_source"] == "last_smile"
    assert spy["iv"] == pytest.approx(0.135, abs=0.005)  # VIX 15.8, 36 days ahead
    apple, meta = (at_the_money(loaded.chain, name, date(2026, 8, 14)) for name in ("AAPL", "META"))
    assert apple["iv_source"] == meta["iv_source"] == "mid"
    assert apple["iv"] == pytest.approx(0.27, abs=0.02)
    assert meta["iv"] == pytest.approx(0.55, abs=0.03)  # earnings lie between
    assert apple["quote_time"] == datetime(2026, 7, 10, 20, 0, tzinfo=UTC)  # taken on Sunday, quoted on Friday


def test_no_unfinished_bisection_and_nothing_made_up(loaded: LoadedChains) -> None:
    chain = loaded.chain
    assert chain.schema == CHAIN
    floats = chain.select(pl.col(pl.Float64))
    assert floats.select((pl.all().is_nan() | pl.all().is_infinite()).any()).row(0) == (False,) * floats.width
    assert (chain["dte"] > 0).all()
    known = chain["iv"].is_not_null()
    for name in ("iv_source", "delta", "gamma", "vega", "theta", "vanna", "charm"):
        assert (chain[name].is_not_null() == known).all()
    share = chain["iv_source"].value_counts(normalize=True)
    by_source = {row["iv_source"]: row["proportion"] for row in share.iter_rows(named=True)}
    assert by_source["mid"] > 0.5
    assert by_source["last_smile"] < 0.06
    assert by_source.get("vendor", 0.0) < 0.001
    assert (chain["gamma"].drop_nulls() >= 0).all()


def test_split_shares_are_named(loaded: LoadedChains) -> None:
    named = loaded.report.filter(pl.col("reason") == "spot_disagrees")["symbol"]
    assert {"BKNG", "NFLX"} <= set(named)
    assert len(named) < 15


def test_any_batch_gives_the_same_bits(loader: ChainLoader, raw: pl.DataFrame, loaded: LoadedChains) -> None:
    names = ["A", "AAPL", "BRK-B", "CHTR", "NFLX", "QQQ", "SPX", "SPY", "WDAY", "ZTS"]
    for name in names:
        one = loader.load_with_report(raw.filter(pl.col("symbol") == name))
        assert_frame_equal(one.chain, loaded.chain.filter(pl.col("symbol") == name), check_exact=True)
        assert_frame_equal(one.report, loaded.report.filter(pl.col("symbol") == name))
    few = raw.filter(pl.col("symbol").is_in(names[::2])).sample(fraction=1.0, shuffle=True, seed=3)
    assert_frame_equal(loader.load(few), loaded.chain.filter(pl.col("symbol").is_in(names[::2])), check_exact=True)
