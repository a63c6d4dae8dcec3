"""Crypto exchanges through ccxt, against the formats that Kraken documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gnosis_ray.config import Config
from gnosis_ray.errors import ConfigError, NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.ccxt_exchange import CcxtProvider
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, serving
from tests.support.replay.faults import cut_off, edited, hung, status, too_many, web_page
from tests.support.replay.http_messages import json_reply
from tests.vendors.providers.counting_transport import CountingTransport

pytest.importorskip("ccxt", reason="ccxt is not installed: pip install 'gnosis-ray[ccxt]'")

SINCE = datetime(2024, 8, 5, tzinfo=UTC)
UNTIL = datetime(2024, 8, 8, 12, 0, tzinfo=UTC)
DAY = 86_400
FIRST = int(SINCE.timestamp())

PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "lot": "unit",
    "cost_decimals": 5,
    "pair_decimals": 1,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "leverage_buy": [2],
    "leverage_sell": [2],
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "fee_volume_currency": "ZUSD",
    "margin_call": 80,
    "margin_stop": 40,
    "ordermin": "0.0001",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}
ASSETS = {
    name: {"aclass": "currency", "altname": short, "decimals": 10, "display_decimals": 5, "status": "enabled"}
    for name, short in (("XXBT", "XBT"), ("ZUSD", "USD"))
}


def candle(day: int, close: float) -> list[Any]:
    return [FIRST + day * DAY, f"{close}", f"{close + 9}", f"{close - 9}", f"{close}", f"{close}", "12.5", 321]


def trade(seconds: float, price: float, side: str, identity: int) -> list[Any]:
    return [f"{price}", "0.02", FIRST + seconds, side, "m", "", identity]


PAGES = {
    FIRST: [trade(1.25, 54000.1, "b", 1), trade(2.5, 54000.2, "s", 2)],
    FIRST + 2: [trade(2.5, 54000.2, "s", 2), trade(2.5, 54000.3, "b", 3), trade(7.75, 54000.4, "b", 4)],
    FIRST + 7: [trade(7.75, 54000.4, "b", 4)],
}


def kraken(ask: ReplayRequest) -> ReplayResponse | None:
    name = ask.path.removeprefix("/0/public/")
    results: dict[str, Any] = {
        "Assets": ASSETS,
        "AssetPairs": {"XXBTZUSD": PAIR},
        "OHLC": {"XXBTZUSD": [candle(day, 54000.0 + day) for day in range(4)], "last": FIRST + 3 * DAY},
        "Depth": {
            "XXBTZUSD": {
                "asks": [["57001.0", "0.5", 1723118390], ["57002.0", "1.5", 1723118391]],
                "bids": [["57000.0", "1.25", 1723118392]],
            }
        },
        "Trades": {"XXBTZUSD": PAGES.get(int(ask.query.get("since", 0)), []), "last": "1"},
    }
    if name not in results:
        return None
    return ReplayResponse(body=json_reply({"error": [], "result": results[name]}).body)


@pytest.fixture(scope="module")
def running() -> Iterator[ReplayServer]:
    with serving(kraken) as replay:
        yield replay


@pytest.fixture(scope="module")
def provider(running: ReplayServer, config: Config) -> tuple[CcxtProvider, CountingTransport]:
    """Made once: an exchange of ccxt takes half a second to make."""
    transport = CountingTransport()
    settings = config.providers.ccxt.replaced(base_url=running.url, timeout_s=0.5)
    return CcxtProvider(settings, transport), transport


@pytest.fixture
def server(running: ReplayServer) -> ReplayServer:
    running.clear_faults()
    running.clear_requests()
    return running


@pytest.fixture
def made(
    provider: tuple[CcxtProvider, CountingTransport], server: ReplayServer, transport: CountingTransport
) -> CcxtProvider:
    return provider[0]


@pytest.fixture
def transport(provider: tuple[CcxtProvider, CountingTransport]) -> CountingTransport:
    transport = provider[1]
    transport.calls, transport.waits, transport.attempts = 0, [], 1
    return transport


def asked(kind: DataKind, symbol: str = "BTC-USD", until: datetime = UNTIL) -> ProviderRequest:
    return ProviderRequest(kind, symbol, SINCE, until)


def test_bars_end_with_their_day_and_the_one_under_way_is_none(made: CcxtProvider) -> None:
    bars = made.fetch(asked("bars"))
    assert dict(bars.schema) == {n: t for n, t in DATASETS["bars"].columns_provided.items() if n != "known_at"}
    assert bars.select("timestamp", "close", "volume").rows() == [
        (SINCE + timedelta(days=day + 1), 54000.0 + day, 12.5) for day in range(3)
    ]
    assert bars["adjusted_close"].null_count() == 3


def test_the_markets_are_asked_for_once(made: CcxtProvider, server: ReplayServer, transport: CountingTransport) -> None:
    made.fetch(asked("quotes"))
    made.fetch(asked("quotes"))
    assert [ask.path for ask in server.asked()][-2:] == ["/0/public/Depth"] * 2
    assert transport.calls == len(server.asked())
    assert [ask.path for ask in server.asked()].count("/0/public/AssetPairs") <= 1


def test_trades_are_read_page_by_page_each_once(made: CcxtProvider, server: ReplayServer) -> None:
    trades = made.fetch(asked("trades"))
    assert trades.select("price", "side").rows() == [
        (54000.1, "buy"),
        (54000.2, "sell"),
        (54000.3, "buy"),
        (54000.4, "buy"),
    ]
    assert trades["timestamp"].to_list() == [SINCE + timedelta(seconds=s) for s in (1.25, 2.5, 2.5, 7.75)]


def test_the_top_of_the_book_is_a_quote_at_the_exchanges_own_time(made: CcxtProvider, server: ReplayServer) -> None:
    quotes = made.fetch(asked("quotes"))
    assert quotes.select("bid", "bid_size", "ask", "ask_size").rows() == [(57000.0, 1.25, 57001.0, 0.5)]
    stamp = quotes["timestamp"][0]
    assert stamp.microsecond == 0
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)  # Kraken's book has no time: its answer has


def test_a_book_without_bids_has_no_bid(made: CcxtProvider, server: ReplayServer) -> None:
    server.inject_fault("Depth", edited(lambda body: body["result"]["XXBTZUSD"].update(bids=[]) or body))
    quotes = made.fetch(asked("quotes"))
    assert quotes.select("bid", "ask").rows() == [(None, 57001.0)]


@pytest.mark.parametrize(("symbol", "said"), [("ETH-USD", "no market ETH/USD"), ("AAPL", "gives no shares")])
def test_what_the_exchange_does_not_trade_is_said(made: CcxtProvider, symbol: str, said: str) -> None:
    with pytest.raises(NoDataError, match=said):
        made.fetch(asked("bars", symbol))


def test_an_exchange_that_ccxt_does_not_know_is_a_setting_to_mend(config: Config) -> None:
    settings = config.providers.ccxt.replaced(exchange="mtgox2")
    with pytest.raises(ConfigError, match=r"mtgox2.*providers\.ccxt\.exchange"):
        CcxtProvider(settings, CountingTransport())


def refusing(said: str) -> Callable[[ReplayResponse], ReplayResponse]:
    """Kraken refuses with status 200."""
    return edited(lambda _: {"error": [said]})


def test_too_many_requests_may_pass_however_they_are_said(
    made: CcxtProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    transport.attempts = 3
    server.inject_fault("OHLC", refusing("EAPI:Rate limit exceeded"), times=1)
    server.inject_fault("OHLC", too_many(9), times=1)
    assert made.fetch(asked("bars")).height == 3
    assert transport.waits == [9.0, None]


@pytest.mark.parametrize(
    ("fault", "kind", "said", "found"),
    [
        (too_many(), TransientError, "429", 429),
        (refusing("EAPI:Rate limit exceeded"), TransientError, "Rate limit", 429),
        (status(503), TransientError, "503", 503),
        (hung(), TransientError, "could not be reached", None),
        (cut_off(), TransientError, "could not be reached", None),
        (refusing("EService:Unavailable"), TransientError, "Unavailable", None),
        (refusing("EQuery:Unknown asset pair"), ProviderError, "Unknown asset pair", None),
        (refusing("EGeneral:Permission denied"), ProviderError, "Permission denied", None),
        (web_page(), SchemaError, "Expected JSON from /0/public/OHLC", None),
    ],
)
def test_what_goes_wrong_is_named(
    made: CcxtProvider,
    server: ReplayServer,
    fault: Callable[[ReplayResponse], ReplayResponse],
    kind: type[Exception],
    said: str,
    found: int | None,
) -> None:
    made.fetch(asked("quotes"))
    server.clear_requests()
    server.inject_fault("OHLC", fault)
    with pytest.raises(kind, match=said) as raised:
        made.fetch(asked("bars"))
    assert getattr(raised.value, "status", None) == found
    assert raised.type is kind
    assert len(server.asked()) == 1


def test_a_field_that_nobody_has_heard_of_changes_nothing(made: CcxtProvider, server: ReplayServer) -> None:
    plain = made.fetch(asked("bars"))
    server.inject_fault("OHLC", edited(lambda body: body | {"warnings": ["new"], "mood": 1}))
    assert made.fetch(asked("bars")).equals(plain)
