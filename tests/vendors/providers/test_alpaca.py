"""Alpaca through alpaca-py, against the formats that its documents and its client's own tests show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.alpaca import AlpacaProvider
from gnosis_ray.vendors.providers.base import ProviderRequest
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, serving
from tests.support.replay.faults import cut_off, edited, hung, status, too_many, web_page
from tests.support.replay.http_messages import json_reply
from tests.vendors.providers.counting_transport import CountingTransport

pytest.importorskip("alpaca", reason="alpaca-py is not installed: pip install 'gnosis-ray[alpaca]'")

KEY, SECRET = "AKNOTREAL0042", "s3cr3t-not-real-0042"
SINCE = datetime(2020, 8, 27, tzinfo=UTC)
UNTIL = datetime(2024, 3, 12, 20, 0, tzinfo=UTC)


def bar(moment: str, close: float, volume: float) -> dict[str, Any]:
    return {"t": moment, "o": close, "h": close + 1, "l": close - 1, "c": close, "v": volume, "n": 9, "vw": close}


def quote(moment: str, bid: float, ask: float) -> dict[str, Any]:
    return {"t": moment, "ax": "Q", "ap": ask, "as": 11, "bx": "N", "bp": bid, "bs": 7, "c": "A", "z": "C"}


def contract(**more: Any) -> dict[str, Any]:
    return {
        "dailyBar": bar("2024-03-12T04:00:00Z", 1.0, 21),
        "greeks": {"delta": 0.5, "gamma": 0.01, "rho": 0.1, "theta": -0.05, "vega": 0.2},
        "impliedVolatility": 0.2345,
        "latestQuote": quote("2024-03-12T18:59:58.123456789Z", 1.1, 1.2),
        "latestTrade": {"c": "I", "p": 1.15, "s": 1, "t": "2024-03-12T18:00:00.5Z", "x": "M"},
    } | more


def alpaca(ask: ReplayRequest) -> ReplayResponse | None:
    """One symbol of each kind; null for every other one, as Alpaca says that there is nothing."""
    known = ask.query.get("symbols", ask.path) in ("AAPL", "BTC/USD", "BTCUSD", "/v1beta1/options/snapshots/AAPL")
    what = next((w for w in ("snapshots", "bars", "trades", "quotes", "news") if f"/{w}" in ask.path), "")
    if ask.path == "/v2/stocks/trades/latest":
        return json_reply({"trades": {"AAPL": {"t": "2024-03-12T18:59:59Z", "p": 173.25, "s": 1, "x": "V"}}})
    rows = ROWS[what] if known else None
    if what == "bars" and ask.query.get("adjustment") == "all" and rows:
        rows = {"AAPL": [bar("2020-08-28T04:00:00Z", 121.2, 1.0), bar("2020-08-31T04:00:00Z", 125.5, 1.0)]}
    if "crypto" in ask.path and rows:
        rows = {"BTC/USD": CRYPTO[what]}
    if what == "trades" and known and "page_token" not in ask.query:
        return json_reply({what: rows, "next_page_token": "QUFQTHwx"})
    return json_reply({what: rows, "next_page_token": None})


ROWS: dict[str, Any] = {
    "bars": {"AAPL": [bar("2020-08-28T04:00:00Z", 499.23, 187.0), bar("2020-08-31T04:00:00Z", 129.04, 225.0)]},
    "trades": {
        "AAPL": [
            {"t": "2024-03-12T13:30:00.004258816Z", "x": "P", "p": 173.1, "s": 20, "c": ["@"], "i": 1, "z": "C"},
            {"t": "2024-03-12T13:30:01Z", "x": "P", "p": 1.0, "s": 9, "c": ["@"], "i": 2, "z": "C", "u": "canceled"},
        ]
    },
    "quotes": {"AAPL": [quote("2024-03-12T13:30:00.1Z", 173.0, 173.2), quote("2024-03-12T13:30:00.2Z", 0, 173.2)]},
    "snapshots": {
        "AAPL240426C00170000": contract(),
        "AAPL240426P00170000": contract(
            latestQuote=quote("2024-03-12T15:00:00Z", 0, 2.0), dailyBar=bar("2024-03-08T05:00:00Z", 1.0, 500)
        ),
        "AAPL240426P00175000": {"latestQuote": quote("2024-03-12T15:00:00Z", 3.0, 3.2)},
        "AAPL1240426C00170000": contract(),
    },
    "news": [
        {
            "author": "John",
            "content": "",
            "created_at": "2024-02-18T20:15:44Z",
            "headline": "Apple does a thing",
            "id": 40432158,
            "source": "benzinga",
            "summary": "It did.",
            "symbols": ["AAPL", "QCOM"],
            "updated_at": "2024-02-19T20:15:44Z",
        }
    ],
}
CRYPTO: dict[str, Any] = {
    "bars": [bar("2024-03-11T00:00:00Z", 71000.0, 12.5), bar("2024-03-12T00:00:00Z", 72000.0, 3.5)],
    "trades": [{"t": "2024-03-12T13:30:00.5Z", "p": 71234.5, "s": 0.02, "tks": "S", "i": 7}],
    "quotes": [quote("2024-03-12T13:30:00.1Z", 71234.0, 71235.0)],
}


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(alpaca) as replay:
        yield replay


@pytest.fixture
def transport() -> CountingTransport:
    return CountingTransport()


@pytest.fixture
def made(server: ReplayServer, config: Config, transport: CountingTransport) -> AlpacaProvider:
    settings = config.providers.alpaca.replaced(base_url=server.url, timeout_s=0.5)
    return AlpacaProvider(settings, transport, SecretStr(KEY), SecretStr(SECRET))


def asked(kind: DataKind, symbol: str = "AAPL", since: datetime = SINCE, until: datetime = UNTIL) -> ProviderRequest:
    return ProviderRequest(kind, symbol, since, until)


def test_closes_are_raw_and_adjusted_apart(
    made: AlpacaProvider, transport: CountingTransport, server: ReplayServer
) -> None:
    bars = made.fetch(asked("bars"))
    assert bars.select("close", "adjusted_close", "volume").rows() == [(499.23, 121.2, 187.0), (129.04, 125.5, 225.0)]
    assert bars["timestamp"].to_list() == [datetime(2020, 8, day, 20, tzinfo=UTC) for day in (28, 31)]
    assert [(a.query["adjustment"], a.query["feed"], a.query["timeframe"]) for a in server.asked()] == [
        ("raw", "sip", "1Day"),
        ("all", "sip", "1Day"),
    ]
    assert transport.calls == 2


@pytest.mark.parametrize(("delay_minutes", "whole_after"), [(0.0, 15.0), (15.0, 15.0), (40.0, 40.0)])
def test_a_session_has_no_bar_until_the_plan_shows_its_close(
    server: ReplayServer, config: Config, transport: CountingTransport, delay_minutes: float, whole_after: float
) -> None:
    """What is asked for ends so many minutes ago: a day's bar that ends earlier than its session is none."""
    told = {"base_url": server.url, "timeout_s": 0.5, "delay_minutes": delay_minutes}
    settings = config.providers.alpaca.replaced(**told)
    made = AlpacaProvider(settings, transport, SecretStr(KEY), SecretStr(SECRET))
    settled = datetime(2020, 8, 31, 20, tzinfo=UTC) + timedelta(minutes=whole_after)
    assert made.fetch(asked("bars", until=settled)).height == 2
    assert made.fetch(asked("bars", until=settled - timedelta(microseconds=1))).height == 1


