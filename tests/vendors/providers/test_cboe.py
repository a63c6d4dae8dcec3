"""Cboe's delayed quotes: a true answer whole, contracts of any kind, and what is not as it should be."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnosis_ray.config import Config
from gnosis_ray.data.chains import ChainLoader
from gnosis_ray.errors import ConfigError, GnosisError, NoDataError, ProviderError, SchemaError
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import DATASETS, conform
from gnosis_ray.vendors.providers.base import Provider
from gnosis_ray.vendors.providers.cboe import DELAY, CboeProvider
from tests.data.chains.books import CALENDAR
from tests.vendors.providers.counting_transport import CountingTransport
from tests.vendors.providers.mock_transports import NOON, SETTINGS, always, answering, request, said

MADE = datetime(2026, 7, 9, 15, 59, 30, tzinfo=UTC)
DENIED = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'


def option(code: str, **figures: Any) -> dict[str, Any]:
    known = {"bid": 1.0, "ask": 1.1, "iv": 0.25, "open_interest": 10.0, "volume": 5.0, "last_trade_price": 1.05}
    greeks = {"delta": 0.5, "gamma": 0.02, "theta": -0.1, "vega": 0.3, "rho": 0.05}
    return {"option": code, **known, **greeks, "theo": 1.04, "last_trade_time": None, **figures}


def answer(*options: dict[str, Any], symbol: str = "AAPL", **changed: Any) -> dict[str, Any]:
    data = {"symbol": symbol, "current_price": 200.5, "iv30": 21.0, "options": list(options)}
    return {"timestamp": "2026-07-09 15:59:30", "data": data, "symbol": symbol, **changed}


def fetched(body: Any, symbol: str = "AAPL", **more: Any) -> pl.DataFrame:
    provider = CboeProvider(SETTINGS, CountingTransport(), http_transport=always(body, **more))
    return provider.fetch(request("chains", symbol))


def test_a_chain_has_the_columns_of_the_store() -> None:
    rows = fetched(answer(option("AAPL260717P00150500"), option("AAPL260717C00150000", bid=0.0)))
    whole = conform(DATASETS["chains"], rows.with_columns(known_at=pl.lit(NOON, dtype=UTC_TIME)), "cboe")
    assert whole.height == 2
    assert rows.row(0, named=True) == {
        "symbol": "AAPL",
        "event_time": MADE - DELAY,
        "underlying_price": 200.5,
        "expiry": date(2026, 7, 17),
        "strike": 150.0,
        "type": "C",
        "settlement": "PM",
        "bid": 0.0,
        "ask": 1.1,
        "last": 1.05,
        "volume": 5.0,
        "open_interest": 10.0,
        "vendor_iv": 0.25,
        "vendor_delta": 0.5,
        "vendor_gamma": 0.02,
        "vendor_theta": -0.1,
        "vendor_vega": 0.3,
    }


def test_one_request_asks_for_one_symbol_as_the_vendor_spells_it() -> None:
    seen: list[str] = []

    def answering_all(asked: httpx.Request) -> httpx.Response:
        seen.append(str(asked.url))
        return said(answer(symbol=asked.url.path.rpartition("/")[2].removesuffix(".json")))

    transport = CountingTransport()
    provider: Provider = CboeProvider(SETTINGS, transport, http_transport=answering(answering_all))
    for symbol in ("AAPL", "BRK.B", "SPX", "VIX", "SPY"):
        assert provider.fetch(request("chains", symbol)).is_empty()
    base = f"{SETTINGS.base_url}/api/global/delayed_quotes/options"
    assert seen == [f"{base}/{name}.json" for name in ("AAPL", "BRK.B", "_SPX", "_VIX", "SPY")]
    assert transport.calls == 5


def test_zero_is_nothing_where_cboe_writes_it_for_what_is_not_there() -> None:
    row = fetched(
        answer(option("AAPL260717C00150000", iv=0.0, last_trade_price=0.0, bid=0.0, volume=0.0, open_interest=0.0))
    ).row(0, named=True)
    assert (row["vendor_iv"], row["last"]) == (None, None)
    assert (row["bid"], row["volume"], row["open_interest"]) == (0.0, 0.0, 0.0)  # true zeros


def test_greeks_are_nothing_only_where_all_of_them_and_the_volatility_are() -> None:
    none = dict.fromkeys(("delta", "gamma", "theta", "vega"), 0.0)
    found = fetched(
        answer(
            option("AAPL260717C00150000", **none, iv=0.0),
            option("AAPL260717C00155000", **none),  # hopeless: its delta is truly nil
            option("AAPL260717C00160000", **{**none, "delta": 1.0}, iv=0.0),
        )
    )
    assert found["vendor_delta"].to_list() == [None, 0.0, 1.0]


@given(
    root=st.sampled_from(["AAPL", "F", "GOOGL"]),
    contracts=st.lists(
        st.tuples(st.dates(date(2026, 1, 1), date(2035, 12, 31)), st.sampled_from("CP"), st.integers(1, 99_999_999)),
        min_size=1,
        max_size=20,
        unique=True,
    ),
)
@settings(max_examples=40, deadline=None)
def test_option_codes_come_back_as_the_contracts_that_they_name(
    root: str, contracts: list[tuple[date, str, int]]
) -> None:
    codes = [f"{root}{expiry:%y%m%d}{side}{thousandths:08d}" for expiry, side, thousandths in contracts]
    rows = fetched(answer(*map(option, codes), symbol=root), root)
    back = rows.select("expiry", "type", "strike").rows()
    assert back == sorted(((e, s, k / 1000) for e, s, k in contracts), key=lambda c: (c[0], c[2], c[1]))


def test_settlement_follows_the_root() -> None:
    codes = ["RUT260717C02000000", "RUTW260717C02000000"]
    rows = fetched(answer(*map(option, codes), symbol="_RUT"), "RUT")
    assert rows["settlement"].to_list() == ["AM", "PM"]


def test_contracts_that_deliver_something_else_are_left_out() -> None:
    rows = fetched(answer(option("AAPL260717C00150000"), option("AAPL1260717C00150000")))
    assert rows.height == 1


def test_a_class_share_is_listed_without_its_dot() -> None:
    rows = fetched(answer(option("BRKB260717C00500000"), symbol="BRK.B"), "BRK.B")
    assert rows["symbol"].to_list() == ["BRK.B"]


def test_a_halted_symbol_keeps_its_rows_without_a_price(config: Config) -> None:
    body = answer(option("AAPL260717C00150000", bid=0.0, ask=0.0))
    body["data"]["current_price"] = 0.0
    rows = fetched(body)
    assert rows["underlying_price"].to_list() == [None]
    asked = rows.with_columns(known_at=pl.lit(NOON, dtype=UTC_TIME), timestamp=pl.lit(NOON, dtype=UTC_TIME))
    loaded = ChainLoader(CALENDAR, config.market).load_with_report(asked)
    assert loaded.chain.is_empty()
    assert "bad_underlying" in loaded.report["reason"].to_list()


def test_what_is_new_is_ignored_at_every_level() -> None:
    body = answer(option("AAPL260717C00150000", borrow=0.01), source="new")
    body["data"]["sector"] = {"new": True}
    assert fetched(body).height == 1


def test_no_options_are_no_rows() -> None:
    rows = fetched(answer())
    assert rows.is_empty()
    assert rows.schema == fetched(answer(option("AAPL260717C00150000"))).schema


@pytest.mark.parametrize("name", ["option", "bid", "ask", "iv", "open_interest", "volume", "last_trade_price"])
def test_a_field_that_is_gone_is_named(name: str) -> None:
    body = answer(*(option(f"AAPL260717C0015{i}000") for i in range(3)))
    del body["data"]["options"][1][name]
    with pytest.raises(SchemaError, match=rf"data\.options\.1\.{name}"):
        fetched(body)


@pytest.mark.parametrize("path", ["timestamp", "symbol", "data", "data.current_price", "data.options"])
def test_a_part_that_is_gone_is_named(path: str) -> None:
    body = answer(option("AAPL260717C00150000"))
    place: dict[str, Any] = body
    *above, last = path.split(".")
    for step in above:
        place = place[step]
    del place[last]
    with pytest.raises(SchemaError, match=path):
        fetched(body)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"bid": "1.0"}, "bid"),
        ({"open_interest": [1]}, "open_interest"),
        ({"option": 7}, "option"),
        ({"volume": True}, "volume"),
    ],
)
def test_a_figure_of_another_type_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(SchemaError, match=rf"options\.0\.{field}"):
        fetched(answer(option("AAPL260717C00150000") | change))


def test_a_number_beyond_numbers_is_named() -> None:
    text = json.dumps(answer(option("AAPL260717C00150000", bid=123.25))).replace("123.25", "1e999")
    with pytest.raises(SchemaError, match=r"options\.0\.bid"):
        fetched(text)


@pytest.mark.parametrize("text", ["", "2026-07-09T15:59:30", "2026-07-09 15:59", "2026-02-30 10:00:00", "now"])
def test_a_time_in_another_format_is_named(text: str) -> None:
    with pytest.raises(SchemaError, match="timestamp"):
        fetched(answer(option("AAPL260717C00150000"), timestamp=text))


def test_an_answer_about_another_symbol_is_refused() -> None:
    with pytest.raises(SchemaError, match="Expected AAPL, found 'MSFT'"):
        fetched(answer(option("MSFT260717C00150000"), symbol="MSFT"))


def test_codes_in_another_format_are_refused() -> None:
    with pytest.raises(SchemaError, match="option symbols"):
        fetched(answer(option("AAPL 2026-07-17 150 CALL")))


def test_an_unknown_symbol_is_told_from_a_blocked_client() -> None:
    with pytest.raises(NoDataError, match="lists no options"):
        fetched(DENIED, status=403, headers={"Content-Type": "application/xml"})
    with pytest.raises(ProviderError, match="403"):
        fetched("<html>Sorry, you have been blocked</html>", status=403, headers={"Content-Type": "text/html"})
    with pytest.raises(NoDataError):
        fetched("", status=404)


@pytest.mark.parametrize("kind", ["bars", "news"])
def test_what_it_does_not_give_is_not_asked(kind: Any) -> None:
    transport = CountingTransport()
    with pytest.raises(ConfigError, match="chains"):
        CboeProvider(SETTINGS, transport, http_transport=always({})).fetch(request(kind, "AAPL"))
    with pytest.raises(GnosisError, match="pairs"):
        CboeProvider(SETTINGS, transport, http_transport=always({})).fetch(request("chains", "BTC-USD"))
    assert transport.calls == 0


@pytest.fixture(scope="module")
def true_answer(realdata: Path) -> bytes:
    return gzip.decompress((realdata / "wire" / "cboe" / "_RUT.json.gz").read_bytes())


@pytest.mark.realdata
def test_a_true_answer_is_read_whole(true_answer: bytes) -> None:
    rows = fetched(true_answer, "RUT")
    assert rows.height == 6680
    assert rows["settlement"].value_counts().sort("settlement").rows() == [("AM", 1472), ("PM", 5208)]
    assert rows["event_time"].unique().to_list() == [datetime(2023, 9, 21, 3, 17, 42, tzinfo=UTC) - DELAY]
    assert rows["underlying_price"].unique().to_list() == [1806.1193]
    assert rows["expiry"].n_unique() == 26
    assert rows.select(pl.col("open_interest").sum(), pl.col("volume").sum()).row(0) == _totals(true_answer)
    third_fridays = rows.filter(pl.col("settlement") == "AM")["expiry"].unique()
    assert set(third_fridays.dt.weekday()) == {5}
    assert third_fridays.dt.day().is_between(15, 21).all()


def _totals(body: bytes) -> tuple[float, float]:
    options = json.loads(body)["data"]["options"]
    return sum(o["open_interest"] for o in options), sum(o["volume"] for o in options)


@pytest.mark.realdata
def test_a_true_answer_tells_its_time_in_utc(true_answer: bytes) -> None:
    """Options that died on the 20th are still listed: it is the evening of that day in New York, not the next night."""
    rows = fetched(true_answer, "RUT")
    made = rows["event_time"][0] + DELAY
    assert rows["expiry"].min() == date(2023, 9, 20)
    assert made.astimezone(UTC) - timedelta(hours=4) == datetime(2023, 9, 20, 23, 17, 42, tzinfo=UTC)


@pytest.mark.realdata
def test_our_volatilities_and_deltas_are_those_of_cboe(true_answer: bytes, config: Config) -> None:
    as_of = datetime(2023, 9, 21, 4, 0, tzinfo=UTC)
    raw = fetched(true_answer, "RUT").with_columns(
        known_at=pl.lit(as_of, dtype=UTC_TIME), timestamp=pl.lit(as_of, dtype=UTC_TIME)
    )
    calendar = SessionCalendar.build("XNYS", date(2023, 9, 1), date(2026, 1, 31))
    ours = ChainLoader(calendar, config.market).load(raw)
    pairs = _beside(ours, true_answer).filter(pl.col("iv").is_not_null(), pl.col("iv_theirs") > 0)
    apart = pairs.select(
        (pl.col("iv") - pl.col("iv_theirs")).abs().alias("iv"),
        (pl.col("delta") - pl.col("delta_theirs")).abs().alias("delta"),
    )
    assert pairs.height > 4000
    assert apart["iv"].median() < 0.002  # type: ignore[operator]
    assert apart["iv"].quantile(0.95) < 0.02  # type: ignore[operator]
    assert apart["delta"].median() < 0.005  # type: ignore[operator]
    gamma = pairs.filter(pl.col("gamma_theirs") >= 0.001)  # they give four digits
    assert gamma.select((pl.col("gamma") / pl.col("gamma_theirs") - 1).abs().median()).item() < 0.03


def _beside(ours: pl.DataFrame, body: bytes) -> pl.DataFrame:
    """Our chain beside Cboe's own figures."""
    theirs = pl.DataFrame(
        [{name: o[name] for name in ("option", "iv", "delta", "gamma")} for o in json.loads(body)["data"]["options"]]
    ).select(
        ("20" + pl.col("option").str.slice(-15, 6)).str.to_date("%Y%m%d").alias("expiry"),
        (pl.col("option").str.slice(-8).cast(pl.Int64) * 0.001).round(3).alias("strike"),
        pl.col("option").str.slice(-9, 1).alias("type"),
        pl.when(pl.col("option").str.head(-15) == "RUT").then(pl.lit("AM")).otherwise(pl.lit("PM")).alias("settlement"),
        *(pl.col(name).alias(f"{name}_theirs") for name in ("iv", "delta", "gamma")),
    )
    return ours.join(theirs, on=["expiry", "strike", "type", "settlement"], how="inner", validate="1:1")
