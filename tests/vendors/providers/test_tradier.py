"""Tradier: a true chain, the documented formats of the rest, its way of writing lists, and what goes wrong."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from gnosis_ray.errors import ConfigError, GnosisError, NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.columns import UTC_TIME
from gnosis_ray.market.datasets import DATASETS, VENDOR_GREEKS, conform
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.security.keys import Key
from gnosis_ray.vendors.providers.base import Provider, ProviderRequest
from gnosis_ray.vendors.providers.tradier import TradierProvider
from tests.vendors.providers.counting_transport import CountingTransport
from tests.vendors.providers.mock_transports import NOON, SETTINGS, always, answering, request, said

TOKEN = "tr4dier-t0ken-51c2"  # noqa: S105 - made up
NOON_MS = int(NOON.timestamp() * 1000)

QUOTES, EXPIRATIONS = "/v1/markets/quotes", "/v1/markets/options/expirations"
CHAINS, HISTORY, TICKS = "/v1/markets/options/chains", "/v1/markets/history", "/v1/markets/timesales"

Told = Mapping[str, Callable[[httpx.QueryParams], Any]]


def option(code: str = "AAPL260717C00150000", **changed: Any) -> dict[str, Any]:
    known = {"symbol": code, "bid": 1.0, "ask": 1.1, "last": 1.05, "volume": 6, "open_interest": 115}
    dates = {"bid_date": NOON_MS - 1000, "ask_date": NOON_MS - 500, "trade_date": NOON_MS - 60_000}
    greeks = {"delta": 0.5, "mid_iv": 0.31, "smv_vol": 0.3, "updated_at": "2026-07-09 15:00:00"}
    return {**known, **dates, "greeks": greeks, "contract_size": 100, "root_symbol": "AAPL", **changed}


def quote(symbol: str = "AAPL", **changed: Any) -> dict[str, Any]:
    figures = {"last": 200.5, "close": None, "bid": 200.4, "ask": 200.6, "prevclose": 199.0}
    dates = {"bid_date": NOON_MS - 2000, "ask_date": NOON_MS - 3000, "trade_date": NOON_MS - 4000}
    return {"symbol": symbol, "type": "stock", **figures, **dates, **changed}


def day(when: str, close: Any = 10.5, **changed: Any) -> dict[str, Any]:
    return {"date": when, "open": 10.0, "high": 11.0, "low": 9.5, "close": close, "volume": 1000, **changed}


def chain_told(expirations: Any, options: Any, quotes: Any = None) -> Told:
    return {
        QUOTES: lambda _: {"quotes": {"quote": quote()} if quotes is None else quotes},
        EXPIRATIONS: lambda _: {"expirations": expirations},
        CHAINS: lambda asked: {"options": options(asked["expiration"]) if callable(options) else options},
    }


def tradier(
    told: Told, transport: CountingTransport | None = None, seen: list[httpx.Request] | None = None
) -> Provider:
    def answer(asked: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(asked)
        return said(told[asked.url.path](asked.url.params))

    return TradierProvider(SETTINGS, transport or CountingTransport(), Key(TOKEN), http_transport=answering(answer))


def chain(told: Told, symbol: str = "AAPL") -> pl.DataFrame:
    return tradier(told).fetch(request("chains", symbol))


def stored(kind: DataKind, rows: pl.DataFrame) -> pl.DataFrame:
    return conform(DATASETS[kind], rows.with_columns(known_at=pl.lit(NOON, dtype=UTC_TIME)), "tradier")


def test_a_chain_takes_a_request_an_expiry_and_the_token() -> None:
    seen: list[httpx.Request] = []
    transport = CountingTransport()
    codes = {"2026-07-17": "AAPL260717C00150000", "2026-08-21": "AAPL260821P00150000"}
    told = chain_told({"date": list(codes)}, lambda expiry: {"option": [option(codes[expiry])]})
    rows = tradier(told, transport, seen).fetch(request("chains", "AAPL"))

    assert stored("chains", rows).height == 2
    assert transport.calls == 4
    assert [asked.url.path for asked in seen] == [QUOTES, EXPIRATIONS, CHAINS, CHAINS]
    assert {asked.headers["Authorization"] for asked in seen} == {f"Bearer {TOKEN}"}
    assert all(TOKEN not in str(asked.url) for asked in seen)
    assert dict(seen[3].url.params) == {"symbol": "AAPL", "expiration": "2026-08-21", "greeks": "true"}
    assert seen[1].url.params["includeAllRoots"] == "true"
    assert rows.row(0, named=True) == {
        "symbol": "AAPL",
        "event_time": NOON - timedelta(milliseconds=500),
        "underlying_price": 200.5,
        "expiry": date(2026, 7, 17),
        "strike": 150.0,
        "type": "C",
        "settlement": "PM",
        "bid": 1.0,
        "ask": 1.1,
        "last": 1.05,
        "volume": 6.0,
        "open_interest": 115.0,
        "vendor_iv": 0.31,
        "vendor_delta": 0.5,
        "vendor_gamma": None,
        "vendor_theta": None,
        "vendor_vega": None,
    }


def test_one_element_is_no_list_and_none_is_null() -> None:
    one = chain(chain_told({"date": "2026-07-17"}, {"option": option()}))
    assert one.height == 1
    many = chain(chain_told({"date": ["2026-07-17"]}, {"option": [option()]}, {"quote": [quote()]}))
    assert many.equals(one)


@pytest.mark.parametrize(
    ("expirations", "options"),
    [
        (None, None),
        ("null", None),
        ({"date": None}, None),
        ({"date": []}, None),
        ({"date": "2026-07-17"}, None),
        ({"date": "2026-07-17"}, "null"),
        ({"date": "2026-07-17"}, {"option": None}),
        ({"date": "2026-07-17"}, {"option": []}),
    ],
)
def test_no_options_are_no_rows(expirations: Any, options: Any) -> None:
    assert chain(chain_told(expirations, options)).is_empty()


@pytest.mark.parametrize(
    "quotes",
    [
        {"unmatched_symbols": {"symbol": "AAPL"}},
        {"quote": quote("MSFT")},
        "null",
    ],
)
def test_an_unknown_symbol_is_told_after_one_request(quotes: Any) -> None:
    transport = CountingTransport()
    with pytest.raises(NoDataError):
        tradier(chain_told(None, None, quotes), transport).fetch(request("chains", "AAPL"))
    assert transport.calls == 1


def test_a_share_class_has_a_slash_and_options_no_mark() -> None:
    seen: list[httpx.Request] = []
    told = chain_told({"date": "2026-07-17"}, {"option": option("BRKB260717C00500000")}, {"quote": quote("BRK/B")})
    rows = tradier(told, seen=seen).fetch(request("chains", "BRK.B"))
    assert rows["symbol"].to_list() == ["BRK.B"]
    assert {asked.url.params.get("symbol", asked.url.params.get("symbols")) for asked in seen} == {"BRK/B"}


def test_the_price_beside_a_chain_is_the_close_once_there_is_one() -> None:
    def price(**changed: Any) -> float | None:
        told = chain_told({"date": "2026-07-17"}, {"option": option()}, {"quote": quote(**changed)})
        found: float | None = chain(told)["underlying_price"][0]
        return found

    assert price(last=203.0, close=200.0) == 200.0  # traded after hours, when no option is
    assert price(last=203.0) == 203.0
    assert price(last=0.0) is None
    assert price(last=None) is None


def test_contracts_of_another_size_and_adjusted_ones_are_left_out() -> None:
    options = [option(), option("AAPL1260717C00150000"), option("AAPL260717P00150000", contract_size=10)]
    assert chain(chain_told({"date": "2026-07-17"}, {"option": options})).height == 1


def test_what_was_never_quoted_or_traded_is_unknown() -> None:
    silent = option(bid=0, ask=0, last=None, volume=0, bid_date=0, ask_date=0, trade_date=0, greeks=None)
    row = chain(chain_told({"date": "2026-07-17"}, {"option": silent})).row(0, named=True)
    assert (row["bid"], row["ask"], row["last"], row["vendor_iv"]) == (0.0, 0.0, None, None)
    assert row["event_time"] == NOON - timedelta(seconds=2)  # the underlying's latest


def test_a_chain_that_says_nothing_of_its_time_is_refused() -> None:
    timeless: dict[str, Any] = dict.fromkeys(("bid_date", "ask_date", "trade_date"), 0)
    told = chain_told({"date": "2026-07-17"}, {"option": option(**timeless)}, {"quote": quote(**timeless)})
    with pytest.raises(ProviderError, match="when its quotes were made"):
        chain(told)


@pytest.mark.parametrize("name", ["symbol", "bid", "ask", "last", "volume", "open_interest", "bid_date", "trade_date"])
def test_a_field_that_is_gone_is_named(name: str) -> None:
    lacking = option()
    del lacking[name]
    with pytest.raises(SchemaError, match=rf"2026-07-17, field options\.option\.1\.{name}"):
        chain(chain_told({"date": "2026-07-17"}, {"option": [option(), lacking]}))


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("chains", QUOTES, {}),
        ("chains", QUOTES, {"fault": {"faultstring": "error"}}),
        ("chains", EXPIRATIONS, {"expirations": {}}),
        ("chains", CHAINS, {"options": {"options": []}}),
        ("chains", CHAINS, {"options": {"option": {"bid": "1.0"}}}),
        ("bars", HISTORY, {"history": {"days": []}}),
        ("bars", HISTORY, {"history": {"day": [day("2026-07-08", "10.5")]}}),
        ("trades", TICKS, {"series": {"data": {"time": "2026-07-09T10:00:00"}}}),
    ],
)
def test_another_shape_is_refused(kind: DataKind, path: str, body: Any) -> None:
    told = {**chain_told({"date": "2026-07-17"}, {"option": option()}), path: lambda _: body}
    with pytest.raises(SchemaError):
        tradier(told).fetch(request(kind, "AAPL", NOON - timedelta(minutes=30)))


def bars(days: Any, since: datetime, until: datetime, seen: list[httpx.Request] | None = None) -> pl.DataFrame:
    told: Told = {HISTORY: lambda _: {"history": {"day": days} if days is not None else None}}
    return tradier(told, seen=seen).fetch(ProviderRequest("bars", "AAPL", since, until))


MONDAY = datetime(2026, 7, 6, tzinfo=UTC)


def test_bars_are_stamped_with_the_close_of_their_session() -> None:
    days = [day("2026-07-06", 10.0), day("2026-07-07"), day("2026-07-08")]
    rows = bars(days, MONDAY, NOON)
    assert stored("bars", rows).height == 3
    assert rows["timestamp"].to_list() == [datetime(2026, 7, d, 20, 0, tzinfo=UTC) for d in (6, 7, 8)]
    assert rows["close"].to_list() == [10.0, 10.5, 10.5]
    assert rows["adjusted_close"].to_list() == [None] * 3


def test_an_early_close_and_winter_time_are_the_exchanges() -> None:
    rows = bars([day("2025-11-26"), day("2025-11-28")], datetime(2025, 11, 24, tzinfo=UTC), NOON)
    assert rows["timestamp"].to_list() == [
        datetime(2025, 11, 26, 21, 0, tzinfo=UTC),
        datetime(2025, 11, 28, 18, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("until", "bars_known"),
    [
        (datetime(2026, 7, 9, 16, 0, tzinfo=UTC), 1),  # noon
        (datetime(2026, 7, 9, 20, 0, tzinfo=UTC), 1),  # the close: delayed data are not there yet
        (datetime(2026, 7, 9, 20, 14, 59, tzinfo=UTC), 1),
        (datetime(2026, 7, 9, 20, 15, tzinfo=UTC), 2),
    ],
)
def test_the_bar_of_a_session_under_way_is_none(until: datetime, bars_known: int) -> None:
    rows = bars([day("2026-07-08"), day("2026-07-09")], MONDAY, until)
    assert rows.height == bars_known


def test_days_without_a_session_or_a_price_are_no_bars() -> None:
    silent = day("2026-07-07", "NaN", open="NaN", high="NaN", low="NaN", volume=0)
    rows = bars([day("2026-07-04"), day("2026-07-06"), silent], datetime(2026, 7, 1, tzinfo=UTC), NOON)
    assert rows["timestamp"].to_list() == [datetime(2026, 7, 6, 20, tzinfo=UTC)]
    assert bars(None, MONDAY, NOON).is_empty()
    assert bars(day("2026-07-08"), MONDAY, NOON).height == 1


def test_days_are_asked_for_in_new_york() -> None:
    seen: list[httpx.Request] = []
    bars([], datetime(2026, 7, 6, 2, tzinfo=UTC), datetime(2026, 7, 9, 1, tzinfo=UTC), seen)
    (asked,) = seen
    assert dict(asked.url.params) == {
        "symbol": "AAPL",
        "interval": "daily",
        "start": "2026-07-05",
        "end": "2026-07-08",
        "session_filter": "open",
    }


def tick(moment: datetime, price: float, volume: float) -> dict[str, Any]:
    local = moment - timedelta(hours=4)
    return {
        "time": f"{local:%Y-%m-%dT%H:%M:%S}",
        "timestamp": int(moment.timestamp()),
        "price": price,
        "volume": volume,
    }


def ticks_told(ticks: list[dict[str, Any]]) -> Told:
    """As if both ends were counted in."""

    def series(asked: httpx.QueryParams) -> Any:
        inside = [t for t in ticks if asked["start"] <= t["time"].replace("T", " ") <= asked["end"] + ":59"]
        return {"series": {"data": inside if len(inside) != 1 else inside[0]} if inside else None}

    return {TICKS: series}


def test_ticks_come_once_each_in_the_order_given() -> None:
    moments = [NOON + timedelta(minutes=m) for m in (-31, -30, -15, -15, 0)]
    ticks = [tick(moment, 10.0 + i, 100.0 * (i + 1)) for i, moment in enumerate(moments)]
    seen: list[httpx.Request] = []
    rows = tradier(ticks_told(ticks), seen=seen).fetch(request("trades", "AAPL", NOON - timedelta(minutes=30), NOON))
    assert [dict(asked.url.params)["start"] for asked in seen] == ["2026-07-09 11:30", "2026-07-09 11:45"]
    assert {dict(asked.url.params)["interval"] for asked in seen} == {"tick"}
    assert stored("trades", rows).height == 3
    quarter = NOON - timedelta(minutes=15)
    assert rows["timestamp"].to_list() == [moments[1], quarter, quarter + timedelta(microseconds=1)]
    assert rows["price"].to_list() == [11.0, 12.0, 13.0]
    assert rows["size"].to_list() == [200.0, 300.0, 400.0]
    assert rows["side"].to_list() == [None] * 3


def test_ticks_are_asked_for_in_sessions_only() -> None:
    seen: list[httpx.Request] = []
    since, until = datetime(2026, 7, 2, 19, 40, tzinfo=UTC), datetime(2026, 7, 6, 13, 31, 20, tzinfo=UTC)
    tradier(ticks_told([]), seen=seen).fetch(request("trades", "AAPL", since, until))
    asked = [(a.url.params["start"], a.url.params["end"]) for a in seen]
    assert asked == [
        ("2026-07-02 15:40", "2026-07-02 15:55"),
        ("2026-07-02 15:55", "2026-07-02 16:00"),
        ("2026-07-06 09:30", "2026-07-06 09:32"),  # Friday was a holiday
    ]


def test_ticks_without_price_or_size_are_no_trades() -> None:
    ticks = [tick(NOON, 0.0, 100), tick(NOON, 10.0, 0), tick(NOON, 10.0, 100)]
    rows = tradier(ticks_told(ticks)).fetch(
        request("trades", "AAPL", NOON - timedelta(minutes=5), NOON + timedelta(minutes=5))
    )
    assert rows.height == 1


def refusing(body: str, status: int, headers: Mapping[str, str] | None = None) -> Provider:
    http_transport = always(body, status, {"Content-Type": "text/plain", **(headers or {})})
    return TradierProvider(SETTINGS, CountingTransport(), Key(TOKEN), http_transport=http_transport)


@pytest.mark.parametrize("status", [400, 429])
def test_a_quota_that_is_used_up_says_when_it_is_renewed(status: int) -> None:
    sent = {"Date": "Thu, 09 Jul 2026 16:00:00 GMT"}
    with pytest.raises(TransientError) as told:
        refusing(f"Quota Violation: Expires {NOON_MS + 21_500}", status, sent).fetch(request("bars", "AAPL"))
    assert (told.value.retry_after_s, told.value.status) == (21.5, 429)
    with pytest.raises(TransientError) as told:
        refusing("Quota Violation", status).fetch(request("bars", "AAPL"))
    assert told.value.retry_after_s is None


def test_another_bad_request_does_not_pass() -> None:
    with pytest.raises(ProviderError, match="Invalid parameter") as told:
        refusing("Invalid parameter, start: is malformed", 400).fetch(request("bars", "AAPL"))
    assert not isinstance(told.value, TransientError)


def test_a_refused_token_is_told_with_its_places_and_without_itself() -> None:
    with pytest.raises(ProviderError, match="TRADIER_TOKEN") as told:
        refusing(f"Invalid Access Token {TOKEN}", 401).fetch(request("chains", "AAPL"))
    assert TOKEN not in f"{told.value} {vars(told.value)}"


def test_a_provider_shows_no_key_and_does_not_leave_its_process() -> None:
    provider = tradier({})
    assert TOKEN not in f"{provider!r} {vars(provider)}"
    with pytest.raises(TypeError, match="process"):
        pickle.dumps(provider)


def test_what_it_does_not_give_is_not_asked() -> None:
    transport = CountingTransport()
    for kind, symbol, error in (("news", "AAPL", ConfigError), ("bars", "BTC-USD", GnosisError)):
        with pytest.raises(error):
            tradier({}, transport).fetch(request(kind, symbol))  # type: ignore[arg-type]
    assert transport.calls == 0


@pytest.mark.realdata
def test_a_true_chain_is_read(realdata: Path) -> None:
    body = json.loads((realdata / "wire" / "tradier" / "chain_PLTR_20240705_excerpt.json").read_text())
    given = body["options"]["option"]
    long_ago: dict[str, Any] = dict.fromkeys(("bid_date", "ask_date", "trade_date"), 0)
    told = chain_told({"date": "2026-12-18"}, body["options"], {"quote": quote("PLTR", last=27.2, **long_ago)})
    rows = tradier(told).fetch(request("chains", "PLTR"))
    assert rows["event_time"].unique().to_list() == [datetime(2024, 7, 5, 19, 58, 57, tzinfo=UTC)]
    greeks = [tuple(told["greeks"][name] for name in ("delta", "gamma", "theta", "vega")) for told in given]
    assert rows.select(VENDOR_GREEKS).rows() == greeks
    assert rows.drop("event_time", "symbol", "underlying_price", "settlement", *VENDOR_GREEKS).rows() == [
        (date(2026, 12, 18), 13.0, "P", 1.44, 1.67, 1.56, 6.0, 115.0, 0.599874),
        (date(2026, 12, 18), 25.0, "C", 11.2, 11.6, 11.2, 66.0, 297.0, 0.576376),
    ]
