"""The server that plays vendors: its answers have the shape of true ones, its faults are what they are called."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from gnosis_ray.app.sources import build_source
from gnosis_ray.config import Config
from gnosis_ray.market.calendar import SessionCalendar
from tests.support.replay import ReplayRequest, ReplayServer, SyntheticMarket, faults, most_within, serving
from tests.support.replay.cboe import cboe
from tests.support.replay.recorded import recorded_cboe, recorded_massive, recorded_tradier, recorded_yahoo
from tests.support.replay.tradier import tradier
from tests.support.replay.yahoo import yahoo

TOKEN = {"Authorization": "Bearer token"}
CHAIN = "/api/global/delayed_quotes/options/AAPL.json"


@pytest.fixture(scope="module")
def market(config: Config, market_calendar: SessionCalendar) -> SyntheticMarket:
    source = build_source(config, market_calendar)
    return SyntheticMarket(source, frozenset({"AAPL", "BRK.B", "SPX"}), config.data.synthetic.as_of)


@pytest.fixture
def replay(market: SyntheticMarket) -> Iterator[ReplayServer]:
    with serving(cboe(market), yahoo(market), tradier(market, "token")) as started:
        yield started


@dataclass(frozen=True)
class Got:
    """An answer as it came: ``cut`` where less came than was promised."""

    status: int
    headers: Message
    body: bytes
    cut: bool


def get(replay: ReplayServer, path: str, headers: Mapping[str, str] | None = None, timeout: float = 5.0) -> Got:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(replay.url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        try:
            return Got(answer.status, answer.headers, answer.read(), cut=False)
        except http.client.IncompleteRead as error:
            return Got(answer.status, answer.headers, error.partial, cut=True)
    finally:
        connection.close()


def body(replay: ReplayServer, path: str, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON of one answer."""
    return json.loads(get(replay, path, headers).body)


