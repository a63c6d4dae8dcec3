"""Statistics and indicators across the splits of 2018 to 2020, imported; on raw prices and on adjusted ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.engines.shared.bar_statistics import BAR_LOOKBACK, daily_statistics
from gnosis_ray.engines.shared.indicators import INDICATORS, daily_indicators
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.corporate_actions import PRICES
from gnosis_ray.market.keys import one_key
from tests.engines.shared.series import rsi, yang_zhang

pytestmark = pytest.mark.realdata

SPLIT = datetime(2020, 8, 31, 20, tzinfo=UTC)
SPLITS = [
    ("AAPL", "2020-08-31", 4.0),
    ("TSLA", "2020-08-31", 5.0),
    ("ODFL", "2020-03-25", 1.5),
    ("ROL", "2020-12-11", 1.5),
]
FILE = Path("sp500_2018_2021", "ohlcv.parquet")


@pytest.fixture(scope="module")
def imported(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, StoreSource]:
    """The whole file in a store."""
    calendar = SessionCalendar.build("XNYS", date(2017, 12, 1), date(2021, 12, 31))
    writer = StoreWriter(tmp_path_factory.mktemp("sp500_2018_2021"))
    report = import_dataset(realdata / FILE.parent, load_mapping("sp500_2018_2021"), writer, calendar)
    return report, StoreSource(writer.root)


@pytest.fixture(scope="module")
def vendor(realdata: Path) -> pl.DataFrame:
    """The file itself, its figures as doubles."""
    figures = pl.selectors.numeric().cast(pl.Float64)
    return pl.read_parquet(realdata / FILE).with_columns(figures).sort("symbol", "timestamp")


def told(source: StoreSource, symbol: str, moment: datetime) -> dict[str, float]:
    """Statistics and indicators as of a moment."""
    keys = one_key(symbol, moment)
    bars = source.bars(keys, BAR_LOOKBACK)
    found = daily_statistics(keys, bars).hstack(daily_indicators(keys, bars).drop("symbol", "timestamp"))
    return found.row(0, named=True)


def sessions_around(vendor: pl.DataFrame, symbol: str, day: str) -> list[datetime]:
    """The evenings of the sessions from five before ``day`` to 65 after it."""
    days = vendor.filter(symbol=symbol)["timestamp"].dt.date().to_list()
    place = days.index(date.fromisoformat(day))
    return [datetime(d.year, d.month, d.day, 23, tzinfo=UTC) for d in days[place - 5 : place + 65 : 5]]


def known_by(vendor: pl.DataFrame, symbol: str, moment: datetime) -> pl.DataFrame:
    """The file's last rows of a symbol, all four prices adjusted as the textbook has it."""
    rows = vendor.filter(pl.col("symbol") == symbol, pl.col("timestamp") <= moment.replace(tzinfo=None)).tail(
        BAR_LOOKBACK
    )
    return rows.with_columns(pl.col(name) * (pl.col("adjusted_close") / pl.col("close")) for name in PRICES)


def bipower(closes: np.ndarray) -> float:
    """Over sixty daily log returns, of neighbours' products."""
    size = np.abs(np.diff(np.log(closes)))
    return float(np.sqrt(np.pi / 2 * np.mean((size[1:] * size[:-1])[-60:])))


def test_every_row_is_imported_as_traded_and_as_adjusted(
    imported: tuple[ImportReport, StoreSource], vendor: pl.DataFrame
) -> None:
    report, source = imported
    assert (report.rows_read, report.rows_written) == (415_080, 415_080)
    bars = source.bars(one_key("AAPL", datetime(2021, 4, 22, tzinfo=UTC)), 2000)
    own = vendor.filter(symbol="AAPL")
    for name in (*PRICES, "volume", "adjusted_close"):
        assert bars[name].to_list() == own[name].to_list()


