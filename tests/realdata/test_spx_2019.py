"""SPX chains of 56 sessions, imported and measured as one panel."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.config import Config
from gnosis_ray.data.chains.loader import ChainLoader
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.source_market_adapter import SourceMarketAdapter
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.base import EngineFrames
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import KEYS
from gnosis_ray.market.keys import one_key

pytestmark = pytest.mark.realdata

SHARES, ONE_PERCENT = 100, 0.01


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2019, 1, 2), date(2020, 12, 31))


@pytest.fixture(scope="module")
def imported(
    realdata: Path, calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ImportReport, StoreSource]:
    root = tmp_path_factory.mktemp("spx_2019")
    report = import_dataset(realdata / "spx_2019", load_mapping("spx_2019"), StoreWriter(root), calendar)
    return report, StoreSource(root)


@pytest.fixture(scope="module")
def raw(realdata: Path) -> pl.DataFrame:
    return pl.read_parquet(realdata / "spx_2019" / "chains.parquet")


@pytest.fixture(scope="module")
def keys(raw: pl.DataFrame, calendar: SessionCalendar) -> pl.DataFrame:
    """SPX at the close of every session that the data set has."""
    closes = pl.DataFrame({"day": calendar.days, "timestamp": calendar.closes}).with_columns(
        pl.col("timestamp").dt.replace_time_zone("UTC")
    )
    recorded = closes.join(raw.select(day=pl.col("quotedate").dt.date()).unique(), on="day", how="semi")
    return recorded.sort("day").select(symbol=pl.lit("SPX"), timestamp="timestamp").match_to_schema(KEYS)


@pytest.fixture(scope="module")
def engine(imported: tuple[ImportReport, StoreSource], calendar: SessionCalendar, config: Config) -> HedgeEngineV3:
    return HedgeEngineV3(SourceMarketAdapter(imported[1], ChainLoader(calendar, config.market)), config.engines.hedge)


@pytest.fixture(scope="module")
def panel(engine: HedgeEngineV3, keys: pl.DataFrame) -> EngineFrames:
    return engine.frames(keys)


def test_every_row_is_accounted_for(imported: tuple[ImportReport, StoreSource]) -> None:
    report, _ = imported
    assert (report.rows_read, report.rows_written) == (377_990, 367_986)
    found = report.summary().select("column", "reason", "kept", "rows").rows()
    assert found == [("expiry", "expired before the snapshot", False, 10_004)]


def test_the_quotes_are_believed_before_the_vendor(engine: HedgeEngineV3, keys: pl.DataFrame) -> None:
    chains = engine.load(keys)["chains"]
    sources = dict(chains.group_by("iv_source").len().rows())
    assert set(sources) == {"mid", None}
    assert sources["mid"] / chains.height > 0.9
    assert set(chains.filter(pl.col("expiry") == date(2019, 6, 21))["settlement"]) == {"AM", "PM"}


def test_the_volatilities_are_the_vendors_where_both_see_one(
    engine: HedgeEngineV3, keys: pl.DataFrame, raw: pl.DataFrame
) -> None:
    """Its rate, its carry and its time of day differ from ours: near the money that matters little."""
    ours = engine.load(keys)["chains"].filter(pl.col("dte") > 20, (pl.col("delta").abs() - 0.5).abs() < 0.25)
    theirs = raw.filter(pl.col("impliedvol") > 0).select(
        pl.col("quotedate").dt.date().alias("day"),
        pl.col("expiration").dt.date().alias("expiry"),
        pl.col("strike").cast(pl.Float64),
        pl.col("type").replace_strict({"call": "C", "put": "P"}).alias("type"),
        pl.when(pl.col("optionroot").str.starts_with("SPXW"))
        .then(pl.lit("PM"))
        .otherwise(pl.lit("AM"))
        .alias("settlement"),
        vendor="impliedvol",
    )
    both = ours.with_columns(day=pl.col("timestamp").dt.date()).join(
        theirs, on=["day", "expiry", "strike", "type", "settlement"]
    )
    assert both.height > 50_000
    gap = (both["iv"] - both["vendor"]).abs()
    assert gap.median() < 0.003  # type: ignore[operator]
    assert gap.quantile(0.95) < 0.012  # type: ignore[operator]


def test_one_call_measures_every_session(panel: EngineFrames, keys: pl.DataFrame) -> None:
    features = panel.features
    assert features.select("symbol", "timestamp").equals(keys)
    assert features.height == 56
    assert features["confidence"].min() > 0.85  # type: ignore[operator]
    assert features["gamma_sign"].value_counts().sort("gamma_sign").rows() == [(-1.0, 18), (1.0, 38)]
    assert features["atm_iv_30d"].is_between(0.09, 0.19).all()
    assert features["jump_risk"].is_not_null().all()


def test_dealers_are_long_above_zero_gamma_and_short_below(panel: EngineFrames) -> None:
    features = panel.features
    assert (features["zero_gamma_roots"] == 1).all()
    assert (((features["spot"] - features["zero_gamma"]).sign()) == features["gamma_sign"]).all()


def test_net_gamma_agrees_with_the_vendors_own(panel: EngineFrames, keys: pl.DataFrame, raw: pl.DataFrame) -> None:
    """The vendor's gamma of the contracts that live on, rounded to four places as it comes."""
    size = SHARES * ONE_PERCENT * pl.col("underlying_last") ** 2
    sign = pl.when(pl.col("type") == "call").then(1).otherwise(-1)
    vendor = (
        raw.filter(pl.col("expiration") > pl.col("quotedate"))
        .group_by(pl.col("quotedate").dt.date().alias("day"))
        .agg(
            net=(sign * pl.col("gamma") * pl.col("openinterest") * size).sum(),
            gross=(pl.col("gamma") * pl.col("openinterest") * size).sum(),
        )
    )
    ours = panel.features.with_columns(day=pl.col("timestamp").dt.date()).join(vendor, on="day")
    assert ours.select(pl.corr("gex_usd_per_pct", "net")).item() > 0.98
    assert ((ours["gex_usd_per_pct"] - ours["net"]).abs() / ours["gross"]).max() < 0.12  # type: ignore[operator]


def test_a_session_alone_is_a_session_among_others(
    engine: HedgeEngineV3, panel: EngineFrames, keys: pl.DataFrame
) -> None:
    for row in (0, 27, 55):
        alone = engine.frames(keys[row : row + 1])
        assert_frame_equal(alone.features, panel.features[row : row + 1], rel_tol=1e-9, abs_tol=0.0)


def test_before_the_close_only_the_day_before_is_known(engine: HedgeEngineV3, keys: pl.DataFrame) -> None:
    today: datetime = keys["timestamp"][10]
    before = engine.frames(one_key("SPX", today - timedelta(microseconds=1))).features
    assert before["meta__quote_time"][0].startswith(f"{keys['timestamp'][9]:%Y-%m-%d}")
    assert engine.frames(one_key("SPX", datetime(2019, 4, 25, 19, tzinfo=UTC))).features["spot"][0] is None
