"""What is known to be odd about each recorded data set is what verification finds, and it finds nothing of the kind
where it is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.quality import has_errors, verify
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.calendar import SessionCalendar

pytestmark = pytest.mark.realdata

Findings = dict[tuple[str, str], dict[str, Any]]
FOLDERS = {"vix_daily": ".", "cboe_quotes": "wire/cboe"}


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(1990, 1, 1), date(2030, 1, 1))


class Recorded:
    """Recorded sets, imported into stores of their own and verified."""

    def __init__(self, realdata: Path, root: Path, config: Config, calendar: SessionCalendar) -> None:
        self._realdata, self._root, self._config, self._calendar = realdata, root, config, calendar

    def frame(self, name: str, *kinds: str) -> pl.DataFrame:
        """The findings; of these kinds of the set, all by default."""
        mapping = load_mapping(name)
        tables = tuple(table for table in mapping.tables if not kinds or table.kind in kinds)
        store = StoreWriter(self._root / name)
        folder = self._realdata / FOLDERS.get(name, name)
        import_dataset(folder, mapping.replaced(tables=tables), store, self._calendar)
        return verify(store.root, self._config, self._calendar)

    def of(self, name: str, symbols: list[str]) -> Findings:
        """The findings on some symbols of a set that was imported before."""
        frame = verify(self._root / name, self._config, self._calendar, symbols=symbols)
        return {(row["kind"], row["finding"]): row for row in frame.iter_rows(named=True)}

    def found(self, name: str, *kinds: str) -> Findings:
        """The same, by kind and name."""
        return {(row["kind"], row["finding"]): row for row in self.frame(name, *kinds).iter_rows(named=True)}


@pytest.fixture(scope="module")
def recorded(
    realdata: Path, config: Config, calendar: SessionCalendar, tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    return Recorded(realdata, tmp_path_factory.mktemp("recorded"), config, calendar)


def test_us_2026_07(recorded: Recorded) -> None:
    frame = recorded.frame("us_2026_07")
    found = {(row["kind"], row["finding"]): row for row in frame.iter_rows(named=True)}
    assert has_errors(frame)
    unquoted = found["chains", "no quote"]["share"] + found["chains", "one-sided quote"]["share"]
    assert 1 - unquoted == pytest.approx(0.57, abs=0.005)
    assert found["chains", "hardly quoted snapshot"]["most"][:2] == ["QQQ", "SPY"]
    assert found["chains", "no bars"]["symbols"] == 9
    assert found["chains", "no greeks"]["symbols"] == 520 - 18
    assert found["chains", "unfinished implied volatility"]["rows"] > 45_000
    assert found["chains", "missing open interest"]["symbols"] == 26
    assert set(found["chains", "quotes of an earlier day"]["most"]) == {"SPX", "META", "AAPL", "GOOGL", "AMZN"}
    splits = found["bars", "unadjusted split"]
    assert (splits["severity"], splits["symbols"], splits["rows"]) == ("error", 14, 14)
    assert found["chains", "crossed quote"]["rows"] == 20
    assert ("chains", "expired contract") not in found  # refused at import
    known = recorded.of("us_2026_07", ["IWM", "MSFT", "NVDA", "QQQ", "SPY"])["chains", "missing open interest"]
    assert (known["symbols"], known["share"]) == (5, 1.0)


def test_nvda_is_two_prices_because_its_chain_is_a_session_older(
    recorded: Recorded, realdata: Path, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    """Chain 202.78, last bar 210.96: the chain's spot is exactly the close before."""
    chains = pl.read_parquet(realdata / "us_2026_07/chains.parquet").filter(underlying="NVDA")
    bars = pl.read_parquet(realdata / "us_2026_07/ohlcv.parquet").filter(symbol="NVDA")
    chains.write_parquet(tmp_path / "chains.parquet")
    bars.write_parquet(tmp_path / "ohlcv.parquet")
    store = StoreWriter(tmp_path / "market")
    import_dataset(tmp_path, load_mapping("us_2026_07"), store, calendar)
    findings = verify(store.root, config, calendar)
    found = {(row["kind"], row["finding"]): row for row in findings.iter_rows(named=True)}
    assert ("chains", "spot off its bar") not in found
    assert found["chains", "behind its bars"]["share"] == 1.0
    assert found["chains", "missing open interest"]["share"] == 1.0
    last = bars.sort("date").tail(2)["close"].to_list()
    assert chains["spot"].unique().to_list() == pytest.approx([last[0]])
    assert last == pytest.approx([202.78, 210.96], abs=0.005)


