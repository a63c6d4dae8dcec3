"""Yahoo through yfinance, against its own recorded answers and the faults of a server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnosis_ray.config import Config
from gnosis_ray.errors import NoDataError, ProviderError, SchemaError, TransientError
from gnosis_ray.market.datasets import DATASETS
from gnosis_ray.schemas.core_schemas import DataKind
from gnosis_ray.vendors.providers.base import ProviderRequest
from gnosis_ray.vendors.providers.yahoo import YahooProvider
from tests.support.replay import ReplayRequest, ReplayResponse, ReplayServer, serving
from tests.support.replay.faults import cut_off, edited, no_body, status, too_many, web_page
from tests.support.replay.gateway_fixture import GatewayFixture
from tests.support.replay.http_messages import json_reply
from tests.vendors.providers.counting_transport import CountingTransport

pytest.importorskip("yfinance", reason="yfinance is not installed: pip install 'gnosis-ray[yahoo]'")

START = datetime(2019, 6, 3, tzinfo=UTC)
DAYS = [date(2020, 8, 27), date(2020, 8, 28), date(2020, 8, 31), date(2020, 9, 1)]
TRADED = [500.04, 499.23, 129.04, 134.18]  # AAPL, as traded around its split of four for one


def stamp(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC).timestamp())


def chart(days: list[date], traded: list[float], **more: Any) -> dict[str, Any]:
    """As Yahoo charts what was traded: in the shares of after the split of 2020-08-31."""
    close = [price / 4 if day < date(2020, 8, 31) else price for day, price in zip(days, traded, strict=True)]
    prices = {
        "open": close,
        "high": [c + 1 for c in close],
        "low": [c - 1 for c in close],
        "close": close,
        "volume": [4000.0 if day < date(2020, 8, 31) else 1000.0 for day in days],
    }
    split = {"date": stamp(date(2020, 8, 31)), "numerator": 4.0, "denominator": 1.0, "splitRatio": "4:1"}
    result = {
        "meta": {"exchangeTimezoneName": "America/New_York"},
        "timestamp": [stamp(day) for day in days],
        "events": {"splits": {str(split["date"]): split}},
        "indicators": {"quote": [prices], "adjclose": [{"adjclose": [c * 0.98 for c in close]}]},
    }
    return {"chart": {"result": [result | more], "error": None}}


def yahoo_hosts(ask: ReplayRequest) -> ReplayResponse | None:
    """What yfinance asks for on the way."""
    if ask.path.endswith("/getcrumb"):
        return ReplayResponse(body=b"Ab1.cdEf", content_type="text/plain")
    return ReplayResponse(404) if ask.path in ("", "/", "/consent") else None


def handwritten(ask: ReplayRequest) -> ReplayResponse | None:
    if ask.path == "/v8/finance/chart/AAPL":
        return json_reply(chart(DAYS, TRADED))
    if ask.path.startswith("/v8/finance/chart/"):
        fault = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return json_reply({"chart": {"result": None, "error": fault}}, 404)
    return None


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(yahoo_hosts, handwritten) as replay:
        yield replay


@pytest.fixture
def transport() -> CountingTransport:
    return CountingTransport()


@pytest.fixture
def made(
    server: ReplayServer, transport: CountingTransport, config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> YahooProvider:
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    settings = config.providers.yahoo.replaced(base_url=server.url, timeout_s=2.0)
    return YahooProvider(settings, transport)


def asked(kind: DataKind, symbol: str = "AAPL", until: datetime = datetime(2030, 1, 2, tzinfo=UTC)) -> ProviderRequest:
    return ProviderRequest(kind, symbol, START, until)


def columns(kind: DataKind) -> dict[str, pl.DataType]:
    return {name: dtype for name, dtype in DATASETS[kind].columns_provided.items() if name != "known_at"}


def test_prices_and_volume_are_as_traded_before_a_split_too(made: YahooProvider) -> None:
    bars = made.fetch(asked("bars"))
    assert dict(bars.schema) == columns("bars")
    assert bars["close"].to_list() == pytest.approx(TRADED)
    assert bars["volume"].to_list() == [1000.0] * 4
    returns = (bars["adjusted_close"] / bars["adjusted_close"].shift(1)).drop_nulls().to_list()
    assert returns == pytest.approx([0.998380, 1.033911, 1.039833], abs=1e-5)


def test_bars_are_stamped_with_the_close_of_their_session(made: YahooProvider) -> None:
    bars = made.fetch(asked("bars"))
    assert bars["timestamp"].to_list() == [datetime(d.year, d.month, d.day, 20, tzinfo=UTC) for d in DAYS]


@pytest.mark.parametrize(("until", "bars"), [(timedelta(0), 4), (-timedelta(microseconds=1), 3)])
def test_a_session_has_no_bar_until_delayed_prices_are_in(made: YahooProvider, until: timedelta, bars: int) -> None:
    assert made.fetch(asked("bars", until=datetime(2020, 9, 1, 20, 15, tzinfo=UTC) + until)).height == bars


def test_later_splits_are_asked_for_whatever_the_last_day_is(made: YahooProvider, server: ReplayServer) -> None:
    made.fetch(asked("bars", until=datetime(2020, 8, 28, 21, tzinfo=UTC)))
    query = server.asked("yahoo")[-1].query
    assert int(query["period2"]) > datetime(2200, 1, 1, tzinfo=UTC).timestamp()
    assert "splits" in query["events"]


def test_of_two_bars_of_a_day_the_live_one_counts(made: YahooProvider, server: ReplayServer) -> None:
    body = chart(DAYS, TRADED)
    body["chart"]["result"][0]["timestamp"][2] = stamp(DAYS[3])
    server.inject_fault("chart", edited(lambda _: body))
    assert made.fetch(asked("bars"))["close"].to_list() == pytest.approx([500.04, 499.23, 134.18])


def test_a_bar_on_no_session_is_none(made: YahooProvider, server: ReplayServer) -> None:
    saturday = chart([*DAYS, date(2020, 9, 5)], [*TRADED, 120.0])
    server.inject_fault("chart", edited(lambda _: saturday))
    assert made.fetch(asked("bars"))["close"].to_list() == pytest.approx(TRADED)


def test_days_without_prices_are_left_out(made: YahooProvider, server: ReplayServer) -> None:
    body = chart(DAYS, TRADED)
    body["chart"]["result"][0]["indicators"]["quote"][0]["close"][1] = None
    server.inject_fault("chart", edited(lambda _: body))
    assert made.fetch(asked("bars")).height == 3


def test_every_request_is_on_the_wire_and_the_crumb_is_asked_for_once(
    made: YahooProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    made.fetch(asked("bars"))
    made.fetch(asked("bars"))
    assert [ask.path for ask in server.asked()] == ["/", "/v1/test/getcrumb"] + ["/v8/finance/chart/AAPL"] * 2
    assert transport.calls == 4


def test_a_share_class_has_a_dash_and_an_index_a_caret(made: YahooProvider, server: ReplayServer) -> None:
    for symbol in ("BRK.B", "SPX"):
        with pytest.raises(NoDataError):
            made.fetch(asked("bars", symbol))
    assert [ask.path for ask in server.asked("yahoo") if "chart" in ask.path] == [
        "/v8/finance/chart/BRK-B",
        "/v8/finance/chart/^SPX",
    ]


def test_a_dead_cookie_host_is_lived_without(made: YahooProvider, server: ReplayServer) -> None:
    server.inject_fault("^/$", cut_off())
    assert made.fetch(asked("bars")).height == 4


def test_a_refused_crumb_is_asked_for_again(made: YahooProvider, server: ReplayServer) -> None:
    server.inject_fault("chart", status(401, b"Invalid Crumb"), times=1)
    assert made.fetch(asked("bars")).height == 4
    assert [ask.path for ask in server.asked()].count("/v1/test/getcrumb") == 2


def test_an_unknown_symbol_costs_one_request(
    made: YahooProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    made.fetch(asked("bars"))
    before = transport.calls
    with pytest.raises(NoDataError, match="delisted"):
        made.fetch(asked("bars", "NOPE"))
    assert transport.calls == before + 1


def test_too_many_requests_may_pass_and_say_when(
    made: YahooProvider, server: ReplayServer, transport: CountingTransport
) -> None:
    transport.attempts = 2
    server.inject_fault("chart", too_many(7), times=1)
    assert made.fetch(asked("bars")).height == 4
    assert transport.waits == [7.0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (too_many(), TransientError),
        (status(503), TransientError),
        (cut_off(), TransientError),
        (web_page(), TransientError),
        (no_body(), SchemaError),
        (status(403), ProviderError),
        (edited(lambda body: body["chart"]["result"][0]["meta"].clear() or body), SchemaError),
        (edited(lambda body: body["chart"]["result"][0]["timestamp"].pop() and body), SchemaError),
    ],
)
def test_what_goes_wrong_is_named(
    made: YahooProvider, server: ReplayServer, fault: Callable[[ReplayResponse], ReplayResponse], kind: type[Exception]
) -> None:
    server.inject_fault("chart", fault)
    with pytest.raises(kind) as raised:
        made.fetch(asked("bars"))
    assert raised.type is kind
    assert "Ab1.cdEf" not in str(raised.value)


def test_who_is_turned_away_does_not_go_on_with_every_symbol(
    server: ReplayServer, config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Cookies that are handed out all the same are no sign of life."""
    monkeypatch.setenv("GNOSIS_RAY_HOME", str(tmp_path))
    server.inject_fault("chart", status(403))
    gateway = GatewayFixture(config, server.url, tmp_path / "responses", datetime(2026, 7, 12, 12, tzinfo=UTC), 2.0)
    results = gateway.fetch_all("yahoo", "bars", [f"S{number:02d}" for number in range(40)])
    told = [each.failure.message for each in results if each.failure is not None]
    assert len(told) == 40
    assert "with another cookie too. It needs no key" in told[0]
    assert "taken to be down" in told[-1]
    failures, at_once = config.gateway.breaker_failures, config.providers.yahoo.max_in_flight
    assert sum("chart" in ask.path for ask in server.asked()) <= 2 * (failures + at_once)


