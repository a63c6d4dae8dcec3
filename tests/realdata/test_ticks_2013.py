"""Recorded trades and quotes of IBM and BAC, imported by command and measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from gnosis_ray.cli.data import command
from gnosis_ray.config import Config
from gnosis_ray.data.store import StoreSource, coverage
from gnosis_ray.engines.liquidity.liquidity_engine_v1 import LiquidityEngineV1
from gnosis_ray.market.columns import KEYS
from tests.support.tapes import SourceAdapter

pytestmark = pytest.mark.realdata

DAYS = [("BAC", 7), *(("IBM", day) for day in range(7, 12))]


@pytest.fixture(scope="module")
def store(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ticks_2013")
    arguments = ["import", str(realdata / "ticks_2013"), "--data-dir", str(root), "--format", "json"]
    result = CliRunner().invoke(command, arguments, obj=None)
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture(scope="module")
def measured(store: Path, config: Config) -> pl.DataFrame:
    """At each close."""
    rows = [(symbol, datetime(2013, 10, day, 20, tzinfo=UTC)) for symbol, day in DAYS]
    engine = LiquidityEngineV1(SourceAdapter(StoreSource(store)), config.engines.liquidity)
    return engine.frames(pl.DataFrame(rows, schema=KEYS, orient="row")).features


def test_every_row_but_the_flagged_is_stored(store: Path) -> None:
    """Lines of the files: 214,567 and 1,052,444, of which three quotes are flagged."""
    held = {row["kind"]: (row["symbols"], row["rows"]) for row in coverage(store).iter_rows(named=True)}
    assert held == {"trades": (2, 214_567), "quotes": (2, 1_052_441)}


def test_price_impact_is_positive_and_significant(measured: pl.DataFrame) -> None:
    assert (measured["kyle_lambda"] > 0).all()
    assert (measured["kyle_lambda_t"] > 5).all()
    assert (measured["hasbrouck_lambda_t"] > 5).all()
    by_symbol = measured.group_by("symbol").agg(pl.col("kyle_lambda").mean()).sort("symbol")
    assert (
        by_symbol["kyle_lambda"][1] > 50 * by_symbol["kyle_lambda"][0]
    )  # IBM at 180 USD, BAC at 14 and 20 times the shares


def test_quotes_explain_prices_as_cont_kukanov_and_stoikov_found(measured: pl.DataFrame) -> None:
    """Their average R2 over 50 stocks of April 2010 is 65%."""
    assert measured["cks_lambda_r2"].is_between(0.5, 0.8).all()
    assert (measured["cks_lambda_r2"] > 3 * measured["kyle_lambda_r2"]).all()


def test_the_quoted_spread_is_that_of_the_tick(measured: pl.DataFrame) -> None:
    """BAC trades at 13.8 USD, a cent wide: 7.2 bps; IBM's is wider than its own cent, .55 bps."""
    bac, ibm = measured["quoted_spread_bps"][0], measured["quoted_spread_bps"][1:]
    assert bac == pytest.approx(1e4 * 0.01 / 13.85, rel=0.02)
    assert ibm.is_between(1.5, 4.0).all()


def test_edge_of_one_minute_bars_finds_the_quoted_spread(measured: pl.DataFrame) -> None:
    ratio = measured["edge_intraday_spread_bps"] / measured["quoted_spread_bps"]
    assert ratio.is_between(0.6, 1.2).all()


def test_no_day_was_one_sided_and_what_is_missing_is_named(measured: pl.DataFrame) -> None:
    assert measured["ofi"].abs().max() < 0.1  # type: ignore[operator]
    assert measured["vpin"].is_between(0.15, 0.35).all()
    assert set(measured["regime"]) == {"normal"}
    assert set(measured["meta__degraded"]) == {"no_bars"}
    assert (measured["signed_volume_share"] > 0.999).all()
