"""Every row of a foreign file is stored, or refused with its reason; none is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.data.importing import ImportMapping, ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreSource, StoreWriter
from gnosis_ray.errors import NoDataError, SchemaError
from gnosis_ray.market.calendar import SessionCalendar
from tests.data.store.frames import keys

SNAPSHOT = datetime(2026, 7, 10, 21, tzinfo=UTC)
LATER = SNAPSHOT + timedelta(days=30)
CONTRACT: dict[str, Any] = {
    "snapshot_ts": SNAPSHOT,
    "underlying": "BRK-B",
    "spot": 100.0,
    "contract": "BRKB260821C00100000",
    "expiration": "2026-08-21",
    "side": "call",
    "strike": 100.0,
    "bid": 1.0,
    "ask": 1.1,
    "last": 1.0,
    "volume": 5.0,
    "open_interest": 50.0,
    "iv": 0.2,
    "delta": 0.5,
    "gamma": 0.01,
    "theta": -0.1,
    "vega": 0.3,
}
BAR: dict[str, Any] = {"symbol": "BRK-B", "date": "2026-07-10", "open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5}
BAR["volume"] = 100.0
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar.build("XNYS", date(2026, 6, 1), date(2026, 12, 31))


@pytest.fixture
def mapping() -> ImportMapping:
    return load_mapping("us_2026_07")


def _import(
    folder: Path, calendar: SessionCalendar, chains: list[dict[str, Any]], bars: list[dict[str, Any]]
) -> ImportReport:
    types = {"volume": pl.Float64}
    pl.DataFrame(chains, infer_schema_length=None).write_parquet(folder / "chains.parquet")
    pl.DataFrame(bars, infer_schema_length=None, schema_overrides=types).write_parquet(folder / "ohlcv.parquet")
    return import_dataset(folder, load_mapping("us_2026_07"), StoreWriter(folder / "market"), calendar)


def _bad(base: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    """A good row, and a bad one of another symbol."""
    name = "underlying" if "underlying" in base else "symbol"
    symbol = change.pop("symbol", "BAD")
    contract = {"contract": "BAD260821C00100000"} if name == "underlying" else {}
    return [base, {**base, name: symbol, **contract, **change}]


def test_good_rows(tmp_path: Path, calendar: SessionCalendar) -> None:
    report = _import(tmp_path, calendar, [CONTRACT], [BAR])
    assert (report.rows_read, report.rows_written, report.rows_known) == (2, 2, 0)
    assert report.refused.is_empty()
    assert report.notes.is_empty()
    source = StoreSource(tmp_path / "market")
    chain = source.raw_chains(keys(("BRK.B", LATER))).row(0, named=True)
    assert (chain["type"], chain["settlement"], chain["expiry"]) == ("C", "PM", date(2026, 8, 21))
    assert chain["known_at"] == chain["event_time"] == SNAPSHOT
    bar = source.bars(keys(("BRK.B", LATER)), 5).row(0, named=True)
    assert bar["timestamp"] == bar["known_at"] == datetime(2026, 7, 10, 20, tzinfo=UTC)


def test_early_close_is_the_known_at(tmp_path: Path, calendar: SessionCalendar) -> None:
    _import(tmp_path, calendar, [CONTRACT], [{**BAR, "date": "2026-11-27"}])
    bars = StoreSource(tmp_path / "market").bars(keys(("BRK.B", datetime(2026, 12, 1, tzinfo=UTC))), 5)
    assert bars["known_at"].to_list() == [datetime(2026, 11, 27, 18, tzinfo=UTC)]


def test_settlement_by_root(tmp_path: Path, calendar: SessionCalendar) -> None:
    roots = {"SPX": "AM", "SPXW": "PM"}
    rows = [{**CONTRACT, "underlying": "SPX", "contract": f"{root}260821C00100000"} for root in roots]
    assert _import(tmp_path, calendar, rows, [BAR]).refused.is_empty()
    chain = StoreSource(tmp_path / "market").raw_chains(keys(("SPX", LATER)))
    assert chain["settlement"].to_list() == ["AM", "PM"]


CHAIN_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"symbol": None}, "symbol", "no symbol or an impossible one"),
    ({"symbol": "../x"}, "symbol", "no symbol or an impossible one"),
    ({"snapshot_ts": None}, "event_time", "unreadable time"),
    ({"expiration": "2026-13-45"}, "expiry", "unreadable date"),
    ({"expiration": "2026-07-09"}, "expiry", "expired before the snapshot"),
    ({"expiration": "2026-07-10"}, "expiry", "expired before the snapshot"),
    ({"expiration": "2001-01-19"}, "expiry", "expired before the snapshot"),
    ({"strike": 0.0}, "strike", "not positive"),
    ({"strike": -5.0}, "strike", "not positive"),
    ({"strike": NAN}, "strike", "not a number"),
    ({"strike": None}, "strike", "not a number"),
    ({"side": "straddle"}, "type", "unknown side"),
    ({"side": None}, "type", "unknown side"),
    ({"spot": 0.0}, "underlying_price", "not positive"),
    ({"spot": INF}, "underlying_price", "not a number"),
    ({"contract": "BAD1260821C00100000"}, "settlement", "adjusted contract: the root is not the symbol's"),
]


@pytest.mark.parametrize(("change", "column", "reason"), CHAIN_FAULTS)
def test_bad_contracts_are_refused(
    tmp_path: Path, calendar: SessionCalendar, change: dict[str, Any], column: str, reason: str
) -> None:
    report = _import(tmp_path, calendar, _bad(CONTRACT, **change), [BAR])
    assert report.refused.select("table", "column", "reason", "rows").rows() == [("chains.parquet", column, reason, 1)]
    assert report.refused["symbol"].to_list() == [change.get("symbol", "BAD")]
    assert report.refused["example"].item().endswith("in chains.parquet, row 2")
    assert report.rows_written == 2


BAR_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"symbol": None}, "symbol", "no symbol or an impossible one"),
    ({"date": "yesterday"}, "timestamp", "unreadable time"),
    ({"date": "2026-07-11"}, "timestamp", "no session on that date"),
    ({"date": "2026-07-03"}, "timestamp", "no session on that date"),
    ({"open": NAN}, "open", "not a number"),
    ({"close": INF}, "close", "not a number"),
    ({"low": 0.0}, "low", "not positive"),
    ({"close": -1.0}, "close", "not positive"),
    ({"high": 8.0}, "high", "high below low"),
    ({"volume": -1.0}, "volume", "negative"),
]


@pytest.mark.parametrize(("change", "column", "reason"), BAR_FAULTS)
def test_bad_bars_are_refused(
    tmp_path: Path, calendar: SessionCalendar, change: dict[str, Any], column: str, reason: str
) -> None:
    report = _import(tmp_path, calendar, [CONTRACT], _bad(BAR, **change))
    assert report.refused.select("table", "column", "reason", "rows").rows() == [("ohlcv.parquet", column, reason, 1)]
    assert report.rows_written == 2


@pytest.mark.parametrize(
    ("change", "column", "reason", "stored"),
    [
        ({"bid": -1.0}, "bid", "negative", {"bid": None}),
        ({"ask": NAN}, "ask", "not a number", {"ask": None}),
        ({"last": INF}, "last", "not a number", {"last": None}),
        ({"open_interest": -3.0}, "open_interest", "negative", {"open_interest": None}),
        ({"iv": NAN}, "vendor_iv", "not a number", {"vendor_iv": None}),
        ({"bid": 2.0}, "ask", "crossed: ask below bid", {"bid": 2.0, "ask": 1.1}),
    ],
)
def test_repaired_contracts_are_noted(
    tmp_path: Path,
    calendar: SessionCalendar,
    change: dict[str, Any],
    column: str,
    reason: str,
    stored: dict[str, float | None],
) -> None:
    report = _import(tmp_path, calendar, _bad(CONTRACT, **change), [BAR])
    assert report.refused.is_empty()
    assert report.notes.select("symbol", "column", "reason", "rows").rows() == [("BAD", column, reason, 1)]
    row = StoreSource(tmp_path / "market").raw_chains(keys(("BAD", LATER))).row(0, named=True)
    assert {name: row[name] for name in stored} == stored


def test_bars_are_noted(tmp_path: Path, calendar: SessionCalendar) -> None:
    report = _import(tmp_path, calendar, [CONTRACT], [{**BAR, "close": 12.0, "volume": NAN}])
    assert set(report.notes["reason"]) == {"outside low to high", "not a number"}
    assert StoreSource(tmp_path / "market").bars(keys(("BRK.B", LATER)), 1)["volume"].to_list() == [None]


def test_duplicates(tmp_path: Path, calendar: SessionCalendar) -> None:
    report = _import(tmp_path, calendar, [CONTRACT, {**CONTRACT, "bid": 9.0}, CONTRACT], [BAR, BAR])
    assert report.refused.select("table", "reason", "rows").rows() == [
        ("chains.parquet", "contradicted by a later row", 1),
        ("chains.parquet", "duplicate of another row", 1),
        ("ohlcv.parquet", "duplicate of another row", 1),
    ]
    assert report.summary()["example"][0] == f"{report.refused['symbol'][0]}: {report.refused['example'][0]}"
    assert StoreSource(tmp_path / "market").raw_chains(keys(("BRK.B", LATER)))["bid"].to_list() == [1.0]


def test_naive_times_are_read_as_utc_and_noted(tmp_path: Path, calendar: SessionCalendar) -> None:
    for number, naive in enumerate((SNAPSHOT.replace(tzinfo=None), "2026-07-10 21:00:00")):
        folder = tmp_path / str(number)
        folder.mkdir()
        report = _import(folder, calendar, [{**CONTRACT, "snapshot_ts": naive}], [BAR])
        assert report.notes["reason"].to_list() == ["naive time read as UTC"]
        assert StoreSource(folder / "market").raw_chains(keys(("BRK.B", LATER)))["event_time"].to_list() == [SNAPSHOT]


def test_offsets_in_text_are_honoured(tmp_path: Path, calendar: SessionCalendar) -> None:
    report = _import(tmp_path, calendar, [{**CONTRACT, "snapshot_ts": "2026-07-10T17:00:00-04:00"}], [BAR])
    assert report.notes.is_empty()
    assert StoreSource(tmp_path / "market").raw_chains(keys(("BRK.B", LATER)))["event_time"].to_list() == [SNAPSHOT]


def test_every_row_is_accounted_for(tmp_path: Path, calendar: SessionCalendar) -> None:
    chains = [CONTRACT, *(_bad(CONTRACT, **change)[1] for change, _, _ in CHAIN_FAULTS)]
    bars = [BAR, *(_bad(BAR, **change)[1] for change, _, _ in BAR_FAULTS)]
    for row in chains:
        row["spot"] = float(row["spot"])
    report = _import(tmp_path, calendar, chains, bars)
    assert report.rows_written == 2
    assert report.rows_read == report.rows_written + report.refused["rows"].sum()
    assert report.summary()["rows"].sum() == sum([*report.refused["rows"], *report.notes["rows"]])


def test_again_changes_nothing(tmp_path: Path, calendar: SessionCalendar) -> None:
    _import(tmp_path, calendar, [CONTRACT], [BAR])
    before = sorted((tmp_path / "market").rglob("*"))
    report = _import(tmp_path, calendar, [CONTRACT], [BAR])
    assert (report.rows_written, report.rows_known) == (0, 2)
    assert sorted((tmp_path / "market").rglob("*")) == before


def test_files_and_columns_are_named(tmp_path: Path, calendar: SessionCalendar, mapping: ImportMapping) -> None:
    store = StoreWriter(tmp_path / "market")
    with pytest.raises(NoDataError, match=r"Expected a file chains.parquet"):
        import_dataset(tmp_path, mapping, store, calendar)
    source = pl.DataFrame([CONTRACT])
    source.drop("strike").write_parquet(tmp_path / "chains.parquet")
    with pytest.raises(SchemaError, match=r"chains.parquet, column strike: Expected the source, found no such column"):
        import_dataset(tmp_path, mapping, store, calendar)
    source.with_columns(strike=pl.lit(date(2026, 7, 10))).write_parquet(tmp_path / "chains.parquet")
    with pytest.raises(SchemaError, match=r"chains.parquet, column strike: Expected numbers, found dates or times"):
        import_dataset(tmp_path, mapping, store, calendar)
    assert not list(tmp_path.rglob("part-*"))


def test_progress(tmp_path: Path, calendar: SessionCalendar, mapping: ImportMapping) -> None:
    _import(tmp_path, calendar, [CONTRACT], [BAR])
    steps: list[tuple[str, int, int]] = []
    import_dataset(tmp_path, mapping, StoreWriter(tmp_path / "other"), calendar, lambda *step: steps.append(step))
    assert steps == [
        ("chains.parquet", 0, 2),
        ("chains.parquet", 1, 2),
        ("ohlcv.parquet", 1, 2),
        ("ohlcv.parquet", 2, 2),
    ]


def test_csv_trades_quotes_and_news(tmp_path: Path, calendar: SessionCalendar) -> None:
    """The other kinds, from text files, through a mapping of one's own."""
    (tmp_path / "t.csv").write_text(
        "s,t,p,n,side\naapl,2026-07-10T14:00:00Z,10,5,buy\naapl,2026-07-10T14:00:00Z,10,5,x\n"
    )
    (tmp_path / "q.csv").write_text("s,t,b,a\naapl,2026-07-10T14:00:00Z,10.2,10.1\naapl,,1,2\n")
    (tmp_path / "n.csv").write_text('s,t,h\naapl,2026-07-10T14:00:00Z,"Beats, again"\naapl,2026-07-10T14:00:00Z,\n')
    event = {"symbol": "s", "timestamp": "t"}
    tables = [
        {"file": "t.csv", "kind": "trades", "columns": {**event, "price": "p", "size": "n", "side": "side"}},
        {"file": "q.csv", "kind": "quotes", "columns": {**event, "bid": "b", "ask": "a"}}
        | {"constants": {"bid_size": None, "ask_size": None}},
        {"file": "n.csv", "kind": "news", "columns": {**event, "headline": "h"}}
        | {"constants": {"body": None, "source": "wire"}},
    ]
    mapping = ImportMapping.model_validate(
        {"name": "mine", "about": "text", "tables": [{**table, "known_at": "event"} for table in tables]}
    )
    report = import_dataset(tmp_path, mapping, StoreWriter(tmp_path / "market"), calendar)
    assert report.refused.select("table", "reason").rows() == [("q.csv", "unreadable time"), ("n.csv", "no headline")]
    assert report.notes.select("table", "reason").rows() == [
        ("t.csv", "unknown side"),
        ("q.csv", "crossed: ask below bid"),
    ]
    source, now = StoreSource(tmp_path / "market"), keys(("AAPL", datetime(2026, 7, 10, 15, tzinfo=UTC)))
    assert sorted(source.trades(now, 90)["side"].to_list(), key=str) == [None, "buy"]
    assert source.quotes(now, 90)["bid"].to_list() == [10.2]
    assert source.news(now, 2)["headline"].to_list() == ["Beats, again"]


