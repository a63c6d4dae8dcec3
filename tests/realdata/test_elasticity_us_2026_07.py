"""The elasticity engine over the recorded US market of July 2026, against figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.elasticity.elasticity_engine_v1 import ElasticityEngineV1
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, one_key

pytestmark = pytest.mark.realdata

NOW = datetime(2026, 7, 12, 12, tzinfo=UTC)
BY_HAND = pl.DataFrame(
    {
        "symbol": ["AAPL", "META", "SMH", "XYL"],
        "adv_musd": [16_012.0, 10_932.0, 6_180.0, 244.0],
        "sigma": [0.0180, 0.0281, 0.0326, 0.0166],
        "gex_musd": [1_196.0, 841.0, -482.0, 1.5],
        "energy_musd": [6_144.0, 2_220.0, 100.0, 90.4],
        "elasticity_pct": [0.096, 0.110, 0.94, 0.157],
    }
)
"""On the plain sample deviation of 60 log returns, which a jump enters squared."""

OTHERS = ("AES", "BRK.B", "EQT", "LEN", "MSFT", "NVDA", "SPY", "WBD")
SYMBOLS = [*BY_HAND["symbol"], *OTHERS]


@pytest.fixture(scope="module")
def adapter(realdata: Path, tmp_path_factory: pytest.TempPathFactory, config: Config) -> SourceMarketAdapter:
    """The recorded market of these symbols alone, imported."""
    folder, root = tmp_path_factory.mktemp("us_2026_07"), tmp_path_factory.mktemp("store")
    calendar = SessionCalendar.build("XNYS", date(2025, 1, 2), date(2029, 1, 2))
    vendor_names = pl.Series([name.replace(".", "-") for name in SYMBOLS])
    for name, column in (("chains.parquet", "underlying"), ("ohlcv.parquet", "symbol")):
        rows = pl.read_parquet(realdata / "us_2026_07" / name)
        rows.filter(pl.col(column).is_in(vendor_names.implode())).write_parquet(folder / name)
    import_dataset(folder, load_mapping("us_2026_07"), StoreWriter(root), calendar)
    return SourceMarketAdapter(StoreSource(root), ChainLoader(calendar, config.market))


@pytest.fixture(scope="module")
def hedge(adapter: SourceMarketAdapter, config: Config) -> EngineFrames:
    return HedgeEngineV3(adapter, config.engines.hedge).frames(keys_at(SYMBOLS, NOW))


@pytest.fixture(scope="module")
def measured(adapter: SourceMarketAdapter, hedge: EngineFrames, config: Config) -> pl.DataFrame:
    engine = ElasticityEngineV1(adapter, config.engines.elasticity)
    return engine.frames(keys_at(SYMBOLS, NOW), {"hedge": hedge}).features


@pytest.fixture(scope="module")
def compared(measured: pl.DataFrame, hedge: EngineFrames) -> pl.DataFrame:
    exposures = hedge.features.select("symbol", gex=pl.col("gex_usd_per_pct") / 1e6)
    return (
        BY_HAND.join(measured, on="symbol")
        .join(exposures, on="symbol")
        .with_columns(
            liquidity=pl.col("liquidity_cost_1pct") / 1e6,
            up=pl.col("energy_to_move_1pct_up") / pl.col("indicator_bias_up") / 1e6,
            down=pl.col("energy_to_move_1pct_down") / pl.col("indicator_bias_down") / 1e6,
            elasticity=(pl.col("elasticity_up") + pl.col("elasticity_down")) / 2,
            adv=pl.col("adv_usd") / 1e6,
        )
        .with_columns(energy=(pl.col("up") + pl.col("down")) / 2)
        .sort("symbol")
    )


def close(compared: pl.DataFrame, symbol: str, name: str, by_hand: str) -> float:
    """The relative difference."""
    row = compared.row(by_predicate=pl.col("symbol") == symbol, named=True)
    return abs(float(row[name]) / float(row[by_hand]) - 1)


@pytest.mark.parametrize("symbol", ["AAPL", "META", "SMH"])
def test_inputs_are_those_of_the_hand_check(compared: pl.DataFrame, symbol: str) -> None:
    assert close(compared, symbol, "adv", "adv_musd") < 0.01
    assert close(compared, symbol, "gex", "gex_musd") < 0.10


def test_a_small_book_is_small(compared: pl.DataFrame) -> None:
    """XYL nets 1.8 against 1.5: two per cent of its energy either way."""
    row = compared.row(by_predicate=pl.col("symbol") == "XYL", named=True)
    assert 0 < row["gex"] < 0.03 * row["energy"]


@pytest.mark.parametrize("symbol", ["AAPL", "XYL"])
def test_energies_are_those_of_the_hand_check(compared: pl.DataFrame, symbol: str) -> None:
    assert close(compared, symbol, "sigma_daily", "sigma") < 0.05
    assert close(compared, symbol, "energy", "energy_musd") < 0.10
    assert close(compared, symbol, "elasticity", "elasticity_pct") < 0.10


def test_an_earnings_jump_is_the_difference_of_meta(compared: pl.DataFrame) -> None:
    row = compared.row(by_predicate=pl.col("symbol") == "META", named=True)
    assert row["sigma_daily"] < 0.85 * row["sigma"]
    with_the_jump = row["liquidity"] * (row["sigma_daily"] / row["sigma"]) ** 2 + (row["energy"] - row["liquidity"])
    assert with_the_jump == pytest.approx(row["energy_musd"], rel=0.05)
    assert row["elasticity"] == pytest.approx(row["elasticity_pct"], rel=0.10)


def test_dealers_short_gamma_leave_smh_little_resistance(compared: pl.DataFrame) -> None:
    """What is left of two terms near 590 and -480 moves by a sixth when each moves by a fiftieth."""
    row = compared.row(by_predicate=pl.col("symbol") == "SMH", named=True)
    assert row["energy"] == pytest.approx(row["energy_musd"], rel=0.25)
    assert row["elasticity"] == pytest.approx(row["elasticity_pct"], rel=0.10)
    assert row["energy_share_of_adv"] == pytest.approx(0.02, abs=0.005)
    assert row["self_feeding_move_pct"] == pytest.approx(100 * 482 / 58_200, rel=0.10)
    assert row["down"] < row["up"]
    assert row["regime"] == "asymmetric_down"


def test_degradations_name_what_is_missing(measured: pl.DataFrame) -> None:
    said = dict(measured.select("symbol", "meta__degraded").rows())
    assert said["AAPL"] == "no_liquidity"
    assert said["NVDA"].startswith("no_hedge,no_liquidity")
    assert said["MSFT"].startswith("no_hedge,no_liquidity")
    assert said["BRK.B"].startswith("no_bars,")
    confidence = dict(measured.select("symbol", "confidence").rows())
    assert confidence["BRK.B"] == 0.0
    assert confidence["NVDA"] == pytest.approx(0.3)


def test_a_pinned_takeover_price_resists_beyond_measure(measured: pl.DataFrame) -> None:
    row = measured.row(by_predicate=pl.col("symbol") == "AES", named=True)
    assert row["sigma_daily"] < 0.004
    assert row["energy_share_of_adv"] > 5
    assert row["regime"] == "high_resistance"


def test_one_symbol_at_a_time_gives_the_same_bits(
    adapter: SourceMarketAdapter, hedge: EngineFrames, measured: pl.DataFrame, config: Config
) -> None:
    engine = ElasticityEngineV1(adapter, config.engines.elasticity)
    ones = [engine.frames(one_key(name, NOW), {"hedge": hedge}).features for name in measured["symbol"]]
    assert_frame_equal(pl.concat(ones), measured, check_exact=True)
