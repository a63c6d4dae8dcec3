"""Exports whose first lines are no table, whose times are written for people, and which are packed."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.config import config_root
from gnosis_ray.data.importing import import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import ConfigError, DataError, SchemaError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.symbols import INDICES
from tests.data.store.frames import keys

HEADER = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
PREAMBLE = [
    "",
    "S&P 500 Index,Last: 3990.5601,Change:  56.1801",
    '"Date: July 12, 2022 at 8:31 PM EDT",Bid: 0,Ask: 0,Size: 0*0,Volume: 0',
]
ROWS = [
    "Fri Jul 15 2022,SPXW220715C03990000,41.2,0,41,42,8,0.21,0,0,100,3990.00,SPXW220715P03990000,"
    "40,0,39,40.5,9,0.22,0,0,200",
    "Fri Jul 15 2022,SPX220715C03990000,41.2,0,41,42,8,0.21,0,0,100,3990.00,SPX220715P03990000,"
    "40,0,39,40.5,9,0.22,0,0,200",
    "Tue Jul 12 2022,SPXW220712C03990000,41.2,0,41,42,8,0.21,0,0,1,3990.00,SPXW220712P03990000,"
    "40,0,39,40.5,9,0.22,0,0,2",
]


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2022, 7, 1), date(2022, 8, 1))


def export(folder: Path, preamble: list[str], *, packed: bool = False) -> Path:
    """One file of a symbol's chain."""
    body = "\n".join([*preamble, HEADER, *ROWS]) + "\n"
    if packed:
        (folder / "spx_quotedata.csv.gz").write_bytes(gzip.compress(body.encode()))
    else:
        (folder / "spx_quotedata.csv").write_text(body)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_an_export_of_cboe_is_a_chain(tmp_path: Path, calendar: SessionCalendar, packed: bool) -> None:
    store = StoreWriter(tmp_path / "market")
    done = import_dataset(export(tmp_path, PREAMBLE, packed=packed), load_mapping("cboe_quotes"), store, calendar)
    assert (done.rows_read, done.rows_written) == (6, 4)
    assert done.refused["reason"].unique().to_list() == ["expired before the snapshot"]
    made = datetime(2022, 7, 13, 0, 31, tzinfo=UTC)  # half past eight in the evening of New York, in summer
    chain = StoreSource(store.root).raw_chains(keys(("SPX", made)))
    assert chain.select("event_time", "underlying_price", "expiry").unique().rows() == [
        (made, 3990.5601, date(2022, 7, 15))
    ]
    told = chain.sort("type", "settlement").select("type", "settlement", "bid", "ask", "open_interest", "vendor_iv")
    call, put = (41.0, 42.0, 100.0, 0.21), (39.0, 40.5, 200.0, 0.22)
    assert told.rows() == [("C", "AM", *call), ("C", "PM", *call), ("P", "AM", *put), ("P", "PM", *put)]


@pytest.mark.parametrize("written", ["July 12, 2022, 8:31 PM EDT", "July 12 2022, 8:31 PM EDT"])
def test_a_date_in_any_of_cboe_s_forms_is_read(tmp_path: Path, calendar: SessionCalendar, written: str) -> None:
    preamble = [line.replace("July 12, 2022 at 8:31 PM EDT", written) for line in PREAMBLE]
    store = StoreWriter(tmp_path / "market")
    assert import_dataset(export(tmp_path, preamble), load_mapping("cboe_quotes"), store, calendar).rows_written == 4
    made = datetime(2022, 7, 13, 0, 31, tzinfo=UTC)
    assert StoreSource(store.root).raw_chains(keys(("SPX", made)))["event_time"].unique().to_list() == [made]


def test_exports_of_every_index_settle_when_its_options_do() -> None:
    for table in load_mapping("cboe_quotes").tables:
        contract = table.contract
        assert contract is not None
        assert set(contract.am_roots) == {root for index in INDICES.values() for root in index.am_roots}
        for symbol, index in INDICES.items():
            assert {*index.am_roots, *index.pm_roots} <= {symbol, *contract.other_roots.get(symbol, ())}


def test_other_first_lines_and_broken_packages_are_named(tmp_path: Path, calendar: SessionCalendar) -> None:
    store, mapping = StoreWriter(tmp_path / "market"), load_mapping("cboe_quotes")
    with pytest.raises(SchemaError, match=r"spx_quotedata\.csv, line 2: Expected a line like .*found 'nothing'"):
        import_dataset(export(tmp_path, [PREAMBLE[0], "nothing", PREAMBLE[2]]), mapping, store, calendar)
    (tmp_path / "spx_quotedata.csv").unlink()
    (tmp_path / "spx_quotedata.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"Cannot read .*spx_quotedata\.csv\.gz"):
        import_dataset(tmp_path, mapping, store, calendar)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('expiry: "%a %b %d %Y"', 'strike: "%a"', "Expected a format of a date or time"),
        ("Last: (", "Last: ((", "Expected a regular expression as preamble"),
    ],
)
def test_a_format_is_of_a_time_and_a_preamble_a_pattern(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (config_root() / "mappings" / "cboe_quotes.yaml").read_text()
    assert old in text
    file = tmp_path / "mapping.yaml"
    file.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        load_mapping(str(file))


def test_the_contracts_of_spy_2021_sit_beside_adjusted_bars(tmp_path: Path) -> None:
    contract = {
        "underlying": ["SPY"], "underlying_last": [430.0], "optionalias": ["SPY220715P00345000"], "type": ["put"],
        "expiration": ["2022-07-15"], "quotedate": ["2022-07-12"], "strike": [345.0], "last": [1.0], "bid": [0.9],
        "ask": [1.1], "volume": [5], "openinterest": [7], "impliedvol": [0.3],
        "delta": [-0.1], "gamma": [0.01], "theta": [-0.1], "vega": [0.2],
    }  # fmt: skip
    day = {
        "symbol": ["SPY"], "date": ["2022-07-12"], "open": [431.0], "high": [432.0], "low": [429.0], "close": [430.0],
        "volume": [10], "adjClose": [401.0],
    }  # fmt: skip
    pl.DataFrame(contract).write_parquet(tmp_path / "chains.parquet")
    pl.DataFrame(day).write_parquet(tmp_path / "ohlcv.parquet")
    store = StoreWriter(tmp_path / "market")
    calendar = SessionCalendar.build("XNYS", date(2022, 7, 1), date(2022, 8, 1))
    assert import_dataset(tmp_path, load_mapping("spy_2021"), store, calendar).rows_written == 2
    now = keys(("SPY", datetime(2022, 7, 12, 20, tzinfo=UTC)))
    assert StoreSource(store.root).bars(now, 1)["adjusted_close"].item() == 401.0
    chain = StoreSource(store.root).raw_chains(now)
    assert chain.select("type", "settlement", "open_interest").row(0) == ("P", "PM", 7.0)