def test_text_in_place_of_a_number_is_named_with_its_field(made: YahooProvider, server: ReplayServer) -> None:
    body = chart(DAYS, TRADED)
    body["chart"]["result"][0]["indicators"]["adjclose"][0]["adjclose"][2] = "129.04"
    server.inject_fault("chart", edited(lambda _: body))
    with pytest.raises(
        SchemaError, match=r"AAPL, field chart\.result\.0\.indicators\.adjclose\.0\.adjclose\.2: .*129\.04"
    ):
        made.fetch(asked("bars"))


def test_a_field_that_nobody_has_heard_of_changes_nothing(made: YahooProvider, server: ReplayServer) -> None:
    plain = made.fetch(asked("bars"))
    server.inject_fault("chart", edited(lambda _: chart(DAYS, TRADED, mood={"bullish": True})))
    assert made.fetch(asked("bars")).equals(plain)


def test_an_index_of_chicago_is_of_the_us(made: YahooProvider, server: ReplayServer) -> None:
    chicago = chart(DAYS, TRADED, meta={"exchangeTimezoneName": "America/Chicago"})
    server.inject_fault("chart", lambda _: json_reply(chicago))
    assert made.fetch(asked("bars", "VIX"))["timestamp"][0] == datetime(2020, 8, 27, 20, tzinfo=UTC)