def test_a_mapping_may_leave_the_adjusted_close_out_or_fill_it(folder_of_bars: Path, calendar: SessionCalendar) -> None:
    for name, expected in (("us_2026_07", [None] * 3), ("sp500_2018_2021", [5.25, None, None])):
        bars = next(table for table in load_mapping(name).tables if table.kind == "bars")
        mapping = ImportMapping(name=name, about="bars alone", tables=(bars,))
        store = StoreWriter(folder_of_bars / name)
        report = import_dataset(folder_of_bars, mapping, store, calendar)
        found = StoreSource(store.root).bars(keys(("BRK.B", LATER)), 5)
        assert found["adjusted_close"].to_list() == expected
        assert found["close"].to_list() == [10.5] * 3
        reasons = report.notes.filter(column="adjusted_close").select("reason", "rows").rows()
        assert reasons == ([] if name == "us_2026_07" else [("not a number", 1), ("not positive", 1)])


@pytest.fixture
def folder_of_bars(tmp_path: Path) -> Path:
    """Three bars with an adjusted close that can be, and two that cannot."""
    days = [datetime(2026, 7, day) for day in (8, 9, 10)]  # noqa: DTZ001 - a date stands for its session
    rows = [
        BAR | {"date": str(day.date()), "timestamp": day, "adjusted_close": told}
        for day, told in zip(days, (5.25, NAN, 0.0), strict=True)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "ohlcv.parquet")
    return tmp_path