def test_nothing_is_asked_for_that_the_plan_does_not_show_yet(made: AlpacaProvider, server: ReplayServer) -> None:
    made.fetch(asked("quotes"))
    assert datetime.fromisoformat(server.asked()[0].query["end"]) == UNTIL - timedelta(minutes=15)
    assert made.fetch(asked("quotes", since=UNTIL - timedelta(minutes=5))).is_empty()
    assert len(server.asked()) == 1


def test_trades_are_read_to_the_last_page_without_the_canceled_ones(
    made: AlpacaProvider, transport: CountingTransport, server: ReplayServer
) -> None:
    trades = made.fetch(asked("trades"))
    assert trades.select("price", "size", "side").rows() == [(173.1, 20.0, None)] * 2
    assert trades["timestamp"][0] == datetime(2024, 3, 12, 13, 30, 0, 4258, UTC)
    assert [ask.query.get("page_token") for ask in server.asked()] == [None, "QUFQTHwx"]
    assert transport.calls == 2


def test_a_quote_without_a_bid_has_none(made: AlpacaProvider) -> None:
    quotes = made.fetch(asked("quotes"))
    assert quotes.select("bid", "bid_size", "ask", "ask_size").rows() == [
        (173.0, 7.0, 173.2, 11.0),
        (None, 7.0, 173.2, 11.0),
    ]