def test_a_listing_elsewhere_is_refused(made: YahooProvider, server: ReplayServer) -> None:
    server.inject_fault("chart", edited(lambda _: chart(DAYS, TRADED, meta={"exchangeTimezoneName": "Europe/Oslo"})))
    with pytest.raises(NoDataError, match="Europe/Oslo"):
        made.fetch(asked("bars"))


# Recorded answers


@pytest.fixture
def recorded(realdata: Path, server: ReplayServer) -> Callable[[str], Any]:
    """Serves a recorded answer to whatever is asked for next, and gives its body."""

    def serve(name: str) -> Any:
        answer = json.loads((realdata / "wire" / "yahoo" / f"{name}.json").read_text())
        server.clear_faults()
        server.inject_fault("/finance/", lambda _: json_reply(answer["body"], answer["status"]))
        return answer["body"]

    return serve


@pytest.mark.realdata
def test_recorded_bars_are_all_read(made: YahooProvider, recorded: Callable[[str], Any]) -> None:
    body = recorded("chart-AAPL-2020-08-31-to-2020-11-07")["chart"]["result"][0]
    bars = made.fetch(asked("bars"))
    assert bars["close"].to_list() == body["indicators"]["quote"][0]["close"]
    assert bars["adjusted_close"].to_list() == body["indicators"]["adjclose"][0]["adjclose"]
    assert bars["timestamp"][0] == datetime(2020, 8, 31, 20, tzinfo=UTC)
    assert bars["timestamp"][-1] == datetime(2020, 11, 6, 21, tzinfo=UTC)  # after summer time