@pytest.mark.parametrize(("symbol", "day", "ratio"), SPLITS)
def test_what_is_said_reads_through_the_split(
    imported: tuple[ImportReport, StoreSource], vendor: pl.DataFrame, symbol: str, day: str, ratio: float
) -> None:
    """Equal to what plain loops make of the adjusted series, at every fifth session around it."""
    for moment in sessions_around(vendor, symbol, day):
        found, adjusted = told(imported[1], symbol, moment), known_by(vendor, symbol, moment)
        closes = adjusted["close"].to_numpy()
        assert found["sigma_daily"] == pytest.approx(bipower(closes), rel=1e-9)
        assert found["rsi_14"] == pytest.approx(rsi(closes), rel=1e-9)
        assert found["realised_vol_20d"] == pytest.approx(yang_zhang(adjusted), rel=1e-9)
        assert found["ret_5d"] == pytest.approx(closes[-1] / closes[-6] - 1, rel=1e-9)
        assert found["price_break"] is False
    raw = vendor.filter(symbol=symbol).filter(pl.col("timestamp").dt.date() >= date.fromisoformat(day)).head(1)
    assert raw["split_coefficient"].item() == ratio
    evening = datetime.fromisoformat(day).replace(hour=23, tzinfo=UTC)
    assert told(imported[1], symbol, evening)["close"] == raw["close"].item()


@pytest.mark.parametrize(("symbol", "day", "ratio"), SPLITS)
def test_the_split_day_is_a_day_like_others(
    imported: tuple[ImportReport, StoreSource], vendor: pl.DataFrame, symbol: str, day: str, ratio: float
) -> None:
    """What the vendor says was split and paid, and not its adjusted close, gives the same five days' return."""
    evening = datetime.fromisoformat(day).replace(hour=23, tzinfo=UTC)
    before, after = (told(imported[1], symbol, evening - timedelta(days=d)) for d in (1, 0))
    last = vendor.filter(pl.col("symbol") == symbol, pl.col("timestamp") <= evening.replace(tzinfo=None)).tail(6)
    worth = last["close"] * last["split_coefficient"] + last["dividend_amount"]
    paid = float((worth[1:] / last["close"][:-1]).product())
    assert after["ret_5d"] == pytest.approx(paid - 1, abs=2e-4)
    assert after["sigma_daily"] == pytest.approx(before["sigma_daily"], rel=0.1)
    assert after["realised_vol_20d"] == pytest.approx(before["realised_vol_20d"], rel=0.25)
    assert after["adv_usd"] == pytest.approx(before["adv_usd"], rel=0.1)


@pytest.mark.parametrize("symbol", ["AAPL", "TSLA"])
def test_raw_bars_start_afresh_at_the_split(imported: tuple[ImportReport, StoreSource], symbol: str) -> None:
    later = SPLIT + timedelta(days=30)
    bars = imported[1].bars(one_key(symbol, later), BAR_LOOKBACK)
    raw = bars.with_columns(adjusted_close=pl.lit(None, pl.Float64))
    on_the_day = daily_indicators(one_key(symbol, SPLIT), raw).row(0, named=True)
    assert on_the_day["price_break"]
    assert [on_the_day[name] for name in INDICATORS] == [None] * len(INDICATORS)
    found, through = (daily_indicators(one_key(symbol, later), b).row(0, named=True) for b in (raw, bars))
    assert found["realised_vol_20d"] == pytest.approx(through["realised_vol_20d"], rel=1e-4)
    assert found["rsi_14"] is None


def test_raw_bars_read_three_shares_for_two_as_a_fall(imported: tuple[ImportReport, StoreSource]) -> None:
    evening = datetime(2020, 12, 11, 23, tzinfo=UTC)
    bars = imported[1].bars(one_key("ROL", evening), BAR_LOOKBACK)
    keys = one_key("ROL", evening)
    raw = daily_indicators(keys, bars.with_columns(adjusted_close=pl.lit(None, pl.Float64))).row(0, named=True)
    assert raw["ret_5d"] < -0.3
    assert abs(daily_indicators(keys, bars).row(0, named=True)["ret_5d"]) < 0.1