def test_a_chain_is_of_its_latest_quote_and_knows_no_open_interest(made: AlpacaProvider, server: ReplayServer) -> None:
    chain = made.fetch(asked("chains"))
    assert dict(chain.schema) == {n: t for n, t in DATASETS["chains"].columns_provided.items() if n != "known_at"}
    assert chain["event_time"].unique().to_list() == [datetime(2024, 3, 12, 18, 59, 58, 123456, UTC)]
    assert chain["underlying_price"].unique().to_list() == [173.25]
    assert chain["open_interest"].null_count() == chain.height
    assert chain.select("expiry", "strike", "type", "bid", "ask", "last", "volume", "vendor_iv").rows() == [
        (date(2024, 4, 26), 170.0, "C", 1.1, 1.2, 1.15, 21.0, 0.2345),
        (date(2024, 4, 26), 170.0, "P", 0.0, 2.0, 1.15, 0.0, 0.2345),
        (date(2024, 4, 26), 175.0, "P", 3.0, 3.2, None, 0.0, None),
    ]
    assert [ask.query["feed"] for ask in server.asked()] == ["indicative", "iex"]


def test_news(made: AlpacaProvider) -> None:
    assert made.fetch(asked("news")).rows(named=True) == [
        {
            "symbol": "AAPL",
            "timestamp": datetime(2024, 2, 18, 20, 15, 44, tzinfo=UTC),
            "headline": "Apple does a thing",
            "body": "It did.",
            "source": "benzinga",
        }
    ]


def test_crypto_tells_the_takers_side_and_ends_its_day_at_midnight(made: AlpacaProvider, server: ReplayServer) -> None:
    assert made.fetch(asked("trades", "BTC-USD"))["side"].to_list() == ["sell"] * 2
    assert made.fetch(asked("quotes", "BTC-USD")).height == 1
    bars = made.fetch(asked("bars", "BTC-USD"))
    assert bars.select("timestamp", "close").rows() == [(datetime(2024, 3, 12, tzinfo=UTC), 71000.0)]
    assert {ask.query["symbols"] for ask in server.asked()} == {"BTC/USD"}


@pytest.mark.parametrize("kind", ["bars", "chains", "trades", "quotes", "news"])
def test_what_the_vendor_does_not_know_is_empty_and_of_the_right_shape(made: AlpacaProvider, kind: DataKind) -> None:
    found = made.fetch(asked(kind, "BRK.B"))
    assert found.is_empty()
    assert dict(found.schema) == {n: t for n, t in DATASETS[kind].columns_provided.items() if n != "known_at"}


def test_keys_are_sent_as_headers_and_nowhere_else(made: AlpacaProvider, server: ReplayServer) -> None:
    made.fetch(asked("news"))
    ask = server.asked()[0]
    assert (ask.headers["apca-api-key-id"], ask.headers["apca-api-secret-key"]) == (KEY, SECRET)
    assert KEY not in ask.target


def test_too_many_requests_may_pass_and_say_when(
    made: AlpacaProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    transport.attempts = 2
    server.inject_fault("trades", too_many(11), times=1)
    assert made.fetch(asked("trades")).height == 2
    assert transport.waits == [11.0]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (too_many(), TransientError, "429"),
        (status(504), TransientError, "504"),
        (hung(), TransientError, "could not be reached"),
        (cut_off(), TransientError, "could not be reached"),
        (status(404), NoDataError, "404"),
        (status(403, b'{"message": "subscription"}'), ProviderError, "subscription.*plan"),
        (status(422, b'{"message": "invalid symbol"}'), ProviderError, "invalid symbol"),
        (web_page(), SchemaError, "quotes of AAPL"),
        (edited(lambda _: [1]), SchemaError, "Expected an object, found list"),
        (edited(lambda body: body["quotes"]["AAPL"][0].pop("ap") and body), SchemaError, r"of AAPL, field 0\.ap"),
        (edited(lambda body: body["quotes"]["AAPL"][0].update(bp="1") or body), SchemaError, r"of AAPL, field 0\.bp"),
        (edited(lambda body: body["quotes"]["AAPL"][0].update(t="noon") or body), SchemaError, "RFC 3339"),
    ],
)
def test_what_goes_wrong_is_named(
    made: AlpacaProvider,
    server: ReplayServer,
    fault: Callable[[ReplayResponse], ReplayResponse],
    kind: type[Exception],
    said: str,
) -> None:
    server.inject_fault("quotes", fault)
    with pytest.raises(kind, match=said) as raised:
        made.fetch(asked("quotes"))
    assert raised.type is kind
    assert len(server.asked()) == 1  # the client's own retries are off
    assert KEY not in str(raised.value)


def test_a_field_that_nobody_has_heard_of_changes_nothing(made: AlpacaProvider, server: ReplayServer) -> None:
    plain = made.fetch(asked("quotes"))
    server.inject_fault("quotes", edited(lambda body: body["quotes"]["AAPL"][0].update(mood=1) or body))
    assert made.fetch(asked("quotes")).equals(plain)