def test_sp500_2018_2021(recorded: Recorded) -> None:
    frame = recorded.frame("sp500_2018_2021")
    assert not has_errors(frame)
    splits = frame.row(by_predicate=pl.col("finding") == "split", named=True)
    assert splits["symbols"] == 16
    assert "unadjusted split" not in frame["finding"].to_list()


def test_apple_and_tesla_split_in_2020_and_without_adjusted_closes_it_is_an_error(
    realdata: Path, config: Config, calendar: SessionCalendar, tmp_path: Path
) -> None:
    bars = pl.read_parquet(realdata / "sp500_2018_2021/ohlcv.parquet").filter(pl.col("symbol").is_in(["AAPL", "TSLA"]))
    for told, name in ((True, "split"), (False, "unadjusted split")):
        folder = tmp_path / name
        folder.mkdir()
        rows = bars if told else bars.with_columns(adjusted_close=pl.lit(None, pl.Float64))
        rows.write_parquet(folder / "ohlcv.parquet")
        store = StoreWriter(folder / "market")
        import_dataset(folder, load_mapping("sp500_2018_2021"), store, calendar)
        frame = verify(store.root, config, calendar)
        split = frame.row(by_predicate=pl.col("finding") == name, named=True)
        assert (split["symbols"], split["rows"], sorted(split["most"])) == (2, 2, ["AAPL", "TSLA"])
        assert split["example"].startswith("AAPL, timestamp 2020-08-31")
        assert has_errors(frame) != told


def test_spx_2019(recorded: Recorded) -> None:
    found = recorded.found("spx_2019")
    assert set(found) == {
        ("chains", "no bars"),
        ("chains", "unfinished implied volatility"),
        ("chains", "one-sided quote"),
        ("chains", "zero implied volatility"),
        ("chains", "sessions without a snapshot"),
    }
    assert found["chains", "zero implied volatility"]["rows"] == 13_549
    assert found["chains", "sessions without a snapshot"]["rows"] == 5  # 56 of 61 sessions


def test_spy_2021(recorded: Recorded) -> None:
    found = recorded.found("spy_2021")
    assert found["chains", "thin snapshot"]["share"] == 1.0
    assert found["chains", "thin snapshot"]["example"].endswith("contracts 20")
    assert found["chains", "contracts replaced"]["share"] > 0.9
    assert {kind for kind, _ in found} == {"chains"}


def test_social_2014_2015(recorded: Recorded) -> None:
    found = recorded.found("social_2014_2015")
    assert found["news", "repeated headline"]["symbols"] == 2
    assert found["news", "repeated headline"]["share"] > 0.15
    assert found["bars", "repeats the bar before"]["most"] == ["AGFS", "SPLP"]


def test_ticks_2013(recorded: Recorded) -> None:
    """Sides of quotes come one by one, and nobody says who bought."""
    found = recorded.found("ticks_2013", "trades")
    assert set(found) == {("trades", "side unknown"), ("trades", "outside the session")}
    assert found["trades", "side unknown"]["rows"] == 214_567


def test_exports_of_cboe_and_the_vix(recorded: Recorded) -> None:
    found = recorded.found("cboe_quotes")
    assert found["chains", "hardly quoted snapshot"]["most"] == ["SPX"]
    assert found["chains", "no bars"]["symbols"] == 3
    greeks = found["chains", "impossible greeks"]  # puts 4,000 points in the money with a delta of +1
    assert (greeks["most"], greeks["rows"]) == (["NDX"], 16)
    vix = recorded.frame("vix_daily")
    assert not has_errors(vix)
    assert set(vix["finding"]) == {
        "open or close outside its range", "missing sessions", "adjusted close unknown", "no volume", "outlier",
    }  # fmt: skip