@pytest.mark.realdata
def test_recorded_crypto_bars_end_with_their_day(made: YahooProvider, recorded: Callable[[str], Any]) -> None:
    recorded("chart-BTC-USD-2020-01-01-to-2020-01-03")
    bars = made.fetch(asked("bars", "BTC-USD"))
    assert bars["timestamp"].to_list() == [datetime(2020, 1, day, tzinfo=UTC) for day in (2, 3, 4)]


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name",
    ["chart-notimestamp-quotes-length.fake", "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m"],
)
def test_recorded_charts_without_times_hold_no_bars(
    made: YahooProvider, recorded: Callable[[str], Any], name: str
) -> None:
    recorded(name)
    bars = made.fetch(asked("bars"))
    assert bars.is_empty()
    assert dict(bars.schema) == columns("bars")


@pytest.mark.realdata
def test_a_recorded_chain_holds_each_contract_once_and_asks_for_each_expiry(
    made: YahooProvider, recorded: Callable[[str], Any], server: ReplayServer
) -> None:
    body = recorded("options-AAPL")["optionChain"]["result"][0]
    first = body["options"][0]
    chain = made.fetch(asked("chains"))
    assert dict(chain.schema) == columns("chains")
    expiries = [int(ask.query["date"]) for ask in server.asked("yahoo") if "date" in ask.query]
    assert expiries == body["expirationDates"][1:]
    assert chain.height == len(first["calls"]) + len(first["puts"])  # the same answer for every expiry
    assert chain["event_time"].unique().to_list() == [datetime.fromtimestamp(1740171602, UTC)]
    assert chain["underlying_price"].unique().to_list() == [245.55]
    row = next(c for c in first["calls"] if c["contractSymbol"] == "AAPL250228C00165000")
    found = chain.filter(strike=165.0, type="C").row(0, named=True)
    assert (found["expiry"], found["last"], found["open_interest"]) == (date(2025, 2, 28), row["lastPrice"], 0.0)
    assert (found["bid"], found["ask"], found["settlement"]) == (0.0, 0.0, "PM")
    assert found["vendor_iv"] == row["impliedVolatility"]


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["ADH", "BTC-USD"])
def test_a_symbol_without_options_has_an_empty_chain(
    made: YahooProvider, recorded: Callable[[str], Any], name: str
) -> None:
    recorded(f"options-{name}")
    assert made.fetch(asked("chains", name)).is_empty()


@pytest.mark.realdata
def test_every_recorded_chain_of_the_us_is_read(
    made: YahooProvider, recorded: Callable[[str], Any], realdata: Path
) -> None:
    names = [p.stem.removeprefix("options-") for p in (realdata / "wire" / "yahoo").glob("options-[A-Z]*.json")]
    for name in [name for name in names if name.isalpha()]:
        body = recorded(f"options-{name}")["optionChain"]["result"][0]
        chain = made.fetch(asked("chains", name))
        held = sum(len(o["calls"]) + len(o["puts"]) for o in body["options"])
        assert (name, chain.height) == (name, held)


@pytest.mark.realdata
def test_recorded_headlines_are_those_of_the_symbol(made: YahooProvider, recorded: Callable[[str], Any]) -> None:
    items = recorded("search-AAPL")["news"]
    news = made.fetch(asked("news"))
    assert dict(news.schema) == columns("news")
    assert news["headline"].to_list() == [item["title"] for item in items if "AAPL" in item["relatedTickers"]]
    assert news["timestamp"][0] == datetime.fromtimestamp(items[0]["providerPublishTime"], UTC)
    assert news.height == len(items) - 1  # one is about BRK-B alone


@pytest.mark.realdata
def test_a_search_of_another_shape_is_refused(made: YahooProvider, recorded: Callable[[str], Any]) -> None:
    recorded("search-badResult.fake")
    with pytest.raises(SchemaError, match=r"headlines of AAPL, field news\.0\.title"):
        made.fetch(asked("news"))