def shape(value: Any) -> Any:
    """Names in order, and what is a list, a text or a number."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) else "text or nothing"


def in_order(value: Any) -> str:
    """A shape as text: dictionaries that differ in order differ."""
    return json.dumps(shape(value))


@pytest.mark.realdata
def test_cboe_has_the_shape_of_a_true_answer(replay: ReplayServer, realdata: Path) -> None:
    with serving(recorded_cboe(realdata / "wire")) as true:
        recorded = body(true, "/api/global/delayed_quotes/options/_RUT.json")
    made = body(replay, "/api/global/delayed_quotes/options/_SPX.json")
    assert in_order(made) == in_order(recorded)
    datetime.strptime(made["timestamp"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the vendor names no zone
    assert made["data"]["last_trade_time"] == "2026-07-10T16:00:00"


@pytest.mark.realdata
def test_tradier_has_the_shape_of_a_true_answer(replay: ReplayServer, realdata: Path) -> None:
    path = "/v1/markets/options/chains?symbol={}&expiration={}&greeks=true"
    with serving(recorded_tradier(realdata / "wire", "token")) as true:
        recorded = body(true, path.format("PLTR", "2026-12-18"), TOKEN)
    expiry = body(replay, "/v1/markets/options/expirations?symbol=AAPL", TOKEN)["expirations"]["date"][0]
    made = body(replay, path.format("AAPL", expiry), TOKEN)
    first, true_first = made["options"]["option"][0], recorded["options"]["option"][0]
    assert list(first) == list(true_first)
    assert list(first["greeks"]) == list(true_first["greeks"])


@pytest.mark.realdata
def test_yahoo_has_the_shape_of_a_true_answer(replay: ReplayServer, realdata: Path) -> None:
    path = "/v8/finance/chart/AAPL?period1={}&period2={}&interval=1d"
    with serving(recorded_yahoo(realdata / "wire")) as true:
        recorded = body(true, path.format(1577836800, 1578009600))["chart"]["result"][0]
    made = body(replay, path.format(1783036800, 1784000000))["chart"]["result"][0]
    assert set(made["meta"]) == set(recorded["meta"])
    for part in ("timestamp", "indicators"):
        assert shape(made[part]) == shape(recorded[part])
    seconds_into_hour = {stamp % 3600 for stamp in made["timestamp"] + recorded["timestamp"]}
    assert seconds_into_hour == {1800}  # 09:30 Eastern


@pytest.mark.realdata
def test_recorded_pages_lead_on_at_this_server(realdata: Path) -> None:
    with serving(recorded_massive(realdata / "wire", "key")) as true:
        first = body(true, "/v3/quotes/AAPL?limit=10", {"Authorization": "Bearer key"})
        assert first["next_url"].startswith(f"{true.url}/v3/quotes/AAPL?cursor=")
        second = body(true, first["next_url"].removeprefix(true.url), {"Authorization": "Bearer key"})
        assert second["results"] != first["results"]
        assert body(true, "/v3/trades/AAPL")["error"] == "Unknown API Key"


def test_classes_of_shares_are_spelled_each_vendors_way(replay: ReplayServer) -> None:
    assert body(replay, "/api/global/delayed_quotes/options/BRK.B.json")["data"]["options"][0]["option"][:4] == "BRKB"
    assert body(replay, "/v8/finance/chart/BRK-B?interval=1d")["chart"]["result"][0]["meta"]["symbol"] == "BRK-B"
    quote = body(replay, "/v1/markets/quotes?symbols=BRK/B", TOKEN)["quotes"]["quote"]
    assert quote["symbol"] == "BRK/B"
    for wrong in ("BRK-B", "SPX", "NOBODY"):
        got = get(replay, f"/api/global/delayed_quotes/options/{wrong}.json")
        assert (got.status, got.headers["Content-Type"]) == (403, "application/xml")


def test_who_shows_no_token_is_turned_away(replay: ReplayServer) -> None:
    for headers in ({}, {"Authorization": "Bearer another"}):
        assert get(replay, "/v1/markets/quotes?symbols=AAPL", headers).status == 401


def test_answers_are_packed_for_who_can_unpack_them(replay: ReplayServer) -> None:
    got = get(replay, CHAIN, {"Accept-Encoding": "gzip, deflate"})
    assert got.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(got.body)) == body(replay, CHAIN)


def test_a_fault_strikes_as_often_as_was_said_and_where(replay: ReplayServer) -> None:
    replay.inject_fault(r"options/AAPL\.json", faults.status(500), times=2)
    paths = (CHAIN, CHAIN.replace("AAPL", "BRK.B"), CHAIN, CHAIN)
    assert [get(replay, path).status for path in paths] == [500, 200, 500, 200]
    assert replay.repeated() == {CHAIN: 3}


def test_too_many_says_when_to_come_again(replay: ReplayServer) -> None:
    replay.inject_fault("AAPL", faults.too_many(7), times=1)
    got = get(replay, CHAIN)
    assert (got.status, got.headers["Retry-After"]) == (429, "7")
    replay.inject_fault("AAPL", faults.too_many(7, as_date=True), times=1)
    got = get(replay, CHAIN)
    said, now = (parsedate_to_datetime(got.headers[name]) for name in ("Retry-After", "Date"))
    assert 6 <= (said - now).total_seconds() <= 8


def test_a_cut_off_answer_promises_more_than_it_sends(replay: ReplayServer) -> None:
    replay.inject_fault("AAPL", faults.cut_off())
    got = get(replay, CHAIN, {"Accept-Encoding": "gzip"})
    assert got.cut
    assert len(got.body) == int(got.headers["Content-Length"]) // 2 > 0


def test_a_hung_answer_never_comes_and_does_not_keep_the_server(market: SyntheticMarket) -> None:
    started = time.monotonic()
    with serving(cboe(market)) as replay:
        replay.inject_fault("AAPL", faults.hung())
        with pytest.raises(TimeoutError):
            get(replay, CHAIN, timeout=0.2)
    assert time.monotonic() - started < 2.0


def test_a_slow_answer_comes(replay: ReplayServer) -> None:
    replay.inject_fault("AAPL", faults.slow(0.2), times=1)
    started = time.monotonic()
    assert body(replay, CHAIN)["symbol"] == "AAPL"
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        (faults.no_options(), lambda options: options == []),
        (faults.new_field(), lambda options: all("implied_borrow" in o for o in options)),
        (faults.without("open_interest"), lambda options: all("open_interest" not in o for o in options)),
        (faults.halted(), lambda options: all(o["bid"] == o["ask"] == 0.0 for o in options)),
    ],
)
def test_a_bent_chain_is_bent_in_one_way(
    replay: ReplayServer, fault: faults.ResponseFault, holds: Callable[[list[dict[str, Any]]], bool]
) -> None:
    whole = body(replay, CHAIN)
    replay.inject_fault("AAPL", fault)
    bent = body(replay, CHAIN)
    assert not holds(whole["data"]["options"])
    assert holds(bent["data"]["options"])
    del whole["data"]["options"], bent["data"]["options"]
    assert bent == whole


@pytest.mark.parametrize(
    ("arrivals", "seconds", "most"),
    [([], 1.0, 0), ([0.0], 1.0, 1), ([0, 0.5, 1.0, 1.1, 3], 1.0, 3), ([0, 2, 4], 1.9, 1)],
)
def test_the_densest_span_is_found(arrivals: list[float], seconds: float, most: int) -> None:
    asks = [ReplayRequest("cboe", "GET", CHAIN, {}, {}, at) for at in arrivals]
    assert most_within(asks, seconds) == most
