"""Yahoo's v8 chart of daily bars: ``/v8/finance/chart/AAPL?period1=..&period2=..&interval=1d``.

As true answers: bars are stamped with the session's open, the zone is told apart, symbols have a dash before their
class. Also what a client asks for on the way: a cookie and a crumb.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from tests.support.replay.http_messages import ReplayRequest, ReplayResponse, Route, json_reply
from tests.support.replay.market import Market
from tests.support.replay.times import CLOSE, OPEN, epoch

PATH = re.compile(r"/v8/finance/chart/([A-Z0-9^=.\-]+)")
CRUMB = "Ab1.cdEfGhi"
_NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


def yahoo(market: Market) -> Route:
    """Yahoo, knowing what the market knows."""

    def route(ask: ReplayRequest) -> ReplayResponse | None:
        if ask.path == "/":
            return ReplayResponse(404, b"", "text/html", {"Set-Cookie": f"A3=d={CRUMB}; Path=/; Max-Age=31557600"})
        if ask.path.endswith("/getcrumb"):
            return ReplayResponse(body=CRUMB.encode(), content_type="text/plain")
        found = PATH.fullmatch(ask.path)
        if found is None:
            return None
        days = market.days(found[1].replace("-", "."))
        if days is None or ask.query.get("interval") != "1d":
            return json_reply({"chart": {"result": None, "error": _NOT_FOUND}}, 404)
        return json_reply({"chart": {"result": [_chart(found[1], days, ask)], "error": None}})

    return route


def _chart(name: str, days: pl.DataFrame, ask: ReplayRequest) -> dict[str, Any]:
    stamps = [epoch(day, OPEN) for day in days["date"]]
    since, until = int(ask.query.get("period1", 0)), int(ask.query.get("period2", 2**40))
    rows = days.filter(pl.Series([since <= stamp < until for stamp in stamps], dtype=pl.Boolean))
    last = days.row(-1, named=True)
    quote = {key: rows[key].to_list() for key in ("close", "low", "open", "high")}
    quote["volume"] = rows["volume"].cast(pl.Int64).to_list()
    answer: dict[str, Any] = {"meta": _meta(name, last, days)}
    if rows.height:
        answer["timestamp"] = [stamp for stamp in stamps if since <= stamp < until]
    adjusted = [{"adjclose": quote["close"]}] if rows.height else [{}]
    return answer | {"indicators": {"quote": [quote if rows.height else {}], "adjclose": adjusted}}


def _meta(name: str, last: dict[str, Any], days: pl.DataFrame) -> dict[str, Any]:
    offset = -14400
    zone = {"timezone": "EDT", "gmtoffset": offset}
    day = last["date"]
    period = {"timezone": "EDT", "start": epoch(day, OPEN), "end": epoch(day, CLOSE), "gmtoffset": offset}
    return {
        "currency": "USD",
        "symbol": name,
        "exchangeName": "NMS",
        "fullExchangeName": "NasdaqGS",
        "instrumentType": "EQUITY",
        "firstTradeDate": epoch(days["date"][0], OPEN),
        "regularMarketTime": epoch(day, CLOSE),
        "hasPrePostMarketData": True,
        **zone,
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": last["close"],
        "fiftyTwoWeekHigh": days["high"].max(),
        "fiftyTwoWeekLow": days["low"].min(),
        "regularMarketDayHigh": last["high"],
        "regularMarketDayLow": last["low"],
        "regularMarketVolume": int(last["volume"]),
        "longName": name,
        "shortName": name,
        "chartPreviousClose": days["close"][0],
        "priceHint": 2,
        "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
        "dataGranularity": "1d",
        "range": "",
        "validRanges": _RANGES,
    }
