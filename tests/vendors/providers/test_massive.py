"""Massive through its official client, against its recorded answers and the faults of a server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.massive import MassiveProvider
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, serving
from tests.support.replay.faults import cut_off, edited, hung, status, too_many, web_page
from tests.support.replay.http_messages import json_reply
from tests.support.replay.recorded import recorded_massive
from tests.vendors.providers.counting_transport import CountingTransport

pytest.importorskip("massive", reason="massive is not installed: pip install 'gnosis-ray[massive]'")

KEY = "kx81-not-a-real-key-92hd"
QUOTED_AT = 1_651_254_260_800_059_648


def contract(code: str, **more: Any) -> dict[str, Any]:
    """As documented for GET /v3/snapshot/options/{underlying}."""
    return {
        "details": {"ticker": f"O:{code}", "shares_per_contract": 100},
        "day": {"volume": 8, "last_updated": 1651204800000000000},
        "last_quote": {"bid": 28.9, "ask": 29.25, "last_updated": QUOTED_AT},
        "last_trade": {"price": 29.0, "sip_timestamp": 1651250000000000000},
        "underlying_asset": {"price": 159.96, "last_updated": 1651254263172073152, "ticker": "AAPL"},
        "open_interest": 8133,
        "implied_volatility": 0.357,
    } | more


def bar(stamp: int, close: float) -> dict[str, Any]:
    return {"t": stamp, "o": close, "h": close + 1, "l": close - 1, "c": close, "v": 1000.0, "vw": close, "n": 9}


def documented(ask: ReplayRequest) -> ReplayResponse | None:
    """Two pages of a chain, bars around a split, and nothing else."""
    if ask.path == "/v3/snapshot/options/AAPL":
        page = {"results": [contract("AAPL230616C00150000"), contract("AAPL230616P00150000")], "status": "OK"}
        if "cursor" not in ask.query:
            return json_reply(page | {"next_url": f"http://{ask.headers['host']}{ask.path}?cursor=Zm9v"})
        later = contract("AAPL230616C00160000", last_quote={"bid": 1.0, "ask": 1.1, "last_updated": QUOTED_AT + 5000})
        quiet = contract("AAPL230616P00160000", day={"volume": 77, "last_updated": 1651118400000000000})
        mini = contract("AAPL230616C00170000", details={"ticker": "O:AAPL230616C00170000", "shares_per_contract": 10})
        return json_reply({"results": [later, quiet, mini, contract("AAPL1230616C00150000")], "status": "OK"})
    if ask.path.startswith("/v2/aggs/ticker/AAPL/range/1/day/"):
        shares = 4.0 if ask.query["adjusted"] == "true" else 1.0
        days = [bar(1598587200000, 499.23 / shares), bar(1598846400000, 129.04)]  # 2020-08-28 and 31
        return json_reply({"ticker": "AAPL", "results": days, "resultsCount": 2, "status": "OK"})
    if ask.vendor == "massive":
        return json_reply({"ticker": "NOPE", "queryCount": 0, "resultsCount": 0, "status": "OK", "request_id": "1"})
    return None


def made_for(server: ReplayServer, config: Config, transport: CountingTransport, key: str = KEY) -> MassiveProvider:
    settings = config.providers.massive.replaced(base_url=server.url, timeout_s=0.5)
    return MassiveProvider(settings, transport, SecretStr(key))


@pytest.fixture
def transport() -> CountingTransport:
    return CountingTransport()


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(documented) as replay:
        yield replay


@pytest.fixture
def made(server: ReplayServer, config: Config, transport: CountingTransport) -> MassiveProvider:
    return made_for(server, config, transport)


@pytest.fixture
def recorded(realdata: Path, config: Config, transport: CountingTransport) -> Iterator[MassiveProvider]:
    with serving(recorded_massive(realdata / "wire", KEY)) as replay:
        yield made_for(replay, config, transport)


def asked(kind: DataKind, symbol: str = "AAPL", since: int = 2005, until: int = 2030) -> ProviderRequest:
    return ProviderRequest(kind, symbol, datetime(since, 1, 3, tzinfo=UTC), datetime(until, 1, 2, tzinfo=UTC))


def body_of(realdata: Path, name: str) -> Any:
    return json.loads((realdata / "wire" / "massive" / f"{name}.json").read_text())


def test_a_chain_is_read_to_its_last_page_and_each_page_is_on_the_wire(
    made: MassiveProvider, transport: CountingTransport, server: ReplayServer
) -> None:
    chain = made.fetch(asked("chains"))
    assert dict(chain.schema) == {n: t for n, t in DATASETS["chains"].columns_provided.items() if n != "known_at"}
    assert chain.select("strike", "type").rows() == [(150.0, "C"), (150.0, "P"), (160.0, "C"), (160.0, "P")]
    assert transport.calls == 2
    assert [ask.query for ask in server.asked()] == [{"limit": "250"}, {"cursor": "Zm9v"}]


def test_a_chain_is_of_its_latest_quote_in_the_underlyings_price(made: MassiveProvider) -> None:
    chain = made.fetch(asked("chains"))
    assert chain["event_time"].unique().to_list() == [datetime(2022, 4, 29, 17, 44, 20, 800064, UTC)]
    assert chain["underlying_price"].unique().to_list() == [159.96]


def test_a_contract_that_has_not_traded_today_has_no_volume(made: MassiveProvider) -> None:
    assert made.fetch(asked("chains"))["volume"].to_list() == [8.0, 8.0, 8.0, 0.0]


def test_a_chain_without_quotes_is_of_the_underlyings_time(made: MassiveProvider, server: ReplayServer) -> None:
    bare = contract("AAPL230616C00150000")
    del bare["last_quote"]
    server.inject_fault("snapshot", edited(lambda _: {"results": [bare], "status": "OK"}))
    chain = made.fetch(asked("chains"))
    assert chain["event_time"].to_list() == [datetime(2022, 4, 29, 17, 44, 23, 172073, UTC)]
    assert chain.select("bid", "ask").row(0) == (None, None)


def test_closes_are_raw_and_adjusted_apart(made: MassiveProvider, transport: CountingTransport) -> None:
    bars = made.fetch(asked("bars", since=2020))
    assert bars["close"].to_list() == [499.23, 129.04]
    assert bars["adjusted_close"].to_list() == [499.23 / 4, 129.04]
    assert bars["timestamp"].to_list() == [datetime(2020, 8, day, 20, tzinfo=UTC) for day in (28, 31)]
    assert transport.calls == 2


@pytest.mark.parametrize(("until", "bars"), [(timedelta(0), 2), (-timedelta(microseconds=1), 1)])
def test_a_session_has_no_bar_until_delayed_prices_are_in(made: MassiveProvider, until: timedelta, bars: int) -> None:
    settled = datetime(2020, 8, 31, 20, 15, tzinfo=UTC)
    assert made.fetch(ProviderRequest("bars", "AAPL", asked("bars", since=2020).since, settled + until)).height == bars


def test_each_kind_of_symbol_is_spelled_as_the_vendor_does(made: MassiveProvider, server: ReplayServer) -> None:
    for symbol in ("BRK.B", "SPX", "BTC-USD"):
        assert made.fetch(asked("trades", symbol)).is_empty()
    assert [ask.path for ask in server.asked()] == ["/v3/trades/BRK.B", "/v3/trades/I:SPX", "/v3/trades/X:BTCUSD"]


@pytest.mark.parametrize("kind", ["bars", "chains", "trades", "quotes", "news"])
def test_what_the_vendor_does_not_know_is_empty_and_of_the_right_shape(made: MassiveProvider, kind: DataKind) -> None:
    found = made.fetch(asked(kind, "NOPE"))
    assert found.is_empty()
    assert dict(found.schema) == {n: t for n, t in DATASETS[kind].columns_provided.items() if n != "known_at"}


def test_canceled_trades_are_left_out(made: MassiveProvider, server: ReplayServer) -> None:
    prints = [
        {"sip_timestamp": 1_651_181_822_461_979_400 + c, "price": 100.0 + c, "size": 1, "correction": c}
        for c in (0, 1, 2, 7, 8, 10, 11)
    ]
    server.inject_fault("trades", edited(lambda _: {"results": prints, "status": "OK"}))
    assert made.fetch(asked("trades"))["price"].to_list() == [100.0, 101.0, 102.0]


def test_the_key_is_sent_as_a_header_and_nowhere_else(made: MassiveProvider, server: ReplayServer) -> None:
    made.fetch(asked("trades"))
    ask = server.asked()[0]
    assert ask.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in ask.target


@pytest.mark.realdata
def test_a_wrong_key_is_not_asked_with_again(realdata: Path, config: Config) -> None:
    transport = CountingTransport(attempts=3)
    refusal = pytest.raises(ProviderError, match=r"401.*Unknown API Key.*Is the key valid")
    with serving(recorded_massive(realdata / "wire", KEY)) as replay, refusal as raised:
        made_for(replay, config, transport, "another-wrong-key").fetch(asked("trades"))
    assert raised.type is ProviderError
    assert "another-wrong-key" not in str(raised.value)
    assert transport.calls == 1


def test_too_many_requests_may_pass_and_say_when(
    made: MassiveProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    transport.attempts = 2
    server.inject_fault("cursor|snapshot", too_many(30, as_date=True), times=1)
    assert made.fetch(asked("chains")).height == 4
    assert transport.waits == [pytest.approx(30.0, abs=2.0)]


def first_contract(change: Callable[[dict[str, Any]], Any]) -> Callable[[ReplayResponse], ReplayResponse]:
    def edit(body: dict[str, Any]) -> dict[str, Any]:
        change(body["results"][0])
        return body

    return edited(edit)


def test_pages_that_lead_in_a_circle_end(
    made: MassiveProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    def onwards(body: dict[str, Any]) -> dict[str, Any]:
        cursor = ("Zm9v", "YmFy")[transport.calls % 2]
        return body | {"next_url": f"{server.url}/v3/snapshot/options/AAPL?cursor={cursor}"}

    server.inject_fault("snapshot|cursor", edited(onwards))
    with pytest.raises(ProviderError, match="the next page is one that was read before"):
        made.fetch(asked("chains"))
    assert transport.calls == 3


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (too_many(), TransientError, "429"),
        (status(500), TransientError, "500"),
        (hung(), TransientError, "could not be reached"),
        (cut_off(), TransientError, "could not be reached"),
        (status(404), NoDataError, "404"),
        (web_page(), SchemaError, "chain of AAPL"),
        (edited(lambda body: body | {"results": {}}), SchemaError, "field results"),
        (edited(lambda _: {"status": "ERROR", "error": "no plan"}), ProviderError, "no plan"),
        (first_contract(lambda c: c["last_quote"].update(bid="28.9")), SchemaError, r"results\.0\.last_quote\.bid"),
        (first_contract(lambda c: c.pop("details")), SchemaError, r"results\.0\.details"),
    ],
)
def test_what_goes_wrong_is_named(
    made: MassiveProvider,
    server: ReplayServer,
    fault: Callable[[ReplayResponse], ReplayResponse],
    kind: type[Exception],
    said: str,
) -> None:
    server.inject_fault("snapshot", fault)
    with pytest.raises(kind, match=said) as raised:
        made.fetch(asked("chains"))
    assert raised.type is kind
    assert len(server.asked()) == 1  # the client's own retries are off


def test_a_field_that_nobody_has_heard_of_changes_nothing(made: MassiveProvider, server: ReplayServer) -> None:
    plain = made.fetch(asked("chains"))
    server.inject_fault("snapshot", first_contract(lambda c: c.update(fmv2={"x": 1})))
    assert made.fetch(asked("chains")).equals(plain)


# Recorded answers


@pytest.mark.realdata
def test_a_recorded_chain(recorded: MassiveProvider, realdata: Path) -> None:
    given = body_of(realdata, "v3_snapshot_options_AAPL")["results"][0]
    (row,) = recorded.fetch(asked("chains")).rows(named=True)
    assert (row["expiry"].isoformat(), row["strike"], row["type"]) == ("2023-06-16", 150.0, "C")
    assert (row["bid"], row["ask"], row["last"]) == (28.9, 29.25, 29.25)
    assert (row["volume"], row["open_interest"]) == (8.0, 8133.0)
    assert row["vendor_iv"] == given["implied_volatility"]
    assert {name: row[f"vendor_{name}"] for name in given["greeks"]} == given["greeks"]
    assert row["underlying_price"] == 159.9606


@pytest.mark.realdata
def test_recorded_bars_carry_the_close_of_their_session(recorded: MassiveProvider) -> None:
    bars = recorded.fetch(asked("bars"))
    assert bars["close"].to_list() == [1.4604, 1.4675]
    assert bars["timestamp"].to_list() == [
        datetime(2005, 4, 1, 21, tzinfo=UTC),
        datetime(2005, 4, 4, 20, tzinfo=UTC),  # summer time began between them
    ]


@pytest.mark.realdata
def test_recorded_trades_tell_no_side(recorded: MassiveProvider) -> None:
    trades = recorded.fetch(asked("trades"))
    assert trades.select("price", "size", "side").rows() == [(156.43, 10.0, None), (157.43, 10.0, None)]
    assert trades["timestamp"].unique().to_list() == [datetime(2022, 4, 28, 21, 37, 2, 461979, UTC)]


@pytest.mark.realdata
def test_recorded_quotes_are_read_over_both_pages(
    recorded: MassiveProvider, realdata: Path, transport: CountingTransport
) -> None:
    pages = [json.loads(path.read_text()) for path in (realdata / "wire" / "massive").glob("v3_quotes_AAPL*")]
    given = sorted((q for page in pages for q in page["results"]), key=lambda q: q["sip_timestamp"])
    quotes = recorded.fetch(asked("quotes"))
    assert quotes["bid"].to_list() == [q["bid_price"] for q in given]
    assert quotes["ask_size"].to_list() == [q["ask_size"] for q in given]
    assert quotes["timestamp"].is_sorted()
    assert transport.calls == 2


@pytest.mark.realdata
def test_recorded_news(recorded: MassiveProvider, realdata: Path) -> None:
    (given,) = body_of(realdata, "v2_reference_news_ticker_NFLX")["results"]
    (row,) = recorded.fetch(asked("news", "NFLX")).rows(named=True)
    assert row == {
        "symbol": "NFLX",
        "timestamp": datetime(2022, 4, 28, 17, 8, tzinfo=UTC),
        "headline": given["title"],
        "body": given["description"],
        "source": "MarketWatch",
    }
