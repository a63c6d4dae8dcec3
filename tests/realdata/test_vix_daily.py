"""The VIX by day, imported as bars and read as friction."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.hedge.vix_friction import vix_friction
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import CHAIN, UTC_TIME
from gnosis_ray.market.keys import one_key

pytestmark = pytest.mark.realdata

LAST_CLOSE = datetime(2026, 7, 10, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def imported(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, StoreSource]:
    root = tmp_path_factory.mktemp("vix_daily")
    calendar = SessionCalendar.build("XNYS", date(1990, 1, 1), date(2027, 1, 2))
    report = import_dataset(realdata, load_mapping("vix_daily"), StoreWriter(root), calendar)
    return report, StoreSource(root)


def friction(source: StoreSource, moments: pl.Series, config: Config) -> pl.DataFrame:
    last: datetime = moments.max()  # type: ignore[assignment]
    bars = source.bars(one_key("VIX", last), 10_000)
    return vix_friction(moments.cast(UTC_TIME), CHAIN.to_frame(), bars, config.engines.hedge)


def test_every_row_is_accounted_for(imported: tuple[ImportReport, StoreSource]) -> None:
    """The index is calculated on some holidays of the stock exchange: those days are refused, and named."""
    report, _ = imported
    assert (report.rows_read, report.rows_written) == (9_235, 9_202)
    found = report.summary().select("column", "reason", "kept", "rows").rows()
    assert found == [("open", "outside low to high", True, 47), ("timestamp", "no session on that date", False, 33)]
    assert set(report.refused["symbol"]) == {"VIX"}


def test_a_close_is_known_a_quarter_of_an_hour_after_the_stocks_close(
    imported: tuple[ImportReport, StoreSource], config: Config
) -> None:
    _, source = imported
    minutes = [LAST_CLOSE, LAST_CLOSE + timedelta(minutes=14), LAST_CLOSE + timedelta(minutes=15)]
    told = friction(source, pl.Series(minutes), config)["vix_friction_basis"].to_list()
    assert [text.split()[1] for text in told] == ["15.84", "15.84", "15.03"]


def test_the_friction_of_a_weekend(imported: tuple[ImportReport, StoreSource], config: Config) -> None:
    row = friction(imported[1], pl.Series([datetime(2026, 7, 12, 12, tzinfo=UTC)]), config).row(0, named=True)
    assert row["vix_friction_factor"] == pytest.approx(0.7339, abs=1e-4)
    assert row["vix_friction_basis"] == "level 15.03 at percentile 10 of 252 closes"


def test_volatility_moves_less_the_higher_its_friction(
    imported: tuple[ImportReport, StoreSource], config: Config
) -> None:
    """What the definition claims, over 36 years: the next day's move of the VIX falls from each fifth to the next."""
    bars = imported[1].bars(one_key("VIX", LAST_CLOSE + timedelta(days=1)), 10_000)
    measured = friction(imported[1], bars["known_at"], config).with_columns(
        points=(bars["close"].shift(-1) - bars["close"]).abs(), logs=bars["close"].log().diff().shift(-1).abs()
    )
    known = measured.drop_nulls()
    assert known.height == bars.height - config.engines.hedge.vix_min_bars
    assert known["vix_friction_factor"].is_between(0, 1).all()
    fifths = known.with_columns(fifth=pl.col("vix_friction_factor").rank("ordinal") * 5 // (pl.len() + 1))
    moves = fifths.group_by("fifth").agg(pl.col("points", "logs").mean()).sort("fifth")
    assert moves.height == 5
    for name in ("points", "logs"):
        assert moves[name].is_sorted(descending=True), moves
